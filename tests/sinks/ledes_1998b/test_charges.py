"""Documents of billing with fees beside the hours, discounts and payments, as LEDES files that a receiver takes."""

from decimal import Decimal

from billing.testing import open_desk
from schemas.draft import DraftBody
from sinks.ledes_1998b import fields as f
from sinks.ledes_1998b.reader import Record, number_of, read_ledes
from sinks.ledes_1998b.settings import Receiver
from sinks.ledes_1998b.sink import render
from sinks.ledes_1998b.validator import check_ledes
from sinks.testing import example_draft

RECEIVER = Receiver(activity_code_required=False, expense_code_required=False)
WORK = """
    kind     date        worked  person  item    amount  text            expense  quantity  utbms
    time     2025-03-03  4.00    ana     Design  -       Drawing         -        -         L240
    time     2025-03-04  2.00    bo      Build   -       Building        -        -         L240
    expense  2025-03-05  -       -       -       80.00   Court reporter  E115     -         -
    usage    2025-03-31  -       -       -       -       -               calls    137500    -
    usage    2025-03-31  -       -       -       -       -               mails    10        -
"""


def everything(**clauses: object) -> DraftBody:
    """An invoice with one line of each kind that a contract can ask for."""
    base: dict[str, object] = {
        "rates": [{"rate": "100.00"}],
        "lines": {"group_by": ["entry"]},
        "matter": {"id": "M-1", "client_matter_id": "C-1", "name": "Acme v. Byte"},
        "fixed_fees": [{"id": "audit", "name": "Audit", "amount": "900.00", "on": "2025-03-05"}],
        "recurring_fees": [{"id": "care", "name": "Care", "amount": "310.00", "every": "month", "billed_at": "end"}],
        "usage_fees": [
            {"id": "api", "meter": "calls", "included_units": "100000", "package_units": "1000", "price": "0.40"},
            {"id": "mail", "meter": "mails", "included_units": "100", "price": "0.01"},
        ],
        "minimum": [{"amount": "1000.00", "every": "month", "counts": "fees", "shortfall": "bill"}],
        "discounts": [{"id": "d", "name": "Discount", "percent": "10", "counts": "everything"}],
        "money_retainer": {"id": "r", "received": [{"on": "2025-03-01", "amount": "500.00"}]},
        "from": "2025-03-01",
    }
    directory = {
        "firm": {"name": "Firm", "zone": "UTC", "currency": "USD", "tax_id": "12-3456789"},
        "clients": [{"id": "acme", "name": "Acme", "ledes_id": "ACME"}],
    }
    return open_desk(directory=directory, also=base | clauses).bill(WORK).body


def rows(body: DraftBody) -> tuple[Record, ...]:
    """The records of the file; it is one that the validator finds nothing in."""
    content = render(example_draft(body), RECEIVER).content
    assert check_ledes(content, RECEIVER) == ()
    return read_ledes(content, RECEIVER).records


def test_every_kind_of_fee_is_a_line_that_receivers_take() -> None:
    """Fees without time are positive IF lines, a discount is the adjustment of its line, the sum is the net."""
    body = everything()
    records = rows(body)
    shown = [(one[f.LINE_TYPE], one[f.ADJUSTMENT], one[f.LINE_ITEM_TOTAL]) for one in records]
    assert shown == [
        ("F", "-40.00", "360.00"),
        ("F", "-20.00", "180.00"),
        ("IF", "810.00", "810.00"),
        ("IF", "279.00", "279.00"),
        ("IF", "13.68", "13.68"),
        ("IF", "460.00", "460.00"),
        ("E", "-8.00", "72.00"),
    ]
    assert sum((number_of(one[f.LINE_ITEM_TOTAL]) for one in records), Decimal(0)) == body.net
    assert records[0][f.INVOICE_TOTAL] == f"{body.net:f}"


def test_a_discount_shown_apart_is_a_negative_adjustment_line() -> None:
    """It is merged with a deducted deposit, because a receiver may refuse a second negative line of one type."""
    deposit = {"id": "p", "name": "Deposit", "amount": "100.00", "on": "2025-02-01", "deduct_from": "next_invoices"}
    apart = {"id": "d", "name": "Discount", "percent": "10", "counts": "everything", "show": "separate"}
    records = rows(everything(discounts=[apart], deposits=[deposit], **{"from": "2025-02-01"}))
    negative = [one for one in records if one[f.LINE_ITEM_TOTAL].startswith("-")]
    assert [(one[f.LINE_TYPE], one[f.LINE_ITEM_TOTAL], one[f.LINE_ITEM_DESCRIPTION]) for one in negative] == [
        ("IF", "-290.52", "Discount; Deposit of 2025-02-01, deducted")
    ]


def test_payments_and_lines_without_charge_are_noted() -> None:
    """Held money reduces what is due and nothing in the file; a usage fee of 0.00 has no line."""
    body = everything()
    laid = render(example_draft(body), RECEIVER)
    assert [note.code for note in laid.notes] == ["ledes_payment_not_expressed", "ledes_line_left_out"]
    assert body.due == body.gross - 500
