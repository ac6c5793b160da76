"""Laws of every invoice: order independence, conservation of seconds and money, caps that are never exceeded."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.entries import BillingEntry, Hold
from billing.exact import spread_units
from billing.running import contributions
from billing.testing import Billed, Desk, open_desk
from schemas.draft import Bucket, LineKind
from schemas.entry import EntryKind
from schemas.inputs import Category

pytestmark = pytest.mark.proof

MARCH = datetime(2025, 2, 24, tzinfo=UTC)
OVERFLOWS: list[dict[str, object]] = [
    {"overflow": "write_down"},
    {"overflow": "carry_forward"},
    {"overflow": "overage_rate", "overage_rate": "33.33"},
    {"overflow": "hold_for_approval"},
]


@st.composite
def entry_sets(draw: st.DrawFn) -> list[BillingEntry]:
    """Some weeks of work of three people with everything that can happen to an entry."""
    found = []
    for number in range(draw(st.integers(0, 25))):
        seconds = draw(st.sampled_from([0, 1, 59, 361, 600, 3600, 5400, 7199, 36_000, 90_000]))
        start = MARCH + timedelta(minutes=draw(st.integers(0, 40 * 24 * 60)))
        is_dated = draw(st.booleans())
        is_expense = draw(st.integers(0, 9)) == 0
        amount = Decimal(draw(st.integers(-500, 50_000))) / 100 if is_expense else None
        found.append(
            BillingEntry(
                entry_id=f"e{number}",
                content=f"c{number}",
                premise="",
                source=draw(st.sampled_from(["toggl", "harvest"])),
                source_entry_id=f"s{number}",
                kind=EntryKind.EXPENSE if is_expense else EntryKind.TIME,
                person_id=draw(st.sampled_from(["ana", "bo", "cy", "nobody"])),
                project_id=draw(st.sampled_from(["alpha", "beta"])),
                task="",
                service_item=draw(st.sampled_from(["Design", "Build"])),
                tags=draw(st.sampled_from([(), ("bugfix",)])),
                description="work",
                start=None if is_dated else start,
                end=None,
                work_date=start.date() if is_dated else None,
                worked_seconds=0 if is_expense else seconds,
                category=draw(st.sampled_from([Category.BILLABLE] * 6 + [*Category, None])),
                holds=draw(st.sampled_from([()] * 8 + [(Hold("on_hold"),)])),
                released=frozenset({"cap:week"}) if draw(st.integers(0, 9)) == 0 else frozenset(),
                written_off="courtesy" if draw(st.integers(0, 14)) == 0 else "",
                billed_on="doc-1" if draw(st.integers(0, 9)) == 0 else "",
                amount=amount,
                currency="USD",
            )
        )
    return found


TAKES = st.sampled_from(["all", "decided"])
EMERGENCY = [{"factor": "1.75", "tags": ["bugfix"]}]
RETAINER: dict[str, object] = {"id": "care", "hours": "7.5", "fee": "100", "weights": EMERGENCY}
ROLLOVERS: list[dict[str, object]] = [
    {},
    {"every": "week", "rollover": "max_hours", "rollover_hours": "2", "rollover_periods": 2},
    {"rollover": "all", "rollover_until": "2025-03-10", "surplus_at_end": "credit", "credit_rate": "9.99"},
    {"rollover": "all", "rollover_forever": True, "allow_deficit": True, "overage_rate": "50"},
]
BLOCKS = [
    {"id": "A", "hours": "3", "price": "100", "purchased": "2025-02-20", "expires": "2025-03-05"},
    {"id": "B", "hours": "5", "price": "100", "purchased": "2025-03-02", "surplus_at_end": "credit"},
]
PACKAGES: dict[str, object] = {
    "id": "pack", "mode": "block", "block_hours": "4", "block_price": "99.99", "premiums_apply": False,
}  # fmt: skip
BANDS = [{"up_to": "3", "rate": "77.77"}, {"up_to": "9", "rate": "66.66"}, {"rate": "55.55"}]
TIERS: list[dict[str, object]] = [
    {"id": "bands", "bands": BANDS, "premiums_apply": True},
    {"id": "bands", "bands": BANDS, "reset": "contract", "premiums_apply": False, "tags": ["bugfix"]},
    {"id": "bands", "bands": BANDS, "mode": "volume", "premiums_apply": False, "service_items": ["Build"]},
    PACKAGES,
]


@st.composite
def desks(draw: st.DrawFn) -> Desk:
    """A contract with most of what can be combined."""
    week: dict[str, object] = {"id": "week", "window": "week", "hours": draw(st.sampled_from(["5", "20.5"]))}
    week |= {
        "pool": draw(st.sampled_from(["person", "role", "all"])),
        "basis": draw(st.sampled_from(["billable", "worked"])),
        "week_cap_at_month_end": draw(st.sampled_from(["whole_week", "prorate_by_workday"])),
    }
    month: dict[str, object] = {"id": "month", "window": "month", "hours": "30", "pool": "all"}
    nte = {"id": "nte", "window": "contract", "amount": "1234.56", "counts": "fees_and_expenses", "includes_tax": False}
    increment = {
        "minutes": draw(st.sampled_from([0, 6, 15])),
        "mode": draw(st.sampled_from(["up", "nearest", "down"])),
        "scope": draw(st.sampled_from(["entry", "day", "line", "period"])),
    }
    engaged: dict[str, object] = {}
    if draw(st.booleans()):
        engaged["fixed_cover"] = [{"id": "cover", "projects": ["beta"], "takes": draw(TAKES)}]
    if draw(st.booleans()):
        engaged["retainers"] = [RETAINER | draw(st.sampled_from(ROLLOVERS)) | {"takes": draw(TAKES)}]
        engaged["prepaid_blocks"] = draw(st.sampled_from([[], BLOCKS]))
        engaged["retainer_order"] = draw(st.sampled_from(["first_expiring", "newest_first"]))
        engaged["prorate"] = draw(st.sampled_from(["none", "calendar_days", "workdays"]))
    if draw(st.booleans()):
        engaged["tiers"] = [draw(st.sampled_from(TIERS))]
    if nte["counts"] and "tiers" in engaged and engaged["tiers"] == [PACKAGES]:
        nte = {}
    rollup = {"id": "m", "text": "Maintenance", "tags": ["bugfix"]}
    return open_desk(
        zone=draw(st.sampled_from(["UTC", "Europe/Berlin"])),
        rates=[{"role": "senior", "rate": "99.99"}, {"role": "junior", "rate": "33.337"}],
        premiums=draw(st.sampled_from([[], [{"id": "bugs", "factor": "1.5", "tags": ["bugfix"]}]])),
        day_attribution=draw(st.sampled_from(["start", "split"])),
        increments=[increment],
        caps=[week | draw(st.sampled_from(OVERFLOWS)), month | draw(st.sampled_from(OVERFLOWS))],
        amount_caps=draw(st.sampled_from([[], [nte]])) if nte else [],
        lines={
            "group_by": draw(st.sampled_from([[], ["project", "person"], ["entry"], ["date"]])),
            "rollups": [rollup | {"rates": draw(st.sampled_from(["preserve", "average", "lump"]))}],
        },
        rounding=draw(st.sampled_from([{}, {"amount_basis": "displayed", "quantity_decimals": 2}])),
        expenses={"markups": [{"percent": "7.5"}], "show_markup": draw(st.sampled_from(["included", "separate"]))},
        taxes=[{"category": "S", "percent": "19"}],
        also={"from": "2025-02-01", "to": draw(st.sampled_from([None, "2025-04-01", "2025-03-20"]))} | engaged,
    )


@given(desks(), entry_sets(), st.integers())
def test_the_order_of_entries_never_changes_a_byte(desk: Desk, entries: list[BillingEntry], seed: int) -> None:
    """Any order of the same facts gives the same body."""
    shuffled = list(entries)
    Random(seed).shuffle(shuffled)
    assert desk.bill(entries).body.model_dump_json() == desk.bill(shuffled).body.model_dump_json()


@given(desks(), entry_sets())
def test_every_second_and_every_cent_is_somewhere(desk: Desk, entries: list[BillingEntry]) -> None:
    """The ledger adds up to the worked time; lines to the net, charges and sources to their lines."""
    body = desk.bill(entries).body
    assert sum(row.seconds for row in body.buckets) == body.worked_seconds + body.carried_in_seconds
    assert body.net == sum((line.amount for line in body.lines), Decimal(0))
    for line in body.lines:
        assert line.amount == sum((charge.amount for charge in line.charges), Decimal(0))
        # What was agreed beside the hours has no entries that could share it.
        assert not line.sources or line.amount == sum((source.amount for source in line.sources), Decimal(0))
        assert line.seconds == sum(source.worked_seconds + source.delta_seconds for source in line.sources)
        assert line.adjustment <= 0
    worked = sum(source.worked_seconds for line in body.lines for source in line.sources)
    placed = sum(one.seconds for one in body.placements)
    assert worked + placed == body.worked_seconds + body.carried_in_seconds
    assert body.gross == body.net + body.tax


@given(desks(), entry_sets())
def test_consecutive_periods_share_out_all_work(desk: Desk, entries: list[BillingEntry]) -> None:
    """No second is worked in two periods; what one period carries, later ones bill at most once.

    Nothing is approved yet: what stands on a document of a later period would take room that February still had.
    """
    entries = [replace(entry, billed_on="") for entry in entries]
    periods = [desk.bill(entries, period).body for period in ("2025-02", "2025-03", "2025-04")]
    times = [entry for entry in entries if entry.kind is EntryKind.TIME]
    assert sum(body.worked_seconds for body in periods) == sum(entry.worked_seconds for entry in times)
    carried = sum(row.seconds for body in periods for row in body.buckets if row.bucket is Bucket.CARRIED)
    assert sum(body.carried_in_seconds for body in periods) <= carried


@given(desks(), entry_sets())
def test_caps_are_never_exceeded(desk: Desk, entries: list[BillingEntry]) -> None:
    """Without approvals and overage no month is billed above its hours, and no invoice above the not-to-exceed."""
    held = [replace(entry, released=frozenset()) for entry in entries]
    body = desk.bill(held).body
    billed = sum(line.seconds for line in body.lines)
    if all(cap.rows[0].overage_rate is None for cap in desk.contract.caps):
        assert billed <= 30 * 3600
    if desk.contract.money_caps:
        counted = [line for line in body.lines if line.kind in (LineKind.FEE, LineKind.EXPENSE, LineKind.MARKUP)]
        assert sum((line.amount for line in counted), Decimal(0)) <= Decimal("1234.56")


@given(desks(), entry_sets())
def test_running_hours_are_what_single_entries_add(desk: Desk, entries: list[BillingEntry]) -> None:
    """An entry that is not billed adds nothing; the seconds of the others are never negative."""
    for entry in entries:
        shares = contributions(desk.contract, desk.directory, entry)
        assert all(share.seconds >= 0 for share in shares)
        if entry.category in (Category.NON_BILLABLE, Category.UNKNOWN, None) or entry.holds or entry.written_off:
            assert shares == ()


@given(st.integers(-(10**9), 10**9), st.lists(st.integers(0, 10**6), min_size=1, max_size=50))
def test_a_spread_keeps_its_total_and_stays_within_one_unit(total: int, weights: list[int]) -> None:
    """Each share is its exact part rounded down or up by less than one unit."""
    parts = spread_units(total, weights)
    assert sum(parts) == total
    base = sum(weights)
    if base:
        assert all(abs(part * base - total * weight) < base for part, weight in zip(parts, weights, strict=True))


@given(entry_sets(), st.sampled_from(OVERFLOWS))
def test_an_edit_moves_the_split_but_not_the_capped_total(
    entries: list[BillingEntry], overflow: dict[str, object]
) -> None:
    """BD-26: any more work in a full week leaves the billed hours of the week at its cap."""
    cap = {"id": "week", "window": "week", "hours": "1", "pool": "all"} | overflow
    if "overage_rate" in overflow or overflow["overflow"] == "carry_forward":
        return
    desk = open_desk(rates=[{"rate": "100"}], caps=[cap])
    billed: Billed = desk.bill([replace(entry, released=frozenset()) for entry in entries], "2025-W10")
    assert sum(line.seconds for line in billed.body.lines) <= 3600
