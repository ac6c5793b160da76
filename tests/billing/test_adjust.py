"""Adjustments as a pure function: what stands and what today's facts give, line by line (billing-domain group K)."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from billing.adjust import Adjusted, Settled, adjust, void
from billing.adjusted_body import correction_body, with_adjustments
from billing.standing import net_of, standing_of
from billing.testing import Desk, open_desk
from schemas.draft import CorrectionPart, CorrectionReason, DocumentKind, DraftBody, LineKind

HEAD = "entry  person  start             worked\n"
ISSUED = "document-1"
ROLE_WEEK = {"id": "week", "window": "week", "hours": "40", "pool": "all", "overflow": "write_down"}
SENIOR_JUNIOR = [{"role": "senior", "rate": "160"}, {"role": "junior", "rate": "90"}]


def corrected(
    then: Desk,
    before: str,
    after: str,
    now: Desk | None = None,
    part: CorrectionPart = CorrectionPart.DIFFERENCE,
    reasons: Mapping[str, CorrectionReason] | None = None,
) -> Adjusted:
    """The adjustment of an issued March invoice: `before` was billed, `after` is known today."""
    today = now or then
    stood, fresh = then.bill(before).body, today.bill(after).body
    settled = Settled(ISSUED, "INV-0031", [(ISSUED, stood)], fresh, stood, reasons or {}, amended=now is not None)
    return adjust(settled, part)


def seen(adjusted: Adjusted) -> list[tuple[str, str, str]]:
    """Quantity, price and amount of each line."""
    return [(f"{one.quantity:f}", f"{one.unit_price:f}", f"{one.amount:f}") for one in adjusted.lines]


def test_an_edit_after_the_issue_is_corrected_at_the_rate_of_the_work_date() -> None:
    """BD-64: 4.00 h become 3.25 h; the correction is -0.75 h x 150.00 although the rate is 165.00 since April."""
    rates = [{"rate": "150", "to": "2025-04-01"}, {"rate": "165", "from": "2025-04-01"}]
    before, after = (f"{HEAD}a  ana  2025-03-05 09:00  {hours}" for hours in ("4.00", "3.25"))
    edit = {"a": CorrectionReason.EDIT}
    found = corrected(open_desk(rates=rates), before, after, reasons=edit)
    assert seen(found) == [("-0.75", "150", "-112.50")]
    [line] = found.lines
    assert line.text == "Correction to INV-0031: 2025-03-05, Services, Ana (senior) (changed)"
    assert (line.corrects[0].document_id, line.correction_reason) == (ISSUED, CorrectionReason.EDIT)


def test_credit_and_rebill_of_an_edit_has_the_same_net_effect() -> None:
    """BD-64 with `credit_and_rebill`: a credit of -600.00 for the original line and a new line of 487.50."""
    before, after = (f"{HEAD}a  ana  2025-03-05 09:00  {hours}" for hours in ("4.00", "3.25"))
    desk = open_desk(rates=[{"rate": "150"}])
    assert seen(corrected(desk, before, after, part=CorrectionPart.CREDIT)) == [("-4.00", "150", "-600.00")]
    assert seen(corrected(desk, before, after, part=CorrectionPart.REBILL)) == [("3.25", "150", "487.50")]


def test_a_line_that_only_grew_is_not_credited() -> None:
    """Late time on a line that stands is added; crediting the line first would tell the client nothing."""
    before = f"{HEAD}a  ana  2025-03-05 09:00  4.00"
    after = f"{before}\nb  ana  2025-03-06 09:00  1.00"
    desk = open_desk(rates=[{"rate": "150"}])
    assert seen(corrected(desk, before, after, part=CorrectionPart.CREDIT)) == []
    assert seen(corrected(desk, before, after, part=CorrectionPart.REBILL)) == [("1.00", "150", "150.00")]


def test_a_late_entry_gets_what_the_cap_of_its_week_has_left() -> None:
    """BD-67: 38.00 h of 40 h stand; of 5.00 late hours 2.00 h are billed and 3.00 h written down."""
    desk = open_desk(rates=[{"rate": "160"}], caps=[ROLE_WEEK])
    before = f"{HEAD}a  ana  2025-03-03 00:00  38.00"
    found = corrected(desk, before, f"{before}\nb  ana  2025-03-06 09:00  5.00", reasons={"b": CorrectionReason.LATE})
    assert seen(found) == [("2.00", "160", "320.00")]
    assert [(one.reason, one.seconds) for one in found.document.placements] == [("cap:week", 3 * 3600)]


def test_a_late_entry_takes_its_place_in_the_order_of_work() -> None:
    """BD-68, `recompute_delta`: two senior hours of Tuesday push two junior hours of Friday above the cap: +140.00."""
    desk = open_desk(rates=SENIOR_JUNIOR, caps=[ROLE_WEEK])
    before = f"{HEAD}a  ana  2025-03-03 00:00  30.00\nf  cy  2025-03-07 09:00  10.00"
    found = corrected(desk, before, f"{before}\nt  ana  2025-03-04 09:00  2.00", reasons={"t": CorrectionReason.LATE})
    assert seen(found) == [("2.00", "160", "320.00"), ("-2.00", "90", "-180.00")]
    assert [one.correction_reason for one in found.lines] == [CorrectionReason.LATE, CorrectionReason.SHARED]
    assert f"{found.amount:f}" == "140.00"


def test_what_stands_keeps_its_room_when_the_contract_says_so() -> None:
    """BD-68, `remaining_capacity`: a late entry counts after all that stands, and nothing is left: net 0.00."""
    desk = open_desk(rates=SENIOR_JUNIOR, caps=[ROLE_WEEK])
    before = f"{HEAD}a  ana  2025-03-03 00:00  30.00\nf  cy  2025-03-07 09:00  10.00"
    stood = desk.bill(before).body
    *rest, late = desk.entries(f"{before}\nt  ana  2025-03-04 09:00  2.00")

    fresh = desk.bill([*rest, replace(late, rank=1)]).body
    found = adjust(Settled(ISSUED, "", [(ISSUED, stood)], fresh, stood, {}, amended=False), CorrectionPart.DIFFERENCE)
    assert (found.lines, f"{found.amount:f}") == ((), "0.00")


def test_an_amendment_is_one_line_at_the_difference_of_the_rates() -> None:
    """BD-69: 12.00 h stand at 150.00, an amendment says 140.00 from before the work: 12.00 h x -10.00 = -120.00."""
    table = f"{HEAD}a  ana  2025-03-05 09:00  8.00\nb  ana  2025-03-06 09:00  4.00"
    found = corrected(open_desk(rates=[{"rate": "150"}]), table, table, open_desk(rates=[{"rate": "140"}]))
    assert seen(found) == [("12.00", "-10", "-120.00")]
    assert found.lines[0].correction_reason is CorrectionReason.AMENDMENT


def test_a_deletion_takes_the_whole_amount_back() -> None:
    """BD-66: 1.50 h at 180.00 are gone at the source: -270.00."""
    before = f"{HEAD}a  ana  2025-03-05 09:00  1.50\nb  ana  2025-03-06 09:00  1.00"
    after = f"{HEAD}b  ana  2025-03-06 09:00  1.00"
    found = corrected(open_desk(rates=[{"rate": "180"}]), before, after, reasons={"a": CorrectionReason.DELETION})
    assert seen(found) == [("-1.50", "180", "-270.00")]


def test_new_code_alone_adjusts_nothing() -> None:
    """Rule 6: the document says 100 an hour, today's code makes 120 of the pinned facts and of today's: nothing; only
    the line whose inputs changed is corrected, and then to what today's code says.
    """
    old, new = open_desk(rates=[{"rate": "100"}]), open_desk(rates=[{"rate": "120"}])
    table = f"{HEAD}a  ana  2025-03-05 09:00  1.00\nc  cy  2025-03-05 09:00  1.00"
    stood, pinned = old.bill(table).body, new.bill(table).body
    same = Settled(ISSUED, "", [(ISSUED, stood)], pinned, pinned, {}, amended=False)
    assert adjust(same, CorrectionPart.DIFFERENCE).lines == ()
    fresh = new.bill(f"{HEAD}a  ana  2025-03-05 09:00  1.00\nc  cy  2025-03-05 09:00  2.00").body
    edited = Settled(ISSUED, "", [(ISSUED, stood)], fresh, pinned, {"c": CorrectionReason.EDIT}, amended=False)
    assert f"{adjust(edited, CorrectionPart.DIFFERENCE).amount:f}" == "140.00"


def test_money_that_an_amount_cap_moves_is_corrected_without_time() -> None:
    """A late entry under a full amount cap takes money from the latest work, and no second of anybody moves."""
    nte = {"id": "nte", "window": "contract", "amount": "300", "counts": "fees"}
    desk = open_desk(rates=[{"rate": "100"}], amount_caps=[nte])
    before = f"{HEAD}a  ana  2025-03-05 09:00  2.00\nf  cy  2025-03-07 09:00  2.00"
    found = corrected(desk, before, f"{before}\nt  bo  2025-03-06 09:00  1.50")
    assert sum(one.amount for one in found.lines) == 0
    assert [(one.seconds // 60, f"{one.amount:f}") for one in found.lines] == [(90, "100.00"), (0, "-100.00")]


def test_people_have_the_hours_and_amounts_that_corrections_leave() -> None:
    """3.00 h of April less 1.00 h of March are 2.00 h; who is in corrections only is there with what changed, and
    expenses of a person are no work.
    """
    desk = open_desk(rates=[{"rate": "100"}])
    table = "kind  entry  person  date        worked  amount\n"
    rest = "time  c  cy  2025-03-05  1.00  -\nexpense  e  ana  2025-03-06  -  {}\n"
    before = table + rest.format("50.00") + "time  a  ana  2025-03-05  2.00  -"
    after = table + "expense  e  ana  2025-03-06  -  30.00\ntime  a  ana  2025-03-05  1.00  -"
    found = corrected(desk, before, after)
    assert {one.corrected_kind for one in found.lines} == {LineKind.FEE, LineKind.EXPENSE}
    april = desk.bill(f"{HEAD}n  ana  2025-04-05 09:00  3.00", "2025-04").body
    body = with_adjustments(desk.contract, desk.directory, april, [found])
    assert [(one.person_name, one.role, one.seconds // 3600, f"{one.amount:f}") for one in body.timekeepers] == [
        ("Ana", "senior", 2, "200.00"),
        ("Cy", "junior", -1, "-100.00"),
    ]
    same = correction_body(desk.contract, desk.directory, april, DocumentKind.CREDIT_NOTE, april.invoice_date, [found])
    assert sum(one.amount for one in same.timekeepers) == Decimal("-200.00")


def test_taxes_follow_the_corrected_line() -> None:
    """BD-53: the breakdown is made anew of the sums with the adjustments, rounded once."""
    taxes = [{"category": "S", "percent": "19"}]
    desk = open_desk(rates=[{"rate": "100.05"}], taxes=taxes)
    before = f"{HEAD}a  ana  2025-03-05 09:00  2.00"
    found = corrected(desk, before, f"{HEAD}a  ana  2025-03-05 09:00  1.00")
    april = desk.bill(f"{HEAD}n  ana  2025-04-05 09:00  3.00", "2025-04").body
    body = with_adjustments(desk.contract, desk.directory, april, [found])
    assert [(f"{row.base:f}", f"{row.tax:f}") for row in body.taxes] == [("200.10", "38.02")]
    assert (body.gross, body.due) == (Decimal("238.12"), Decimal("238.12"))
    kind = DocumentKind.CREDIT_NOTE
    credit = correction_body(desk.contract, desk.directory, april, kind, april.invoice_date, [found])
    assert (f"{credit.net:f}", f"{credit.tax:f}", credit.worked_seconds) == ("-100.05", "-19.01", 0)


@st.composite
def histories(draw: st.DrawFn) -> list[str]:
    """A table of a month's entries, and how it looks after each of some changes."""
    found = []
    for _ in range(draw(st.integers(2, 5))):
        rows = [HEAD.strip()]
        for name in draw(st.sets(st.sampled_from("abcdefgh"), max_size=8)):
            person = draw(st.sampled_from(["ana", "bo", "cy"]))
            day, hour = draw(st.integers(3, 14)), draw(st.integers(0, 12))
            rows.append(f"{name}  {person}  2025-03-{day:02d} {hour:02d}:00  {draw(st.integers(1, 700))}m")
        found.append("\n".join(rows))
    return found


NTE = {"id": "nte", "window": "month", "amount": "2500", "counts": "fees"}
TEN = {"id": "ten", "percent": "10", "counts": "fees"}
CONTRACTS: Mapping[str, Mapping[str, object]] = {
    "plain": {},
    "capped": {"caps": [{**ROLE_WEEK, "hours": "20"}], "amount_caps": [NTE]},
    "average": {"lines": {"rollups": [{"id": "all", "text": "All", "words": ["x"], "rates": "average"}]}},
    "lump": {"lines": {"rollups": [{"id": "all", "text": "All", "words": ["x"], "rates": "lump"}]}},
    "discount": {"discounts": [{**TEN, "show": "separate"}], "taxes": [{"category": "S", "percent": "19"}]},
    "discounted lines": {"discounts": [TEN], "amount_caps": [NTE]},
    "minimum": {"minimum": [{"amount": "1500.00", "every": "month", "counts": "fees", "shortfall": "bill"}]},
    "retainer": {"retainers": [{"id": "r", "hours": "10", "fee": "900.00", "overage_rate": "140.00"}]},
    "tiers": {"tiers": [{"id": "t", "bands": [{"up_to": "10", "rate": "150"}, {"rate": "130.10"}]}]},
    "volume": {"tiers": [{"id": "t", "mode": "volume", "bands": [{"up_to": "10", "rate": "150"}, {"rate": "99"}]}]},
    "blocks": {"tiers": [{"id": "t", "mode": "block", "block_hours": "5", "block_price": "600.00"}]},
    "displayed": {"rounding": {"amount_basis": "displayed", "quantity_decimals": 2}},
    "increments": {"increments": [{"minutes": 15, "mode": "up", "scope": "day"}]},
}


def billed(desk: Desk, table: str) -> DraftBody:
    """The invoice of a table, which may have no rows."""
    return desk.bill(table if len(table.splitlines()) > 1 else []).body


def entry_seconds(sources: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Worked seconds by entry, without those that are nothing."""
    found: dict[str, int] = {}
    for entry_id, seconds in sources:
        found[entry_id] = found.get(entry_id, 0) + seconds
    return {entry_id: seconds for entry_id, seconds in found.items() if seconds}


@given(histories(), st.sampled_from(sorted(CONTRACTS)))
def test_issued_amount_and_adjustments_are_the_fresh_computation(tables: list[str], kind: str) -> None:
    """Invariant 4, whatever changed in between and whatever the contract says: amounts, the seconds of each entry, and
    that nothing is adjusted twice.
    """
    desk = open_desk(rates=SENIOR_JUNIOR, also=CONTRACTS[kind])
    bodies: list[tuple[str, DraftBody]] = [(ISSUED, billed(desk, tables[0]))]
    pinned = bodies[0][1]
    for number, table in enumerate(tables[1:]):
        fresh = billed(desk, table)
        found = adjust(Settled(ISSUED, "1", bodies, fresh, pinned, {}, amended=False), CorrectionPart.DIFFERENCE)
        body = correction_body(desk.contract, desk.directory, fresh, DocumentKind.INVOICE, fresh.invoice_date, [found])
        bodies.append((f"document-{number + 2}", body))
        pinned = fresh
        assert sum(body.net for _, body in bodies) == net_of(standing_of(ISSUED, bodies)) == fresh.net
        stands = entry_seconds(
            (source.entry_id, source.worked_seconds)
            for _, body in bodies
            for line in body.lines
            for source in line.sources
        )
        today = [(source.entry_id, source.worked_seconds) for line in fresh.lines for source in line.sources]
        assert stands == entry_seconds(today)
        for line in body.lines:
            exact = line.quantity * line.unit_price + line.adjustment
            assert abs(exact - line.amount) <= Decimal("0.01"), line.text
        again = Settled(ISSUED, "1", bodies, fresh, None, {}, amended=False)
        assert adjust(again, CorrectionPart.DIFFERENCE).lines == ()
        assert adjust(again, CorrectionPart.CREDIT).lines == ()


@given(histories(), st.sampled_from(sorted(CONTRACTS)))
def test_credit_and_rebill_have_the_net_effect_of_the_difference(tables: list[str], kind: str) -> None:
    """BD-64: the two ways of correcting differ in what they show, never in what the client owes."""
    desk = open_desk(rates=SENIOR_JUNIOR, also=CONTRACTS[kind])
    stood, fresh = billed(desk, tables[0]), billed(desk, tables[1])
    settled = Settled(ISSUED, "1", [(ISSUED, stood)], fresh, stood, {}, amended=False)
    difference, credit, rebill = (
        adjust(settled, part) for part in (CorrectionPart.DIFFERENCE, CorrectionPart.CREDIT, CorrectionPart.REBILL)
    )
    assert credit.amount + rebill.amount == difference.amount == fresh.net - stood.net
    note = correction_body(desk.contract, desk.directory, fresh, DocumentKind.CREDIT_NOTE, fresh.invoice_date, [credit])
    later = replace(settled, bodies=[(ISSUED, stood), ("note", note)], pinned=None)
    assert adjust(later, CorrectionPart.REBILL).amount == rebill.amount
    back = void(ISSUED, "1", [(ISSUED, stood), ("note", note)], stood)
    assert back.amount == -(stood.net + credit.amount)


def test_a_new_price_of_rounded_time_is_one_line() -> None:
    """BD-69: fifty minutes are an hour before and after, so the correction is 1.00 h x 15.00."""
    rounded = [{"minutes": 15}]
    then, now = (open_desk(rates=[{"rate": rate}], increments=rounded) for rate in ("150", "165"))
    work = f"{HEAD}a  ana  2025-03-05 09:00  0:50"
    assert seen(corrected(then, work, work, now)) == [("1.00", "15", "15.00")]


def test_less_time_at_another_price_is_two_lines() -> None:
    """BD-69: four hours that became three of other work are taken back whole and billed whole."""
    desk = open_desk(rates=[{"rate": "150", "role": "senior", "service_item": "design"}, {"rate": "100"}])
    before, after = (
        f"entry  item  start             worked\na  {item}  2025-03-05 09:00  {worked}"
        for item, worked in (("design", "4.00"), ("build", "3.00"))
    )
    found = corrected(desk, before, after, now=desk)
    assert sorted(seen(found)) == [("-4.00", "150", "-600.00"), ("3.00", "100", "300.00")]
