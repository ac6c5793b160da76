"""Paper, JSON and LEDES say the same: each amount to the cent, read from the finished files."""

import json
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.draft import DraftBody, DraftLine, HeldMoneyKind, HeldMoneyUse, LineKind, TaxRow
from sinks.base import DraftToSend
from sinks.json_file.document import write_document
from sinks.ledes_1998b import Receiver, render
from sinks.ledes_1998b import fields as f
from sinks.ledes_1998b.reader import number_of, read_ledes
from sinks.pdf import Paper, PdfSettings
from sinks.pdf.keywords import read_keywords
from sinks.pdf.sink import Press
from sinks.testing import example_body, example_draft, example_expense, example_fee

pytestmark = pytest.mark.proof

PRESS = Press(PdfSettings(folder=Path("unused"), paper=Paper(locale="en-US")))
AMOUNT_AT_END = re.compile(r"(-?[\d,]+\.\d\d)$", re.MULTILINE)


def amount(text: str) -> Decimal:
    return Decimal(text.replace(",", ""))


def amounts_of(pages: list[str]) -> list[Decimal]:
    """Every amount that ends a line of the text, in reading order."""
    return [amount(found) for page in pages for found in AMOUNT_AT_END.findall(page)]


def money(pages: list[str], label: str) -> Decimal:
    """The amount behind a label of the totals."""
    (found,) = re.findall(rf"^{re.escape(label)} \$?(-?[\d,]+\.\d\d)$", pages[0], re.MULTILINE)
    return amount(found)


def lines_of(draft: DraftToSend, pages: list[str]) -> list[Decimal]:
    """The amounts of the document's lines as the detail pages show them: each under its own running number."""
    text = "\n".join(pages)
    return [
        amount(found)
        for line in draft.body.lines
        for found in re.findall(rf"^.*\bline {line.position}\b.* (-?[\d,]+\.\d\d)$", text, re.MULTILINE)
    ]


def numbered(line: DraftLine) -> DraftLine:
    return line.model_copy(update={"text": f"line {line.position}"})


def taxed(body: DraftBody, percent: int) -> DraftBody:
    tax = (body.net * percent / 100).quantize(Decimal("0.01"))
    row = TaxRow(category="S", rate=Decimal(percent), base=body.net, tax=tax)
    gross = body.net + tax
    return body.model_copy(update={"taxes": (row,), "tax": tax, "gross": gross, "due": gross})


def a_legal_month() -> DraftToSend:
    """Forty fees of odd hours and amounts and two expenses, without tax, as an e-billing client gets it."""
    fees = [
        example_fee(n, quantity=f"{n / 10:.2f}", unit_price="317.50", amount=f"{Decimal(n) * Decimal('31.75'):.2f}")
        for n in range(1, 41)
    ]
    lines = (*fees, example_expense(41, amount="1249.99"), example_expense(42, amount="0.05", expense_code="E101"))
    return example_draft(example_body(*map(numbered, lines)))


def test_paper_json_and_ledes_have_the_same_lines_and_totals(read_pages: Callable[[bytes], list[str]]) -> None:
    """A client compares the three; no cent differs in any line or total."""
    draft = a_legal_month()
    pages = read_pages(PRESS.render(draft).content)
    body = json.loads(write_document(draft))["body"]
    records = read_ledes(render(draft, Receiver()).content, Receiver()).records
    in_json = [Decimal(line["amount"]) for line in body["lines"]]
    assert lines_of(draft, pages) == in_json == [number_of(record[f.LINE_ITEM_TOTAL]) for record in records]
    assert money(pages, "Amount due") == Decimal(body["due"]) == number_of(records[0][f.INVOICE_TOTAL])
    assert len(in_json) == 42


cents = st.integers(-10_000_000, 10_000_000).map(lambda value: f"{value // 100}.{value % 100:02d}")
KINDS = [kind for kind in LineKind if kind is not LineKind.FEE]


@given(
    fees=st.lists(cents, min_size=1, max_size=12),
    others=st.lists(st.tuples(st.sampled_from(KINDS), cents), max_size=6),
    percent=st.integers(0, 25),
    legal=st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_any_amounts_are_printed_as_they_are(
    fees: list[str],
    others: list[tuple[LineKind, str]],
    percent: int,
    legal: bool,
    read_pages: Callable[[bytes], list[str]],
) -> None:
    """Whatever the kinds and signs: each line, tax and total on the pages is the document's own."""
    lines = [example_fee(position, amount=value) for position, value in enumerate(fees, start=1)]
    for position, (kind, value) in enumerate(others, start=len(fees) + 1):
        lines.append(example_expense(position, amount=value).model_copy(update={"kind": kind, "expense_code": ""}))
    body = taxed(example_body(*map(numbered, lines)), percent)
    if not legal:
        body = body.model_copy(update={"matter_id": ""})
    draft = example_draft(body)
    content = PRESS.render(draft).content
    pages = read_pages(content)
    assert lines_of(draft, pages) == [line.amount for line in body.lines]
    due = "Amount due" if body.due >= 0 else "In your favour"
    assert money(pages, due) == abs(body.due)
    if body.tax:
        assert money(pages, "Net") == body.net
    seen = read_keywords(content)
    assert (seen.net, seen.tax, seen.gross, seen.due) == (body.net, body.tax, body.gross, body.due)


def test_money_on_account_stands_between_total_and_amount_due(read_pages: Callable[[bytes], list[str]]) -> None:
    """BD-40: what is paid from money held is a line after the total, no discount; the balance is a statement."""
    body = taxed(example_body(example_fee(1, amount="700.00")), 10)
    use = HeldMoneyUse(
        held_id="evergreen",
        kind=HeldMoneyKind.TRUST,
        name="Evergreen retainer",
        balance_before=Decimal("400.00"),
        received=Decimal("200.00"),
        applied=Decimal("500.00"),
        balance_after=Decimal("100.00"),
        requested=Decimal("400.00"),
    )
    body = body.model_copy(update={"held_money": (use,), "due": body.gross - use.applied})
    pages = read_pages(PRESS.render(example_draft(body)).content)
    assert [money(pages, label) for label in ("Total", "Applied: Evergreen retainer", "Amount due")] == [
        Decimal("770.00"),
        Decimal("-500.00"),
        Decimal("270.00"),
    ]
    assert "Evergreen retainer 400.00 200.00 -500.00 100.00 400.00" in pages[0]


def test_a_reduction_nobody_named_is_still_shown(read_pages: Callable[[bytes], list[str]]) -> None:
    """Total and amount due never differ without a line that says by how much."""
    body = example_body(example_fee(1, amount="700.00"))
    pages = read_pages(PRESS.render(example_draft(body.model_copy(update={"due": Decimal("650.00")}))).content)
    assert money(pages, "Credits") == Decimal("-50.00")


def test_timekeepers_add_up_to_the_fees(read_pages: Callable[[bytes], list[str]]) -> None:
    """A fee without a timekeeper is a row of its own, so that the summary ends at the same sum as the details."""
    body = example_body(example_fee(1, amount="630.00"), example_fee(2, amount="100.00"))
    people = (body.timekeepers[0].model_copy(update={"amount": Decimal("630.00")}),)
    pages = read_pages(PRESS.render(example_draft(body.model_copy(update={"timekeepers": people}))).content)
    assert "Adjustments of the document 100.00" in pages[0]
    assert re.search(r"^Total 4\.00 730\.00$", pages[0], re.MULTILINE)


@pytest.mark.parametrize(("gross", "due"), [("0.00", "0.00"), ("-12.50", "-12.50")])
def test_nothing_due_and_credits_are_said_without_a_minus(
    gross: str, due: str, read_pages: Callable[[bytes], list[str]]
) -> None:
    """A client reads in whose favour it is, not a sign."""
    draft = example_draft(example_body(example_fee(1, amount=gross)))
    label = "Amount due" if due == "0.00" else "In your favour"
    assert money(read_pages(PRESS.render(draft).content), label) == abs(Decimal(due))
