"""Corrections of earlier invoices as LEDES files: credit notes, reductions and late work that receivers take."""

from datetime import date
from decimal import Decimal

import pytest

from billing.adjust import Settled, adjust, void
from billing.adjusted_body import correction_body, with_adjustments
from billing.testing import Desk, open_desk
from schemas.draft import CorrectionPart, CorrectionReason, DocumentKind, DraftBody
from sinks.ledes_1998b import fields as f
from sinks.ledes_1998b.layout import merged_text
from sinks.ledes_1998b.reader import Record, number_of, read_ledes
from sinks.ledes_1998b.settings import PeriodPolicy, Receiver
from sinks.ledes_1998b.sink import render
from sinks.ledes_1998b.validator import check_ledes
from sinks.testing import example_draft

RECEIVER = Receiver(activity_code_required=False, expense_code_required=False)
MARCH = """
    kind     entry  date        worked  person  amount  text            expense  utbms
    time     a      2025-03-03  4.00    ana     -       Drawing         -        L240
    time     b      2025-03-04  2.00    cy      -       Building        -        L240
    expense  e      2025-03-05  -       -       80.00   Court reporter  E115     -
"""
APRIL = """
    kind  entry  date        worked  person  text     utbms
    time  n      2025-04-03  5.00    ana     Meeting  L240
"""


@pytest.fixture(scope="module")
def desk() -> Desk:
    """A matter at 100 an hour, each entry a line."""
    clauses: dict[str, object] = {
        "rates": [{"rate": "100.00"}],
        "lines": {"group_by": ["entry"]},
        "matter": {"id": "M-1", "client_matter_id": "C-1", "name": "Acme v. Byte"},
    }
    directory = {
        "firm": {"name": "Firm", "zone": "UTC", "currency": "USD", "tax_id": "12-3456789"},
        "clients": [{"id": "acme", "name": "Acme", "ledes_id": "ACME"}],
    }
    return open_desk("ana partner, cy associate", directory=directory, also=clauses)


def records_of(body: DraftBody, receiver: Receiver = RECEIVER) -> tuple[Record, ...]:
    """The records of the file; the validator finds nothing in it, and they add up to the document."""
    content = render(example_draft(body), receiver).content
    assert check_ledes(content, receiver) == ()
    records = read_ledes(content, receiver).records
    assert sum((number_of(one[f.LINE_ITEM_TOTAL]) for one in records), Decimal(0)) == body.net
    assert {number_of(one[f.INVOICE_TOTAL]) for one in records} == {body.net}
    return records


def april_with(desk: Desk, after: str, reason: CorrectionReason) -> DraftBody:
    """April's invoice with what changed of March since it was issued."""
    stood, fresh = desk.bill(MARCH).body, desk.bill(after).body
    settled = Settled("d-1", "0031", [("d-1", stood)], fresh, stood, {"b": reason}, amended=False)
    found = adjust(settled, CorrectionPart.DIFFERENCE)
    return with_adjustments(desk.contract, desk.directory, desk.bill(APRIL, "2025-04").body, [found])


def test_a_credit_note_gives_fees_and_expenses_back_apart(desk: Desk) -> None:
    """A void of 600.00 of work and 80.00 of expenses: one negative line of each type, with their own texts."""
    march = desk.bill(MARCH).body
    found = void("d-1", "0031", [("d-1", march)], march)
    kind, today = DocumentKind.CREDIT_NOTE, date(2025, 4, 2)
    fees, expenses = records_of(correction_body(desk.contract, desk.directory, march, kind, today, [found]))
    assert (fees[f.LINE_TYPE], fees[f.LINE_ITEM_TOTAL], fees[f.UNITS]) == ("IF", "-600.00", "1.00")
    assert fees[f.LINE_ITEM_DESCRIPTION] == "Credit of 0031: Drawing; Building"
    assert (expenses[f.LINE_TYPE], expenses[f.LINE_ITEM_TOTAL]) == ("IE", "-80.00")
    assert expenses[f.LINE_ITEM_DESCRIPTION] == "Credit of 0031: Court reporter"


def test_a_reduction_is_made_in_the_period_of_its_invoice(desk: Desk) -> None:
    """An hour less of March on April's invoice: the line has a date that the receiver takes, its text the work date."""
    body = april_with(desk, MARCH.replace("2.00    cy ", "1.00    cy "), CorrectionReason.EDIT)
    work, less = records_of(body)
    assert (work[f.LINE_TYPE], work[f.LINE_ITEM_TOTAL]) == ("F", "500.00")
    assert (less[f.LINE_TYPE], less[f.LINE_ITEM_TOTAL], less[f.LINE_ITEM_DATE]) == ("IF", "-100.00", "20250401")
    assert less[f.LINE_ITEM_DESCRIPTION].startswith("Correction to 0031: 2025-03-04, Building")


def test_late_work_has_its_timekeeper_where_its_date_may_stand(desk: Desk) -> None:
    """Half an hour more of March: a fee of its own for a receiver that takes its date, else an adjustment."""
    body = april_with(desk, MARCH.replace("2.00    cy ", "2.50    cy "), CorrectionReason.EDIT)
    more = records_of(body)[-1]
    assert (more[f.LINE_TYPE], more[f.LINE_ITEM_TOTAL], more[f.TIMEKEEPER_ID]) == ("IF", "50.00", "")
    wide = RECEIVER.model_copy(update={"period": PeriodPolicy.LINES})
    late = records_of(body, wide)[-1]
    assert [late[name] for name in (f.LINE_TYPE, f.UNITS, f.UNIT_COST, f.TIMEKEEPER_ID, f.TASK_CODE)] == [
        "F",
        "0.50",
        "100.00",
        "cy",
        "L240",
    ]
    assert (late[f.LINE_ITEM_DATE], late[f.BILLING_START_DATE]) == ("20250304", "20250304")


def test_texts_of_merged_lines_are_said_once_and_never_too_long() -> None:
    """A common beginning and equal texts are written once; beyond the receiver's limit their number is said."""
    short = Receiver(narrative_length_max=60)
    assert merged_text(["Credit of 7: a: b", "Credit of 7: c", "Credit of 7: c"], short) == "Credit of 7: a: b; c"
    assert merged_text(["Discount", "Deposit: half"], short) == "Discount; Deposit: half"
    many = [f"Credit of 7: text number {number}" for number in range(9)]
    assert merged_text(many, short) == "Credit of 7: 9 lines, as the invoice names them"
