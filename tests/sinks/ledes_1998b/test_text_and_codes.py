"""Texts and code sets of LEDES files."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.utbms import CODES, SETS
from sinks.ledes_1998b.layout import surname_first
from sinks.ledes_1998b.settings import CharacterSet, Receiver
from sinks.ledes_1998b.text import SUBSTITUTE, exact_text, free_text, is_carried

ASCII = CharacterSet.ASCII


@pytest.mark.parametrize(
    ("text", "carried"),
    [
        ("Draft motion", "Draft motion"),
        ("a|b\r\nc\td", "a b c d"),
        ("see [1] and [] too", "see (1) and () too"),
        ("“Don’t” – call…", '"Don\'t" - call...'),
        ("Café Müller, Straße, Łódź", "Cafe Muller, Strasse, Lodz"),
        ("fee of €50 and £5 §12", "fee of EUR 50 and GBP 5 Sec. 12"),
        ("\ufeffzero\u200bwidth\u00a0blank", "zerowidth blank"),
        ("½ day ™", "1/2 day TM"),
        ("e\u0301tude", "etude"),
        ("  many   blanks  ", "many blanks"),
        ("", ""),
    ],
)
def test_texts_become_readable_ascii(text: str, carried: str) -> None:
    """Delimiters and breaks become blanks, accents and typography their plain form."""
    assert free_text(text, ASCII) == carried


def test_what_has_no_plain_form_stays_visible_as_a_substitute() -> None:
    """Nothing is dropped: the validator sees the mark and refuses."""
    assert free_text("打合せ ok", ASCII) == SUBSTITUTE * 3 + " ok"


def test_wider_sets_keep_their_characters() -> None:
    """ANSI keeps what Windows-1252 has, UTF-8 keeps all."""
    assert free_text("Café – 打", CharacterSet.ANSI) == f"Café – {SUBSTITUTE}"
    assert free_text("Café – 打", CharacterSet.UTF_8) == "Café – 打"


def test_ids_are_never_rewritten() -> None:
    """Another spelling of an id would be another client."""
    assert exact_text("ACME-é|1", ASCII) == f"ACME-{SUBSTITUTE}{SUBSTITUTE}1"


@given(text=st.text(), characters=st.sampled_from(CharacterSet))
def test_carried_text_is_one_line_without_delimiters(text: str, characters: CharacterSet) -> None:
    """No text can end a value, a record or the file, and what is carried stays as it is the second time."""
    carried = free_text(text, characters)
    assert all(each == SUBSTITUTE or is_carried(each, characters) for each in carried)
    if SUBSTITUTE not in carried:
        assert free_text(carried, characters) == carried


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Anna Berg", "Berg, Anna"),
        ("Anna Maria Berg", "Berg, Anna Maria"),
        ("Berg, Anna", "Berg, Anna"),
        ("Cher", "Cher"),
    ],
)
def test_a_name_begins_with_the_surname(name: str, shown: str) -> None:
    """`Surname, First name`; what has a comma is so already."""
    assert surname_first(name) == shown


def test_no_code_is_in_two_sets() -> None:
    """A code alone says which set it is from."""
    assert len(CODES) == sum(len(each.codes) for each in SETS)


@pytest.mark.parametrize(
    ("code", "name", "is_heading"),
    [
        ("L110", "Fact Investigation/Development", False),
        ("L100", "Case Assessment, Development and Administration", True),
        ("A102", "Research", False),
        ("A128", "Collection closing activities", False),
        ("E111", "Meals", False),
        ("B195", "Non-Working Travel", False),
        ("C100", "Fact Gathering", False),
        ("P100", "Project Administration", False),
        ("P200", "Fact Gathering/Due Diligence", True),
        ("PA650", "Post-Issuance Remedial Action", False),
        ("TR760", "Domain Names ccTLD", False),
        ("L653", "First pass document review", False),
    ],
)
def test_codes_have_their_published_meaning(code: str, name: str, is_heading: bool) -> None:
    """Spot checks over all sets; headings are marked."""
    assert (CODES[code].name, CODES[code].is_heading) == (name, is_heading)


def test_an_unknown_code_set_is_a_mistake_in_the_settings() -> None:
    """A misspelt set would silently refuse every code."""
    with pytest.raises(ValueError, match="unknown code sets litigations"):
        Receiver(code_sets=("litigations",))
