"""What becomes one correction line: which changes stand together, where moved cents go, and what the line says."""

from collections.abc import Mapping
from decimal import Decimal

import pytest

from billing.adjust import Adjusted, Settled, adjust, nothing
from billing.adjusted_body import correction_body, with_adjustments
from billing.changes import Reasons, changes_of
from billing.standing import Standing, lines_of
from billing.testing import Desk, Row, open_desk, read_table
from schemas.draft import CorrectionPart, CorrectionReason, DocumentKind, DraftBody, DraftLine, LineSource

DIFFERENCE, CREDIT, REBILL = CorrectionPart.DIFFERENCE, CorrectionPart.CREDIT, CorrectionPart.REBILL
PARTS = (DIFFERENCE, CREDIT, REBILL)
EDIT = CorrectionReason.EDIT
BODY = open_desk(rates=[{"rate": "100.00"}]).bill("date  worked\n2025-03-03  1.00").body


def line_of(rows: list[Row], side: str) -> Standing:
    """One line whose entries have worked seconds, rounding and amount as the table says; money of no entry is `own`."""
    (line,) = BODY.lines
    sources: list[LineSource] = []
    total = Decimal("0.00")
    for row in rows:
        if not row[side]:
            continue
        *seconds, amount = row[side].split()
        total += Decimal(amount)
        if row["entry"] != "own":
            worked, delta = (int(one) for one in seconds)
            named = {"entry_id": row["entry"], "worked_seconds": worked, "delta_seconds": delta}
            sources.append(line.sources[0].model_copy(update=named | {"amount": Decimal(amount)}))
    lasts = sum(one.worked_seconds + one.delta_seconds for one in sources)
    changed = {"sources": tuple(sources), "amount": total, "seconds": lasts}
    return lines_of(BODY.model_copy(update={"lines": (line.model_copy(update=changed),)}))


def grouped(table: str, reasons: Mapping[str, CorrectionReason]) -> list[str]:
    """The changes of each correction line: entry, seconds, amount."""
    rows = read_table(table)
    before, after = line_of(rows, "before"), line_of(rows, "after")
    return sorted(
        ", ".join(
            f"{one.source.entry_id if one.source else 'own'} {one.seconds:+} s {one.amount:+f}"
            for one in sorted(changes, key=lambda change: "" if change.source is None else change.source.entry_id)
        )
        for changes in changes_of(before, after, before, Reasons(reasons, amended=False))
    )


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param(
            """
            a      60 0 1.00     120 0 2.00
            b      60 0 1.00     180 0 3.00
            """,
            ["a +60 s +1.00, b +120 s +2.00"],
            id="what others made more is one line",
        ),
        pytest.param(
            """
            a      60 0 1.00     120 0 2.00
            b      180 0 3.00    60 0 1.00
            """,
            ["a +60 s +1.00", "b -120 s -2.00"],
            id="more and less are two",
        ),
        pytest.param(
            """
            a      60 0 1.00     61 0 1.02
            b      180 0 3.00    60 0 1.00
            """,
            ["a +1 s +0.02", "b -120 s -2.00"],
            id="one second more is more",
        ),
        pytest.param(
            """
            a      60 0 1.00     120 0 2.00
            b      60 0 9.00     60 0 4.00
            """,
            ["a +60 s +1.00", "b +0 s -5.00"],
            id="less money is not more time",
        ),
        pytest.param(
            """
            a      120 0 2.00    60 0 1.00
            b      60 0 4.00     60 0 9.00
            """,
            ["a -60 s -1.00", "b +0 s +5.00"],
            id="more money is not less time",
        ),
        pytest.param(
            """
            a      120 0 2.00    60 0 1.00
            b      60 0 4.00     60 0 4.60
            """,
            ["a -60 s -1.00", "b +0 s +0.60"],
            id="sixty cents more are more",
        ),
        pytest.param(
            """
            a      120 0 2.00    60 0 1.00
            b      60 0 4.00     60 0 3.00
            own    5.00          4.00
            """,
            ["own +0 s -1.00, a -60 s -1.00, b +0 s -1.00"],
            id="less time, less money, and less of nobody's money",
        ),
        pytest.param(
            """
            a      60 0 1.00     120 0 2.00
            b      60 30 4.00    90 0 4.00
            """,
            ["a +60 s +1.00", "b +0 s +0.00"],
            id="rounding that became work is not more",
        ),
    ],
)
def test_changes_that_nobody_made_stand_together_by_their_sign(rows: str, expected: list[str]) -> None:
    """What follows from another entry is told for all entries alike: more time on one line, less time on another."""
    assert grouped("entry  before  after\n" + rows, {}) == expected


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param(
            """
            a      60 0 1.00     120 0 2.00
            b      60 0 1.00     60 0 1.01
            """,
            ["a +60 s +1.01"],
            id="a cent goes with the change",
        ),
        pytest.param(
            """
            a      60 0 1.00     120 0 2.00
            b      60 0 1.00     60 0 0.99
            c      60 0 1.00     60 0 0.99
            """,
            ["a +60 s +0.98"],
            id="cents of several entries are added up",
        ),
        pytest.param(
            """
            a      60 0 1.00     120 0 2.00
            b      60 0 1.00     360 0 6.00
            c      60 0 1.00     60 0 1.01
            """,
            ["a +60 s +1.00", "b +300 s +5.01"],
            id="of several changes with the largest",
        ),
        pytest.param(
            """
            a      60 0 1.00     120 0 2.00
            b      60 0 1.00     60 0 1.02
            """,
            ["a +60 s +1.00", "b +0 s +0.02"],
            id="two cents are a change",
        ),
        pytest.param(
            """
            a      60 0 1.00     120 0 2.00
            b      60 30 1.00    90 0 1.00
            """,
            ["a +60 s +1.00", "b +0 s +0.00"],
            id="work in place of rounding is a change",
        ),
        pytest.param(
            """
            a      60 0 1.00     60 0 1.01
            b      60 0 1.00     60 0 1.02
            """,
            ["a +0 s +0.01", "b +0 s +0.02"],
            id="without a change of time nothing takes them",
        ),
        pytest.param(
            """
            a      60 0 1.00     120 0 2.00
            b      60 0 1.00     61 0 1.01
            """,
            ["a +60 s +1.00", "b +1 s +0.01"],
            id="a second that costs a cent is a change",
        ),
    ],
)
def test_a_cent_that_moved_goes_with_the_largest_change_of_its_line(rows: str, expected: list[str]) -> None:
    """Nobody wants to read a correction of one cent; alone it stays, so that the sum is right."""
    found = grouped("entry  before  after\n" + rows, dict.fromkeys("abc", EDIT))
    assert found == expected


def billed_by(desk: Desk, work: str) -> DraftBody:
    """March at this desk."""
    return desk.bill(work).body


def corrected(
    stood: DraftBody,
    fresh: DraftBody,
    part: CorrectionPart = DIFFERENCE,
    pinned: DraftBody | None = None,
    amended: bool = False,
) -> Adjusted:
    """What is said of a March invoice; nobody did anything to an entry."""
    return adjust(Settled("document-1", "7", [("document-1", stood)], fresh, pinned, {}, amended=amended), part)


def shown(lines: tuple[DraftLine, ...]) -> list[str]:
    """What a client reads: text, quantity, unit, price and amount."""
    return [f"{one.text} | {one.quantity:f} {one.unit} x {one.unit_price:f} = {one.amount:f}" for one in lines]


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("rates", [("100", "120"), ("120", "100")])
def test_new_code_corrects_nothing_in_any_form(part: CorrectionPart, rates: tuple[str, str]) -> None:
    """Rule 6: the document says one price, today's code another of the same facts; no form of correction touches it."""
    work = "date  worked\n2025-03-03  1.00"
    stood, today = (billed_by(open_desk(rates=[{"rate": rate}]), work) for rate in rates)
    assert corrected(stood, today, part, pinned=today).lines == ()


def test_what_is_new_is_billed_anew_line_by_line() -> None:
    """In a credit and rebill, a line that was not there is one line, and one that grew gets what is new of it."""
    desk = open_desk(rates=[{"rate": "100.00"}])
    before = "date  worked  person\n2025-03-03  1.00  ana"
    after = f"{before}\n2025-03-04  2.00  ana\n2025-03-05  1.00  bo\n2025-03-06  3.00  bo"
    stood, fresh = billed_by(desk, before), billed_by(desk, after)
    for pinned in (stood, None):
        assert corrected(stood, fresh, CREDIT, pinned).lines == ()
        assert shown(corrected(stood, fresh, REBILL, pinned).lines) == [
            "Billed anew from 7: 2025-03-04, Services, Ana (senior) (follows from another correction)"
            " | 2.00 hour x 100.00 = 200.00",
            "Billed anew from 7: Services, Bo (senior) | 4.00 hour x 100.00 = 400.00",
        ]


@pytest.mark.parametrize(
    ("now", "credit", "rebill"),
    [
        ("50.00", [], []),
        ("60.00", ["Credit of 7: care, 2025-03 | 1 unit x -50.00 = -50.00"], ["1 unit x 60.00 = 60.00"]),
        ("40.00", ["Credit of 7: care, 2025-03 | 1 unit x -50.00 = -50.00"], ["1 unit x 40.00 = 40.00"]),
    ],
)
def test_a_fee_of_no_entry_is_credited_when_it_is_another(now: str, credit: list[str], rebill: list[str]) -> None:
    """More or less, the whole fee is taken back and billed anew; one that is the same stands, whatever is compared."""
    care = {"id": "care", "every": "month", "billed_at": "end"}
    stood, fresh = (
        billed_by(open_desk(recurring_fees=[care | {"amount": one}]), "date  worked") for one in ("50.00", now)
    )
    assert shown(corrected(stood, fresh, CREDIT).lines) == credit
    found = shown(corrected(stood, fresh, REBILL).lines)
    assert found == [f"Billed anew from 7: care, 2025-03 | {one}" for one in rebill]


@pytest.mark.parametrize(
    ("increments", "first", "second", "quantity", "amount"),
    [([], "1.00", "0:00:01", "1.0003", "50.01"), ([{"minutes": 15}], "55m", "1m", "1.25", "62.50")],
)
def test_hours_at_a_new_price_are_shown_once_and_counted_for_nothing(
    increments: list[dict[str, object]], first: str, second: str, quantity: str, amount: str
) -> None:
    """BD-69: an hour and a second of two days at 3600 instead of 3650; no second of anybody is billed or taken back."""
    then, now = (open_desk(rates=[{"rate": rate}]) for rate in ("3600", "3650"))
    work = "date  worked\n2025-03-03  1.00\n2025-03-04  0:00:01"
    found = corrected(billed_by(then, work), billed_by(now, work), amended=True)
    assert shown(found.lines) == ["Correction to 7: Services, Ana (senior) (terms amended) | 1.0003 hour x 50 = 50.01"]
    [line] = found.lines
    [charge] = line.charges
    assert (line.seconds, charge.seconds) == (0, 0)
    assert sum(source.worked_seconds for source in line.sources) == 0


def test_the_steps_of_a_correction_name_each_line_with_its_amount() -> None:
    """What is corrected of which line of which document stands in the explanation of the amount."""
    desk = open_desk(rates=[{"rate": "100.00"}])
    stood = billed_by(desk, "date  worked\n2025-03-03  2.00")
    found = corrected(stood, billed_by(desk, "date  worked\n2025-03-03  1.25"))
    steps = [step for line in found.lines for charge in line.charges for step in charge.steps]
    assert steps == [f"line {stood.lines[0].line_id} of document document-1: -75.00"]


def test_a_correction_says_where_every_second_of_the_month_is_now() -> None:
    """Buckets and entries of the fresh computation stand beside the amount, so that nothing is lost with a credit."""
    desk = open_desk(rates=[{"rate": "100.00"}])
    stood = billed_by(desk, "date  worked  held\n2025-03-03  2.00  -")
    fresh = billed_by(desk, "date  worked  held\n2025-03-03  2.00  on_hold")
    document = corrected(stood, fresh).document
    assert [(one.bucket.value, one.reason, one.seconds) for one in document.buckets] == [("held", "on_hold", 7200)]
    assert document.entries_hash == fresh.entries_hash != ""


def test_a_document_that_corrects_nothing_has_sums_with_all_their_places() -> None:
    """Nothing is 0.00 in every sum, also where no tax row is there to be added up."""
    desk = open_desk()
    empty = billed_by(desk, "date  worked")
    found = nothing(Settled("document-1", "7", [("document-1", empty)], empty, empty, {}, amended=False))
    note = correction_body(desk.contract, desk.directory, empty, DocumentKind.INVOICE, empty.invoice_date, [found])
    assert [str(one) for one in (note.net, note.tax, note.gross, note.due)] == ["0.00"] * 4


def test_people_whose_money_or_time_changed_are_named_in_a_credit_note() -> None:
    """A limit moves 150.00 from Cy to Bo: Bo has hours and money, Cy only less money, and both are there."""
    limit = {"id": "nte", "window": "contract", "amount": "300.00", "counts": "fees"}
    desk = open_desk(rates=[{"rate": "100.00"}], amount_caps=[limit])
    before = "date  worked  person\n2025-03-03  1.00  ana\n2025-03-07  2.00  cy"
    stood, fresh = billed_by(desk, before), billed_by(desk, f"{before}\n2025-03-05  1.50  bo\n2025-03-08  1.00  ana")
    found = corrected(stood, fresh, pinned=stood)
    note = correction_body(desk.contract, desk.directory, fresh, DocumentKind.INVOICE, fresh.invoice_date, [found])
    assert [(one.person_id, one.seconds, f"{one.amount:f}") for one in note.timekeepers] == [
        ("ana", 3600, "0.00"),
        ("bo", 5400, "150.00"),
        ("cy", 0, "-150.00"),
    ]


@pytest.mark.parametrize("taxes", [[], [{"category": "S", "percent": "7", "reason": "reduced"}]])
def test_a_tax_whose_rule_is_gone_has_no_reason(taxes: list[dict[str, object]]) -> None:
    """A credit of March takes back 19 %, although the contract of today has no such rule: its reason is nobody's."""
    then = open_desk(rates=[{"rate": "100.00"}], taxes=[{"category": "S", "percent": "19", "reason": "full"}])
    now = open_desk(rates=[{"rate": "100.00"}], taxes=taxes)
    found = corrected(billed_by(then, "date  worked\n2025-03-03  2.00"), billed_by(then, "date  worked"))
    body = with_adjustments(now.contract, now.directory, billed_by(now, "date  worked"), [found])
    assert [(row.category, f"{row.rate:f}", f"{row.tax:f}", row.reason) for row in body.taxes] == [
        ("S", "19", "-38.00", "")
    ]
