"""Whole invoices stay what they are: every field, every finding, every explanation (tests/golden/invoices)."""

import pytest

from tests.billing.whole import FILES, read_whole, told

INVOICES = [
    pytest.param(path.stem, number, id=f"{path.stem} {period}")
    for path in sorted(FILES.glob("*.txt"))
    for number, period in enumerate(read_whole(path).periods)
]


@pytest.mark.parametrize(("name", "number"), INVOICES)
def test_an_invoice_says_what_it_said(name: str, number: int) -> None:
    """An invoice is read by people and by machines, and is computed again for years: nothing in it changes unseen."""
    whole = read_whole(FILES / f"{name}.txt")
    billed = whole.story().bill(whole.periods[number])
    assert told(billed).splitlines() == whole.invoices[number].splitlines()


def test_every_story_has_its_invoices() -> None:
    """A file that was not written behind its story would compare nothing."""
    files = [read_whole(path) for path in FILES.glob("*.txt")]
    assert len(files) >= 3
    assert all(len(one.invoices) == len(one.periods) > 0 for one in files)
