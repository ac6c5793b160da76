"""The PDF sink: sets a document on the firm's paper, writes whole files, reads back what they say of themselves."""

import asyncio
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from schemas.draft import Finding
from sinks.base import (
    DocumentFolder,
    DraftKey,
    DraftRefused,
    DraftToSend,
    Problem,
    Receipt,
    SeenDraft,
    SeenLine,
    SinkSpec,
    hash_of_bytes,
)
from sinks.pdf.compose import compose
from sinks.pdf.fonts import Letters, load_letters
from sinks.pdf.keywords import read_keywords
from sinks.pdf.logo import LogoFile, Room, read_logo
from sinks.pdf.settings import Details, Paper, PdfSettings, Typeface
from sinks.pdf.sheet import Sheet
from sinks.pdf.typeset import typeset_pdf, typeset_pictures

TEXT_CHARACTERS_MAX = 15_000
PROBLEMS_MAX = 100


@dataclass(frozen=True, slots=True)
class Rendered:
    """A document as PDF, and what paper could not carry."""

    content: bytes
    notes: tuple[Finding, ...]


class Press:
    """Paper, letters and logo, read once, so that a document looks the same however often it is set."""

    def __init__(self, settings: PdfSettings) -> None:
        self._settings = settings
        paper = settings.paper
        self.letters = _letters(paper.typeface, paper.fonts)
        self.logo: LogoFile | None = None if paper.logo is None else read_logo(paper.logo)
        self._room = Room(self.logo)

    def render(self, draft: DraftToSend) -> Rendered:
        """The PDF of a document; raises DraftRefused when it is larger than paper can carry."""
        sheet, notes = self.sheet(draft)
        return Rendered(typeset_pdf(sheet, self.letters, self._room.folder), notes)

    def pictures(self, draft: DraftToSend, *, pixels_per_inch: int = 72) -> tuple[bytes, ...]:
        """Each page as PNG, from the same template as the PDF."""
        sheet, _ = self.sheet(draft)
        return typeset_pictures(sheet, self.letters, self._room.folder, pixels_per_inch=pixels_per_inch)

    def sheet(self, draft: DraftToSend) -> tuple[Sheet, tuple[Finding, ...]]:
        """What will stand on the paper, and what a person should know about it."""
        client_id = draft.body.scope.client_id
        paper = self._settings.paper_of(client_id)
        _refuse_too_much(draft, paper)
        logo = "" if self.logo is None else f"/{self.logo.name}"
        client = self._settings.client(client_id)
        composed = compose(draft, paper, client, self.letters.characters, self.letters.families, logo)
        if not composed.missing:
            return composed.sheet, ()
        shown = " ".join(f"U+{ord(letter):04X}" for letter in composed.missing[:20])
        text = f"No font has a letter for {len(composed.missing)} character(s), a box stands there: {shown}."
        return composed.sheet, (Finding(code="pdf_character_missing", text=text),)


class PdfSink:
    """One PDF for each revision and state of a document."""

    spec = SinkSpec(name="pdf", create_deadline_seconds=600, settle_seconds=0, timeout_seconds=180)

    def __init__(self, settings: PdfSettings) -> None:
        self._press = Press(settings)
        self._folder = DocumentFolder(settings.folder, ".pdf")

    async def find(self, draft: DraftToSend, key: DraftKey) -> Receipt | None:
        """The receipt when exactly this file is there; raises Conflict when another content has its name."""
        location = self._folder.location(draft, key)
        if not await self._folder.exists(location):
            return None  # nothing to compare: most look-ups end here, and setting a document takes a while
        rendered = await asyncio.to_thread(self._press.render, draft)
        receipt = await self._folder.find(location, rendered.content)
        return receipt and receipt.model_copy(update={"notes": rendered.notes})

    async def create(self, draft: DraftToSend, key: DraftKey) -> Receipt:
        """Write the file; the same again is harmless. Raises DraftRefused, and then nothing was written."""
        rendered = await asyncio.to_thread(self._press.render, draft)
        receipt = await self._folder.write(self._folder.location(draft, key), rendered.content)
        return receipt.model_copy(update={"notes": rendered.notes})

    async def read_back(self, receipt: Receipt) -> SeenDraft:
        """Read the file from the disk; raises Conflict when it is gone or not ours."""
        content = await self._folder.read(receipt.location)
        seen = await asyncio.to_thread(read_keywords, content)
        return SeenDraft(
            net=seen.net,
            tax=seen.tax,
            gross=seen.gross,
            currency=seen.currency,
            lines=(SeenLine(position=None, amount=seen.net),),
            sink_hash=hash_of_bytes(content),
        )


@lru_cache(maxsize=4)
def _letters(typeface: Typeface, more: Path | None) -> Letters:
    return load_letters(typeface, more)


def _refuse_too_much(draft: DraftToSend, paper: Paper) -> None:
    """Bounds that keep one document from taking all memory; each problem names the line."""
    shows_entries = paper.details is Details.ENTRIES
    problems = []
    for line in draft.body.lines:
        texts = [line.text, *(source.description for source in line.sources if shows_entries)]
        longest = max(map(len, texts))
        if longest > TEXT_CHARACTERS_MAX:
            what = f"a text has {longest} characters, at most {TEXT_CHARACTERS_MAX} fit"
            fix = "Shorten the description."
            problems.append(Problem(code="pdf_text_too_long", line=line.position, field="text", what=what, fix=fix))
    rows = len(draft.body.lines) + sum(len(line.sources) for line in draft.body.lines if shows_entries)
    if rows > paper.lines_max:
        what = f"the document has {rows} rows, at most {paper.lines_max} are printed"
        fix = "Group the lines in the contract, choose other `details`, or raise `lines_max`."
        problems.append(Problem(code="pdf_too_many_rows", line=0, field="lines", what=what, fix=fix))
    if problems:
        raise DraftRefused("PDF", tuple(problems[:PROBLEMS_MAX]))
