"""Outside text is text: no markup is read in it, nothing hides in it, and nothing of it leaves the page."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.draft import Party
from sinks.pdf import Paper, PdfSettings
from sinks.pdf.fonts import load_letters
from sinks.pdf.settings import Typeface
from sinks.pdf.sink import Press
from sinks.pdf.texts import MISSING, Printer
from sinks.testing import example_body, example_draft, example_fee

pytestmark = pytest.mark.proof

PRESS = Press(PdfSettings(folder=Path("unused")))
CHARACTERS = load_letters(Typeface.SANS, None).characters
MARKUP = (
    "#panic(1)",
    '#read("/etc/passwd")',
    "#sys.inputs.sheet",
    "*not bold* _nor italic_ `nor code`",
    "$ x^2 $ = heading",
    "\\u{1F600} \\# ] [ } { ) ( ~ @ref <label>",
    '"; #import "@preview/evil:1.0.0": *; "',
    "// comment /* block */",
    "{page} {pages} {name}",
    "https://evil.example/?a=b&c=d",
)


@pytest.mark.parametrize("text", MARKUP)
def test_markup_is_printed_as_it_was_typed(text: str, read_pages: Callable[[bytes], list[str]]) -> None:
    """A narrative that is a program of the typesetter is printed letter by letter, wherever it stands."""
    line = example_fee(1).model_copy(update={"text": text, "role": text, "person_name": text})
    body = example_body(line)
    body = body.model_copy(
        update={"client": Party(name=text, address=(text,), tax_id=text), "matter_name": text, "client_matter_id": text}
    )
    paper = {"header": [text], "footer": [text], "intro": text, "terms": text, "payment": {text: text}}
    press = Press(PdfSettings(folder=Path("unused"), paper=Paper.model_validate(paper)))
    pages = read_pages(press.render(example_draft(body, number=text)).content)
    squeezed = "".join("".join(pages).split())
    assert squeezed.count("".join(text.split())) >= 10


@given(text=st.text(max_size=400), name=st.text(max_size=60), number=st.text(max_size=40))
@settings(max_examples=60, deadline=None)
def test_any_text_makes_a_document(text: str, name: str, number: str) -> None:
    """Control characters, unpaired surrogates, right-to-left marks, emoji: each becomes a PDF, never an error."""
    line = example_fee(1).model_copy(update={"text": text, "utbms_task": name[:4], "person_name": name})
    body = example_body(line).model_copy(update={"client": Party(name=name, address=(text,))})
    assert PRESS.render(example_draft(body, number=number)).content.startswith(b"%PDF-1.7")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("two\nlines\tand\x00more", "two lines and more"),
        ("  many   blanks  ", "many blanks"),
        ("pay \u202e00.001\u202c now", "pay 00.001 now"),
        ("zero\u200bwidth\ufeff and soft\u00adhyphen", "zerowidth and softhyphen"),
        ("Müller, Łódź, Ελλάδα, Москва", "Müller, Łódź, Ελλάδα, Москва"),
        ("e\u0301", "é"),
        ("q" + "\u0301" * 30, "q" + "\u0301" * 3),
        ("ok \u2764\ufe0f", f"ok {MISSING}"),
        ("\ud800", MISSING),
        ("\ue000", MISSING),
        ("wide\u3000blank", "wide blank"),
    ],
)
def test_hidden_and_turning_characters_do_not_reach_the_paper(text: str, shown: str) -> None:
    """What a reader sees is what stands there: no turned amounts, no hidden words, no towers of accents."""
    assert Printer(CHARACTERS).line(text) == shown


def test_a_word_longer_than_its_column_breaks(read_pages: Callable[[bytes], list[str]]) -> None:
    """A 500-letter word stays on the paper, whole."""
    word = "abcdefghij" * 50
    body = example_body(example_fee(1).model_copy(update={"text": word}))
    pages = read_pages(PRESS.render(example_draft(body)).content)
    assert word in "".join(pages[1].split())


def test_texts_of_the_firm_keep_their_paragraphs() -> None:
    """A blank line begins a paragraph; a single line end does not."""
    assert Printer(CHARACTERS).paragraphs("one\ntwo\n\n three \n \n\nfour") == ["one two", "three", "four"]


def test_both_families_have_what_europe_writes() -> None:
    """Our fonts cover Latin, Greek and Cyrillic letters, currencies and the box for what is missing."""
    wanted = "äöüßÄÖÜéèêçñøåæœłżźőűčřșțİığΑΩαωабвяЖЩ€£¥₹₽₺–—…•“”„«»‹›†№™±×÷≤≥" + MISSING
    assert [letter for letter in wanted if ord(letter) not in CHARACTERS] == []
    assert ord("中") not in CHARACTERS
