"""The PDF sink: the contract of all sinks, what is refused, what is noted, and what is never overwritten."""

import asyncio
import struct
import zlib
from pathlib import Path

import pytest

from schemas.draft import DocumentState
from schemas.errors import ConfigurationError, Conflict, Rejected
from sinks.base import DraftKey, DraftRefused, DraftToSend, key_for
from sinks.pdf import Paper, PdfSettings
from sinks.pdf.sink import PdfSink, Press
from sinks.testing import SinkContract, example_body, example_draft, example_fee

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 2"><rect width="4" height="2" fill="#1f3a5f"/></svg>'


def make(folder: Path) -> PdfSink:
    return PdfSink(PdfSettings(folder=folder))


def key_of(draft: DraftToSend) -> DraftKey:
    return key_for(draft, "pdf")


def with_text(text: str) -> DraftToSend:
    return example_draft(example_body(example_fee(1).model_copy(update={"text": text})))


class TestPdfContract(SinkContract):
    """The PDF sink keeps the contract of all sinks."""

    make = staticmethod(make)


def test_a_different_file_is_left_alone(tmp_path: Path) -> None:
    """Neither a look nor a create touches a file that says something else."""
    sink, draft = make(tmp_path), example_draft()
    file = tmp_path / asyncio.run(sink.create(draft, key_of(draft))).location
    file.write_bytes(b"%PDF-1.7 mine")
    for call in (sink.create, sink.find):
        with pytest.raises(Conflict, match="sink_file_differs"):
            asyncio.run(call(draft, key_of(draft)))
    assert file.read_bytes() == b"%PDF-1.7 mine"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no pdf",
        b"%PDF-1.7 without a word of ours",
        b"%PDF-1.7 <pdf:Keywords>billstream, net=1.00</pdf:Keywords>",
        b"%PDF-1.7 <pdf:Keywords>billstream, document=d, revision=x, state=s, content=c, net=1</pdf:Keywords>",
        b"%PDF-1.7 <pdf:Keywords>another, net=1.00</pdf:Keywords>",
    ],
)
def test_a_spoilt_file_is_not_confirmed(content: bytes, tmp_path: Path) -> None:
    """Reading back reads the disk; what is no PDF of ours is a conflict for a person."""
    sink, draft = make(tmp_path), example_draft()
    receipt = asyncio.run(sink.create(draft, key_of(draft)))
    (tmp_path / receipt.location).write_bytes(content)
    with pytest.raises(Conflict, match="sink_file_unreadable"):
        asyncio.run(sink.read_back(receipt))


def test_more_rows_than_allowed_are_refused_and_nothing_is_written(tmp_path: Path) -> None:
    """A limit is a refusal with a way out, not a page that takes all memory."""
    sink = PdfSink(PdfSettings(folder=tmp_path, paper=Paper(lines_max=2)))
    draft = example_draft()
    with pytest.raises(DraftRefused) as refused:
        asyncio.run(sink.create(draft, key_of(draft)))
    assert [(one.code, one.line) for one in refused.value.problems] == [("pdf_too_many_rows", 0)]
    assert list(tmp_path.iterdir()) == []


def test_entries_count_as_rows_where_they_are_printed(tmp_path: Path) -> None:
    """Three lines with an entry each are six rows when both are printed."""
    assert PdfSettings(folder=tmp_path, paper=Paper(lines_max=5)).paper.details.value == "lines"
    sink = PdfSink(PdfSettings(folder=tmp_path, paper=Paper.model_validate({"lines_max": 5, "details": "entries"})))
    with pytest.raises(DraftRefused, match="sink_draft_refused"):
        asyncio.run(sink.create(example_draft(), key_of(example_draft())))


def test_a_text_longer_than_a_narrative_may_be_is_refused(tmp_path: Path) -> None:
    """15,000 characters are printed, one more is a problem that names its line."""
    sink = make(tmp_path)
    asyncio.run(sink.create(with_text("a " * 7_500), key_of(example_draft())))
    with pytest.raises(DraftRefused) as refused:
        asyncio.run(sink.create(with_text("a" * 15_001), key_of(example_draft())))
    assert [(one.code, one.line) for one in refused.value.problems] == [("pdf_text_too_long", 1)]


def test_texts_of_entries_are_bounded_where_they_are_printed(tmp_path: Path) -> None:
    """What people typed counts when it stands on the paper, and only then."""
    line = example_fee(1)
    source = line.sources[0].model_copy(update={"description": "a " * 8_000})
    draft = example_draft(example_body(line.model_copy(update={"sources": (source,)})))
    Press(PdfSettings(folder=tmp_path)).render(draft)
    entries = Paper.model_validate({"details": "entries"})
    with pytest.raises(DraftRefused, match="sink_draft_refused"):
        Press(PdfSettings(folder=tmp_path, paper=entries)).render(draft)


def test_letters_that_no_font_has_are_boxes_and_are_noted(tmp_path: Path) -> None:
    """Nothing is dropped in silence: the receipt names the characters, before and after a crash alike."""
    sink, draft = make(tmp_path), with_text("Call with 田中 about 🚀")
    receipt = asyncio.run(sink.create(draft, key_of(draft)))
    (note,) = receipt.notes
    assert note.code == "pdf_character_missing"
    assert "U+4E2D U+7530 U+1F680" in note.text
    assert asyncio.run(sink.find(draft, key_of(draft))) == receipt


@pytest.mark.parametrize(
    ("name", "content"),
    [("logo.png", b"GIF89a"), ("logo.svg", b"<html>"), ("logo.jpg", b""), ("logo.svg", SVG + b" " * 2_100_000)],
)
def test_a_logo_that_is_something_else_stops_the_start(name: str, content: bytes, tmp_path: Path) -> None:
    """A wrong logo is a mistake of the settings, known at the start and not on the day of the first invoice."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigurationError, match="pdf_logo_unusable"):
        PdfSink(PdfSettings(folder=tmp_path, paper=Paper(logo=tmp_path / name)))


def test_a_missing_logo_stops_the_start(tmp_path: Path) -> None:
    """The message names the file."""
    with pytest.raises(ConfigurationError, match=r"brand\.svg cannot be read"):
        PdfSink(PdfSettings(folder=tmp_path, paper=Paper(logo=tmp_path / "brand.svg")))


@pytest.mark.parametrize("content", [None, b"", b"not a font", b"\x00\x01\x00\x00\x00\x01" + b"\x00" * 30])
def test_a_folder_without_fonts_stops_the_start(content: bytes | None, tmp_path: Path) -> None:
    """No folder, an empty one and one with a broken font are refused alike."""
    folder = tmp_path / "fonts"
    if content is not None:
        folder.mkdir()
        if content:
            (folder / "brand.ttf").write_bytes(content)
    with pytest.raises(ConfigurationError, match="pdf_fonts_unusable"):
        PdfSink(PdfSettings(folder=tmp_path, paper=Paper(fonts=folder)))


def png() -> bytes:
    """Two pixels, one of them half transparent."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 1, 8, 6, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(b"\x00\x1f\x3a\x5f\xff\x1f\x3a\x5f\x80"))
    return b"\x89PNG\r\n\x1a\n" + head + pixels + chunk(b"IEND", b"")


@pytest.mark.parametrize(("name", "content"), [("logo.svg", SVG), ("Logo.PNG", png())])
def test_a_logo_is_printed_as_it_was_at_the_start(name: str, content: bytes, tmp_path: Path) -> None:
    """Vector or pixels: it is in the file, and a change on the disk shows only after a new start."""
    (tmp_path / name).write_bytes(content)
    press = Press(PdfSettings(folder=tmp_path, paper=Paper(logo=tmp_path / name)))
    plain = Press(PdfSettings(folder=tmp_path)).render(example_draft()).content
    branded = press.render(example_draft()).content
    assert branded != plain
    assert b"/Alt(Berg & Partners)" in branded
    (tmp_path / name).unlink()
    assert press.render(example_draft()).content == branded


def test_a_logo_that_cannot_be_drawn_is_refused_when_it_is_printed(tmp_path: Path) -> None:
    """A file that only begins like a picture never becomes half a document."""
    (tmp_path / "logo.png").write_bytes(png()[:40])
    press = Press(PdfSettings(folder=tmp_path, paper=Paper(logo=tmp_path / "logo.png")))
    with pytest.raises(Rejected, match="pdf_not_typeset"):
        press.render(example_draft())


def test_pictures_of_the_pages_come_from_the_same_template(tmp_path: Path) -> None:
    """One picture for each page, as PNG."""
    pictures = Press(PdfSettings(folder=tmp_path)).pictures(example_draft(), pixels_per_inch=36)
    assert [picture[:8] for picture in pictures] == [b"\x89PNG\r\n\x1a\n"] * 2


@pytest.mark.parametrize("state", list(DocumentState))
def test_only_an_issued_document_has_no_watermark(state: DocumentState, tmp_path: Path) -> None:
    """Whoever holds a draft, a void or a replaced document sees it on each page."""
    draft = example_draft().model_copy(update={"state": state})
    sheet, _ = Press(PdfSettings(folder=tmp_path)).sheet(draft)
    assert (sheet.watermark == "") == (state is DocumentState.ISSUED)
