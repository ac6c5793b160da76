"""The LEDES 1998B sink: renders, has the file judged, and writes only what the judge accepts."""

import asyncio
from dataclasses import dataclass
from decimal import Decimal, localcontext

from schemas.draft import Finding
from schemas.errors import Conflict
from sinks.base import (
    DocumentFolder,
    DraftKey,
    DraftRefused,
    DraftToSend,
    Receipt,
    SeenDraft,
    SeenLine,
    SinkSpec,
    hash_of_bytes,
)
from sinks.ledes_1998b import fields
from sinks.ledes_1998b.layout import lay_out
from sinks.ledes_1998b.reader import Record, number_of, read_ledes
from sinks.ledes_1998b.settings import CharacterSet, Ledes1998bSettings, LineEnding, Receiver
from sinks.ledes_1998b.validator import check_ledes
from sinks.ledes_1998b.writer import write_ledes

PRECISION_DIGITS = 60
_AS_IT_LIES = Receiver(line_ending=LineEnding.LF, character_set=CharacterSet.UTF_8)


@dataclass(frozen=True, slots=True)
class Rendered:
    """A file the validator accepted, and what the format could not carry."""

    content: bytes
    notes: tuple[Finding, ...]


def render(draft: DraftToSend, receiver: Receiver) -> Rendered:
    """The file of a document for this receiver; raises DraftRefused with every problem when it must not be written."""
    with localcontext(prec=PRECISION_DIGITS):
        layout = lay_out(draft, receiver)
        content = write_ledes(layout, receiver)
        problems = layout.problems + check_ledes(content, receiver)
    if problems:
        raise DraftRefused("LEDES 1998B", problems)
    return Rendered(content, layout.notes)


class Ledes1998bSink:
    """One `.txt` file for each revision and state of a document; what its receiver would reject is never written."""

    spec = SinkSpec(name="ledes_1998b", create_deadline_seconds=600, settle_seconds=0)

    def __init__(self, settings: Ledes1998bSettings) -> None:
        self._settings = settings
        self._folder = DocumentFolder(settings.folder, ".txt")

    async def find(self, draft: DraftToSend, key: DraftKey) -> Receipt | None:
        """The receipt when exactly this file is there; raises DraftRefused, or Conflict when the file differs."""
        rendered = await self._render(draft)
        receipt = await self._folder.find(self._folder.location(draft, key), rendered.content)
        return receipt and receipt.model_copy(update={"notes": rendered.notes})

    async def create(self, draft: DraftToSend, key: DraftKey) -> Receipt:
        """Write the file; raises DraftRefused with all problems, and then nothing was written."""
        rendered = await self._render(draft)
        receipt = await self._folder.write(self._folder.location(draft, key), rendered.content)
        return receipt.model_copy(update={"notes": rendered.notes})

    async def read_back(self, receipt: Receipt) -> SeenDraft:
        """Read the file from the disk; the format shows neither tax nor currency."""
        content = await self._folder.read(receipt.location)
        records = read_ledes(content.replace(b"\r\n", b"\n"), _AS_IT_LIES).records
        try:
            lines = tuple(SeenLine(position=_position(each), amount=_amount(each)) for each in records)
            net = number_of(records[0][fields.INVOICE_TOTAL])
        except (ValueError, IndexError) as error:
            message = "The file is not a LEDES file of ours any more."
            raise Conflict("sink_file_unreadable", message, "Move it away and deliver again.", str(error)) from error
        return SeenDraft(net=net, tax=None, gross=None, currency=None, lines=lines, sink_hash=hash_of_bytes(content))

    async def _render(self, draft: DraftToSend) -> Rendered:
        """Beside the event loop: a document of thousands of lines takes a second."""
        return await asyncio.to_thread(render, draft, self._settings.receiver_of(draft.body.scope.client_id))


def _amount(record: Record) -> Decimal:
    return number_of(record[fields.LINE_ITEM_TOTAL])


def _position(record: Record) -> int | None:
    """`12` and its parts `12A`, `12B` present line 12; merged reductions have no digits and present no single line."""
    digits = record[fields.LINE_ITEM_NUMBER].rstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    return int(digits) if digits else None
