"""Clauses of generated firms that look at hours: rates, increments, premiums, caps, retainers, blocks, tiers."""

from datetime import date, timedelta
from random import Random

from schemas.period import Period
from tests.second.picking import Clauses, away, changed_on, day_within, maybe_changed

OVERFLOWS: tuple[Clauses, ...] = (
    {"overflow": "write_down"},
    {"overflow": "carry_forward"},
    {"overflow": "overage_rate", "overage_rate": "77.77"},
    {"overflow": "hold_for_approval"},
)
LISTS: tuple[Clauses, ...] = ({"roles": ["senior"]}, {"people": ["ana"]}, {"service_items": ["Development"]})


def pick_rates(random: Random, period: Period) -> Clauses:
    """Rates at several levels; some firms have no default, so that somebody has none."""
    split = day_within(random, period)
    rows: list[Clauses] = random.choice(
        [
            [{"rate": "200"}],
            [{"role": "senior", "rate": "99.99"}, {"role": "junior", "rate": "33.337"}],
            [{"role": "senior", "service_item": "Development", "rate": "165"}, {"role": "senior", "rate": "160"}],
            [*changed_on({"rate": "150"}, split, rate="165"), {"person": "ana", "rate": "172.50"}],
            [],
        ]
    )
    return {"rates": rows}


def pick_increments(random: Random, period: Period) -> Clauses:
    """Any increment that the language allows."""
    minutes = random.choice([0, 1, 5, 6, 10, 15, 30, 60])
    mode = random.choice(["up", "up", "nearest", "down"])
    rule: Clauses = {
        "minutes": minutes,
        "mode": mode,
        "scope": random.choice(["entry", "entry", "day", "line", "period"]),
        "minimum_minutes": random.choice([0, 0, 0, 15, 20]),
        "ignore_seconds": random.random() < 0.2,
    }
    if mode == "up" and minutes > 5 and random.random() < 0.3:
        rule["tolerance_minutes"] = 5
    return {"increments": maybe_changed(random, period, rule, ignore_seconds=False, minimum_minutes=10)}


def pick_premiums(random: Random, period: Period) -> Clauses:
    """After hours, weekends, holidays, emergencies."""
    all_of_them: list[Clauses] = [
        {"id": "late", "factor": "1.5", "outside": "09:00-18:00"},
        {"id": "night", "factor": "2", "inside": "01:30-04:00"},
        {"id": "weekend", "factor": "1.25", "weekdays": ["saturday", "sunday"]},
        {"id": "emergency", "factor": "2.0", "tags": ["emergency"]},
        {"id": "cheap", "factor": "0.8", "service_items": ["Meetings"]},
        {"id": "feast", "factor": "3", "holidays": True},
        {"id": "free", "factor": "1.75", "weekdays": ["sunday"], "holidays": True},
        {"id": "evening", "factor": "1.2", "inside": "18:00-24:00", "weekdays": ["monday", "friday"]},
        {"id": "alarm", "factor": "2.5", "outside": "08:00-17:00", "tags": ["emergency"]},
    ]
    rows = [row for one in random.sample(all_of_them, random.randint(1, 3)) for row in _dated(random, period, one)]
    return {"premiums": rows, "premium_stacking": random.choice(["highest", "compound"])}


def _dated(random: Random, period: Period, row: Clauses) -> list[Clauses]:
    return maybe_changed(random, period, row, factor="1.1")


def pick_caps(random: Random, period: Period) -> Clauses:
    """One to three hour caps of different widths; some change their limit, their scope or where the rest goes."""
    caps: list[Clauses] = []
    for window in random.sample(
        ["entry", "task", "day", "week", "month", "dates", "project", "contract"], random.randint(1, 3)
    ):
        hours = {"entry": "2", "task": "10", "day": "7.5", "week": "15.25", "month": "30"}.get(window, "25")
        cap: Clauses = {"id": f"cap-{window}", "window": window, "hours": random.choice([hours, hours, "5"])}
        cap["pool"] = "all" if window == "entry" else random.choice(["person", "role", "all"])
        cap["basis"] = random.choice(["billable", "billable", "worked"])
        if window == "week" and random.random() < 0.3:
            cap["week_cap_at_month_end"] = "prorate_by_workday"
        if window == "dates":
            length = random.choice([5, 15, 40])
            first = day_within(random, period)
            cap |= {"window_from": str(first), "window_to": str(first + timedelta(days=length))}
        if random.random() < 0.3:
            cap |= random.choice(LISTS)
        rows = maybe_changed(random, period, cap, hours=random.choice(["3", "12", "40"]))
        if random.random() < 0.1:
            rows = away(cap, day_within(random, period), random.choice([1, 8]))
        caps += [row | _overflow(random, window) for row in rows]
    return {"caps": caps}


def _overflow(random: Random, window: str) -> Clauses:
    overflow = random.choice(OVERFLOWS)
    if overflow["overflow"] == "carry_forward" and window not in ("day", "week", "month"):
        return OVERFLOWS[0]
    return overflow


def pick_blended(random: Random, period: Period) -> Clauses:
    """One rate for all roles or for some."""
    row: Clauses = {"rate": "125", "premiums_apply": random.random() < 0.5}
    row |= random.choice([{}, {"roles": ["senior"]}, {"roles": ["senior", "junior"]}])
    return {"blended": maybe_changed(random, period, row, rate="131.13")}


def pick_split(_: Random, __: Period) -> Clauses:
    """Entries across midnight belong to both days."""
    return {"day_attribution": "split"}


def pick_tiers(random: Random, period: Period) -> Clauses:
    """Prices by quantity, or packages; the rows of one tier change their prices."""
    bands = [{"up_to": "5", "rate": "150"}, {"up_to": "12.5", "rate": "130"}, {"rate": "110"}]
    others = [{"up_to": "8", "rate": "100"}, {"rate": "99.5"}]
    tier: Clauses = {"id": "t"} | random.choice([{}, {}, *LISTS[::2], {"tags": ["bugfix"]}])
    if random.random() < 0.3:
        tier |= {"mode": "block", "block_hours": random.choice(["4", "10"]), "block_price": "450.05"}
        return {"tiers": [tier | {"premiums_apply": False, "reset": random.choice(["period", "contract"])}]}
    tier |= {"bands": bands, "premiums_apply": random.random() < 0.5}
    tier |= random.choice([{}, {"mode": "volume"}, {"reset": "contract"}])
    return {"tiers": maybe_changed(random, period, tier, bands=others)}


def pick_cover(random: Random, period: Period) -> Clauses:
    """Work that a fixed fee pays for."""
    row: Clauses = {"id": "fix", "projects": ["beta"], "takes": random.choice(["all", "decided"])}
    bounds: list[Clauses] = [{}, {}, {"from": str(day_within(random, period))}, {"to": str(day_within(random, period))}]
    return {"fixed_cover": [row | random.choice(bounds)]}


def pick_retainers(random: Random, period: Period) -> Clauses:
    """Hours of a retainer, with what becomes of the rest and of the hours beyond; some change at a span's beginning."""
    row: Clauses = {"id": "ret", "hours": random.choice(["10", "6.5"]), "fee": "1000"}
    row |= {"takes": random.choice(["all", "all", "decided"]), "every": random.choice(["month", "month", "week"])}
    row |= random.choice(_rollovers(period))
    row |= random.choice([{}, {"overage_rate": "140"}, {"overage_rate": "140", "allow_deficit": True}])
    row |= random.choice([{}, {}, _weights(), {"projects": ["alpha", "beta"]}, {"roles": ["senior"]}])
    rows = [row]
    if random.random() < 0.3:
        is_monthly = row["every"] == "month"
        day = period.start.replace(day=1) if is_monthly else period.start + timedelta(days=-period.start.weekday() % 7)
        other = random.choice(_rollovers(period))
        kept = {name: member for name, member in row.items() if not name.startswith("rollover")}
        if random.random() < 0.3:
            kept.pop("allow_deficit", None)
        rows = [row | {"to": str(day)}, kept | other | {"from": str(day), "hours": "8.25", "fee": "777.77"}]
    return {"retainers": rows, "prorate": random.choice(["none", "calendar_days", "workdays"])}


def _rollovers(period: Period) -> list[Clauses]:
    until = str(period.start + timedelta(days=10))
    return [
        {},
        {"rollover": "max_hours", "rollover_hours": "3", "rollover_periods": 1},
        {"rollover": "max_hours", "rollover_hours": "4", "rollover_periods": 3},
        {"rollover": "all", "rollover_periods": 2},
        {"rollover": "all", "rollover_forever": True},
        {"rollover": "all", "rollover_until": until},
    ]


def _weights() -> Clauses:
    return {"weights": [{"factor": "2", "tags": ["emergency"]}, {"factor": "1.5", "service_items": ["Meetings"]}]}


def with_premium_weights(random: Random, row: Clauses, premiums: list[str]) -> Clauses:
    """A retainer or block of which work under a premium takes more than its time."""
    weight = {"factor": random.choice(["1.5", "2", "0.75"]), "premium": random.choice(premiums)}
    return row | {"weights": [weight, {"factor": "3", "tags": ["bugfix"]}]}


def pick_blocks(random: Random, period: Period) -> Clauses:
    """One or two prepaid blocks, some from before the contract."""
    blocks: list[Clauses] = []
    for number in range(random.randint(1, 2)):
        bought = period.start + timedelta(days=random.randint(-15, 10))
        block: Clauses = {
            "id": f"b{number}",
            "hours": random.choice(["5", "12.25"]),
            "purchased": bought,
            "price": "900",
        }
        block |= random.choice([{}, {"expires": bought + timedelta(days=20)}, {"expires": bought + timedelta(days=2)}])
        block |= random.choice([{}, {"sale": "on_invoice"}])
        block |= random.choice([{}, {}, {"surplus_at_end": "credit"}, {"projects": ["alpha"]}])
        block |= random.choice([{}, {}, {}, {"overage_rate": "140"}, {"takes": "decided"}])
        blocks.append(block)
    return {"prepaid_blocks": blocks, "retainer_order": random.choice(["first_expiring", "newest_first"])}


def start_of(random: Random, period: Period, every: str) -> date:
    """The first day of a contract: mostly the first of a period, now and then within one."""
    start = period.start - timedelta(days=random.choice([0, 0, 10, 35, 60]))
    if random.random() < 0.15:
        return start
    return start.replace(day=1) if every == "month" else start - timedelta(days=start.weekday())
