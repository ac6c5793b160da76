"""Generated firms: a contract that combines some clauses, a directory, and entries near every boundary there is.

One seed is one case, for ever the same as long as this file is; a difference names its seed.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from zoneinfo import ZoneInfo

from billing.currency import Rate
from billing.entries import BillingEntry, Hold
from schemas.contract import ContractDocument
from schemas.directory import DirectoryDocument
from schemas.entry import EntryKind
from schemas.inputs import Category
from schemas.period import Period, parse_period
from tests.second.case import Case

Clauses = dict[str, object]

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia")
# Months with clock changes in one of the zones, a leap day, and a year's end whose ISO week is not the calendar's.
MONTHS = ("2025-03", "2025-10", "2025-01", "2024-12", "2024-02", "2025-04", "2025-11", "2027-01")
WEEKS = ("2025-W01", "2025-W13", "2025-W40", "2026-W53", "2025-W10")
SECONDS = (0, 1, 59, 180, 361, 840, 1800, 1860, 3000, 3600, 5400, 7199, 10800, 14400, 28800, 36000, 90000)
PEOPLE = ("ana", "bo", "cy", "kim", "nobody")
ITEMS = ("Development", "Meetings", "")
PROJECTS = ("alpha", "beta", "")
TASKS = ("", "review")
TAGS = ((), (), (), ("bugfix",), ("emergency",), ("bugfix", "emergency"))
OVERFLOWS: tuple[Clauses, ...] = (
    {"overflow": "write_down"},
    {"overflow": "carry_forward"},
    {"overflow": "overage_rate", "overage_rate": "77.77"},
    {"overflow": "hold_for_approval"},
)


def pick_rates(random: Random) -> Clauses:
    """Rates at several levels; some firms have no default, so that somebody has none."""
    split = date(2025, 3, 16)
    rows: list[Clauses] = random.choice(
        [
            [{"rate": "200"}],
            [{"role": "senior", "rate": "99.99"}, {"role": "junior", "rate": "33.337"}],
            [{"role": "senior", "service_item": "Development", "rate": "165"}, {"role": "senior", "rate": "160"}],
            [
                {"rate": "150", "to": str(split)},
                {"rate": "165", "from": str(split)},
                {"person": "ana", "rate": "172.50"},
            ],
            [],
        ]
    )
    return {"rates": rows}


def pick_increments(random: Random) -> Clauses:
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
    return {"increments": [rule]}


def pick_premiums(random: Random) -> Clauses:
    """After hours, weekends, holidays, emergencies."""
    all_of_them: list[Clauses] = [
        {"id": "late", "factor": "1.5", "outside": "09:00-18:00"},
        {"id": "night", "factor": "2", "inside": "01:30-04:00"},
        {"id": "weekend", "factor": "1.25", "weekdays": ["saturday", "sunday"]},
        {"id": "emergency", "factor": "2.0", "tags": ["emergency"]},
        {"id": "cheap", "factor": "0.8", "service_items": ["Meetings"]},
        {"id": "feast", "factor": "3", "holidays": True},
    ]
    chosen = random.sample(all_of_them, random.randint(1, 3))
    return {"premiums": chosen, "premium_stacking": random.choice(["highest", "compound"])}


def pick_caps(random: Random) -> Clauses:
    """One to three hour caps of different widths."""
    caps: list[Clauses] = []
    for window in random.sample(
        ["entry", "task", "day", "week", "month", "dates", "project", "contract"], random.randint(1, 3)
    ):
        hours = {"entry": "2", "task": "10", "day": "7.5", "week": "15.25", "month": "30"}.get(window, "25")
        cap: Clauses = {"id": f"cap-{window}", "window": window, "hours": random.choice([hours, hours, "5"])}
        cap["pool"] = "all" if window == "entry" else random.choice(["person", "role", "all"])
        cap["basis"] = random.choice(["billable", "billable", "worked"])
        overflow = random.choice(OVERFLOWS)
        if overflow["overflow"] == "carry_forward" and window not in ("day", "week", "month"):
            overflow = OVERFLOWS[0]
        if window == "week" and random.random() < 0.3:
            cap["week_cap_at_month_end"] = "prorate_by_workday"
        if window == "dates":
            cap |= {"window_from": "2025-03-05", "window_to": "2025-03-20"}
        if random.random() < 0.3:
            cap |= random.choice([{"roles": ["senior"]}, {"people": ["ana"]}, {"service_items": ["Development"]}])
        caps.append(cap | overflow)
    return {"caps": caps}


def pick_amount_caps(random: Random) -> Clauses:
    """A not-to-exceed of one width or two."""
    caps: list[Clauses] = []
    for window in random.sample(["day", "week", "month", "project", "contract"], random.randint(1, 2)):
        limit = {"day": "333.33", "week": "1000", "month": "2500.01"}.get(window, "3000")
        counts = random.choice(["fees", "fees_and_expenses"])
        cap: Clauses = {
            "id": f"nte-{window}",
            "window": window,
            "amount": limit,
            "counts": counts,
            "includes_tax": False,
        }
        if counts == "fees" and random.random() < 0.3:
            cap["roles"] = ["senior"]
        caps.append(cap)
    return {"amount_caps": caps}


def pick_lines(random: Random) -> Clauses:
    """Grouping, a roll-up, the basis of amounts and ties."""
    group_by = random.choice([[], ["project", "person"], ["entry"], ["date"], ["service_item", "role"], ["task"]])
    rollup = {
        "id": "m",
        "text": "Maintenance",
        "tags": ["bugfix"],
        "rates": random.choice(["preserve", "average", "lump"]),
    }
    found: Clauses = {"lines": {"group_by": group_by, "rollups": [rollup] if random.random() < 0.6 else []}}
    basis = random.choice([{}, {"amount_basis": "displayed", "quantity_decimals": random.choice([0, 2, 4])}])
    found["rounding"] = basis | {"money_rounding": random.choice(["half_up", "half_even"])}
    return found


def pick_expenses(random: Random) -> Clauses:
    """Mark-up for one category or all, and a category that is not paid."""
    markups: list[Clauses] = [{"category": "hotel", "percent": "10"}]
    if random.random() < 0.5:
        markups.append({"percent": "7.5"})
    show = random.choice(["included", "separate"])
    return {"expenses": {"markups": markups, "show_markup": show, "not_billable": random.choice([[], ["meals"]])}}


def pick_taxes(random: Random) -> Clauses:
    """One rate, or several categories."""
    special: list[Clauses] = [
        {"category": "R", "percent": "5", "service_items": ["Meetings"]},
        {"category": "R", "percent": "5", "expense_categories": ["hotel"]},
        {"category": "AE", "percent": "0", "reason": "Reverse charge", "projects": ["beta"]},
    ]
    rules = [
        *random.sample(special, random.randint(0, 2)),
        {"category": "S", "percent": random.choice(["19", "20", "7.25"])},
    ]
    return {"taxes": rules, "tax_rounding": random.choice(["document", "line"])}


def pick_blended(random: Random) -> Clauses:
    """One rate for all roles or for some."""
    row: Clauses = {"rate": "125", "premiums_apply": random.random() < 0.5}
    return {"blended": [row | random.choice([{}, {"roles": ["senior"]}, {"roles": ["senior", "junior"]}])]}


def pick_split(random: Random) -> Clauses:
    """Entries across midnight belong to both days."""
    return {"day_attribution": "split"}


def pick_exchange(random: Random) -> Clauses:
    """An invoice in another currency than the rates."""
    fx_date = random.choice(["invoice", "work", "period_end", "contract_rate"])
    terms: Clauses = {"fx_date": fx_date, "fallback_days": random.choice([0, 3])}
    if fx_date == "contract_rate":
        terms["contract_rates"] = [{"base": "USD", "rate": "0.925"}]
    rates = [{"role": "senior", "rate": "150", "currency": "USD"}, {"rate": "99.95"}]
    return {"exchange": terms, "currency": random.choice(["EUR", "JPY", "KWD"]), "rates": rates}


def pick_discounts(random: Random) -> Clauses:
    """A discount on lines or on the invoice."""
    found: list[Clauses] = []
    for number in range(random.randint(1, 2)):
        row: Clauses = {"id": f"d{number}", "counts": random.choice(["fees", "all_fees", "expenses", "everything"])}
        row |= random.choice([{"percent": "10"}, {"percent": "7.5", "level": "line"}, {"amount": "100"}])
        if row["counts"] == "fees" and random.random() < 0.4:
            row |= random.choice([{"service_items": ["Development"]}, {"people": ["ana"]}, {"roles": ["senior"]}])
        found.append(row)
    return {"discounts": found}


def day_near(random: Random, period: Period) -> str:
    """A date in the period or just beside it."""
    return str(period.start + timedelta(days=random.choice([-5, -1, 0, 3, 10, 27, 30, 31])))


def pick_fees(random: Random, period: Period) -> Clauses:
    """Fixed, recurring and usage fees."""
    recurring: Clauses = {"id": "r", "amount": random.choice(["310.50", "99.99"])}
    recurring |= {"every": random.choice(["week", "month", "quarter", "year"])}
    recurring |= {"billed_at": random.choice(["start", "end"]), "service_item": random.choice(["", "Meetings"])}
    recurring |= random.choice([{}, {"prorate": "calendar_days"}, {"prorate": "workdays"}])
    recurring |= random.choice([{}, {}, {"from": day_near(random, period)}, {"to": day_near(random, period)}])
    usage: Clauses = {"id": "u", "meter": "calls", "included_units": "1000", "package_units": "300", "price": "0.40"}
    usage |= {"partial_package": random.choice(["full", "pro_rata"]), "reset": random.choice(["period", "contract"])}
    fixed: Clauses = {"id": "f", "amount": "1234.50", "on": day_near(random, period), "project": "beta"}
    return {"recurring_fees": [recurring], "usage_fees": [usage], "fixed_fees": [fixed]}


def pick_milestones(random: Random, period: Period) -> Clauses:
    """A plan in parts, with a deposit."""
    kinds: list[list[Clauses]] = [
        [{"percent": "30"}, {"percent": "40"}, {"percent": "30"}],
        [{"share": 1}, {"share": 1}, {"share": 1}],
        [{"amount": "2500.50"}, {"amount": "7000"}, {"amount": "499.50"}],
    ]
    parts: list[Clauses] = []
    for number, part in enumerate(random.choice(kinds)):
        due: Clauses = random.choice([{"due": "acceptance"}, {"due": "date", "on": day_near(random, period)}])
        parts.append({"id": f"m{number}", **part, **due})
    found: Clauses = {"milestones": [{"id": "plan", "total": "10000", "parts": parts}]}
    if random.random() < 0.3:
        deposit = {"id": "dep", "amount": "700", "on": day_near(random, period), "deduct_from": "next_invoices"}
        found["deposits"] = [deposit]
    elif random.random() < 0.5:
        on = str(period.start - timedelta(days=random.choice([0, 0, 70])))
        deposit = {"id": "dep", "plan": "plan", "percent": "4", "on": on, "deduct_from": "milestone"}
        parts[-1].pop("on", None)
        parts[-1] |= {"due": "date", "on": str(period.start + timedelta(days=random.choice([0, 3, 27, 40])))}
        found["deposits"] = [deposit]
    return found


def pick_minimum(random: Random, every: str) -> Clauses:
    """A minimum that is billed at once."""
    counts = random.choice(["fees", "all_fees", "fees_and_expenses", "everything"])
    row: Clauses = {"amount": random.choice(["2000", "4000"]), "every": every, "counts": counts}
    row |= random.choice([{"shortfall": "bill"}, {"shortfall": "carry", "carry_periods": random.choice([1, 2])}])
    return {"minimum": [row | random.choice([{}, {"prorate": "calendar_days"}, {"prorate": "workdays"}])]}


def pick_held_money(random: Random, period: Period) -> Clauses:
    """A money retainer with replenishment, or a prepayment."""
    received = [{"on": day_near(random, period), "amount": random.choice(["500", "5000"])} for _ in range(2)]
    asks: Clauses = random.choice([{}, {"threshold": "2000", "target": "5000"}])
    return {"money_retainer": {"id": "held", "received": received, **asks}}


def pick_tiers(random: Random) -> Clauses:
    """Prices by quantity."""
    bands = [{"up_to": "5", "rate": "150"}, {"up_to": "12.5", "rate": "130"}, {"rate": "110"}]
    tier: Clauses = {"id": "t", "bands": bands, "premiums_apply": random.random() < 0.5}
    tier |= random.choice([{}, {"mode": "volume"}, {"reset": "contract"}])
    tier |= random.choice([{}, {}, {"roles": ["senior"]}, {"service_items": ["Development"]}])
    return {"tiers": [tier]}


def pick_cover(random: Random) -> Clauses:
    """Work that a fixed fee pays for."""
    row: Clauses = {"id": "fix", "projects": ["beta"], "takes": random.choice(["all", "decided"])}
    return {"fixed_cover": [row]}


def pick_retainers(random: Random) -> Clauses:
    """Hours of a retainer, with what becomes of the rest and of the hours beyond."""
    row: Clauses = {"id": "ret", "hours": random.choice(["10", "6.5"]), "fee": "1000"}
    row |= {"takes": random.choice(["all", "all", "decided"]), "every": random.choice(["month", "month", "week"])}
    rollovers: list[Clauses] = [
        {},
        {"rollover": "max_hours", "rollover_hours": "3", "rollover_periods": 1},
        {"rollover": "max_hours", "rollover_hours": "4", "rollover_periods": 3},
        {"rollover": "all", "rollover_periods": 2},
        {"rollover": "all", "rollover_forever": True},
    ]
    row |= random.choice(rollovers)
    row |= random.choice([{}, {"overage_rate": "140"}, {"overage_rate": "140", "allow_deficit": True}])
    row |= random.choice(
        [{}, {}, {"weights": [{"factor": "2", "tags": ["emergency"]}]}, {"projects": ["alpha", "beta"]}]
    )
    return {"retainers": [row], "prorate": random.choice(["none", "calendar_days", "workdays"])}


def pick_blocks(random: Random, period: Period) -> Clauses:
    """One or two prepaid blocks."""
    blocks: list[Clauses] = []
    for number in range(random.randint(1, 2)):
        bought = period.start + timedelta(days=random.randint(-15, 10))
        block: Clauses = {
            "id": f"b{number}",
            "hours": random.choice(["5", "12.25"]),
            "purchased": bought,
            "price": "900",
        }
        block |= random.choice([{}, {"expires": bought + timedelta(days=20)}])
        block |= random.choice([{}, {"sale": "on_invoice"}])
        blocks.append(block)
    return {"prepaid_blocks": blocks, "retainer_order": random.choice(["first_expiring", "newest_first"])}


PICKS: tuple[Callable[[Random], Clauses], ...] = (
    pick_increments,
    pick_premiums,
    pick_caps,
    pick_caps,
    pick_amount_caps,
    pick_lines,
    pick_expenses,
    pick_taxes,
    pick_blended,
    pick_split,
    pick_exchange,
    pick_discounts,
    pick_cover,
    pick_retainers,
)


def rows_of(clauses: Clauses) -> list[Clauses]:
    """The rows of the retainers."""
    rows = clauses["retainers"]
    assert isinstance(rows, list)
    return rows


def contract_clauses(random: Random, period: Period, every: str) -> Clauses:
    """Rates and some more clauses."""
    start = period.start - timedelta(days=random.choice([0, 0, 10, 35, 60]))
    clauses: Clauses = {"id": "c-1", "client": "acme", "currency": "USD", "zone": random.choice(ZONES)}
    clauses |= {"from": start.replace(day=1) if every == "month" else start - timedelta(days=start.weekday())}
    clauses |= {"close": {"every": every}, "holidays": [period.start + timedelta(days=random.randint(0, 20))]}
    clauses |= pick_rates(random)
    for pick in random.sample(PICKS, random.randint(1, 5)):
        clauses |= pick(random)
    for pick_of_period in (pick_fees, pick_milestones, pick_held_money):
        if random.random() < 0.12:
            clauses |= pick_of_period(random, period)
    if random.random() < 0.12:
        clauses |= pick_minimum(random, every)
    if random.random() < 0.12:
        clauses |= pick_blocks(random, period)
    if random.random() < 0.15 and not clauses.get("blended"):
        clauses |= pick_tiers(random)
        clauses.pop("retainers", None)
    if clauses.get("exchange"):
        for name in ("amount_caps", "money_retainer", "discounts"):
            clauses.pop(name, None)
    if clauses.get("currency") in ("JPY", "KWD"):
        for name in ("fixed_fees", "milestones", "deposits"):
            clauses.pop(name, None)
    if random.random() < 0.1:
        clauses["to"] = period.end - timedelta(days=random.choice([0, 0, 3]))
    if clauses.get("retainers") and random.random() < 0.3:
        clauses["retainers"] = [row | {"surplus_at_end": "credit", "credit_rate": "60"} for row in rows_of(clauses)]
    if clauses.get("discounts"):
        clauses["from"] = period.start
    return clauses


def directory_of(random: Random) -> DirectoryDocument:
    """Some people with roles, a promotion, and rates beside the contract's."""
    ana: list[Clauses] = [{"role": "senior"}]
    cy: list[Clauses] = random.choice(
        [[{"role": "junior"}], [{"role": "junior", "to": "2025-03-10"}, {"role": "senior", "from": "2025-03-10"}]]
    )
    people: list[Clauses] = [
        {"id": "ana", "name": "Ana", "roles": ana},
        {"id": "bo", "name": "Bo", "roles": [{"role": "senior"}], "rates": [{"rate": "140"}]},
        {"id": "cy", "name": "Cy", "roles": cy},
        {"id": "kim", "name": "Kim"},
    ]
    card = random.choice([[], [{"role": "senior", "rate": "145"}, {"role": "junior", "rate": "88.50"}]])
    client = {"id": "acme", "name": "Acme", "rates": random.choice([[], [{"rate": "155"}]])}
    projects = [
        {"id": "alpha", "client": "acme", "name": "Alpha", "rates": random.choice([[], [{"rate": "150"}]])},
        {"id": "beta", "client": "acme", "name": "Beta"},
    ]
    firm = {"name": "The Firm", "zone": "UTC", "currency": "USD", "rates": card}
    return DirectoryDocument.model_validate({"firm": firm, "clients": [client], "projects": projects, "people": people})


def moment_of(random: Random, period: Period, zone: ZoneInfo) -> datetime:
    """A start: mostly working hours, often at an edge of the day, the period, or a clock change."""
    day = period.start + timedelta(days=random.randint(-20, (period.end - period.start).days + 2))
    if random.random() < 0.3:
        day = random.choice(
            [period.start, period.end, period.end - timedelta(days=1), period.start - timedelta(days=1)]
        )
    if random.random() < 0.1:
        day = random.choice(
            [date(2025, 3, 30), date(2025, 3, 9), date(2025, 10, 26), date(2025, 4, 6), date(2025, 11, 2)]
        )
    clock = random.choice(
        [time(9), time(8, 59, 59), time(13, 17), time(16, 30), time(22, 30), time(0), time(1, 30), time(2, 45)]
    )
    return datetime.combine(day, clock, tzinfo=zone).astimezone(UTC)


def entry_of(random: Random, number: int, period: Period, zone: ZoneInfo) -> BillingEntry:
    """An entry with everything that can happen to it, seldom."""
    start = moment_of(random, period, zone)
    is_expense, is_dated = random.random() < 0.12, random.random() < 0.2
    kind = EntryKind.EXPENSE if is_expense else EntryKind.TIME
    if random.random() < 0.1:
        kind = random.choice([EntryKind.MILESTONE, EntryKind.USAGE])
        return event_of(random, number, kind, start, zone)
    hours = random.choice(SECONDS) if random.random() < 0.7 else random.randint(0, 30_000)
    amount = Decimal(random.randint(-500, 50_000)) / 100 if is_expense else None
    per_unit = is_expense and random.random() < 0.2
    category = random.choice(
        [Category.BILLABLE] * 16 + [Category.NON_BILLABLE, None, Category.RETAINER, Category.PROJECT]
    )
    confidence = random.choice([None] * 8 + [Decimal("0.5"), Decimal("0.8")])
    return BillingEntry(
        entry_id=f"e{number:02d}",
        content=f"c{number}",
        premise="",
        source=random.choice(["toggl", "harvest"]),
        source_entry_id=f"s{random.randint(10, 99)}-{number:02d}",
        kind=kind,
        person_id=random.choice(PEOPLE[:3]) if random.random() < 0.85 else random.choice(PEOPLE),
        project_id=random.choice(PROJECTS),
        task=random.choice(TASKS),
        service_item=random.choice(ITEMS),
        tags=random.choice(TAGS),
        description="work",
        start=None if is_dated else start,
        end=None,
        work_date=start.astimezone(zone).date() if is_dated else None,
        worked_seconds=0 if is_expense else hours,
        category=category,
        confidence=None if category is None else confidence,
        holds=random.choice([()] * 14 + [(Hold("possible_duplicate"),)]),
        released=random.choice([frozenset[str]()] * 9 + [frozenset({"cap:cap-week", "cap:cap-day"})]),
        written_off="courtesy" if random.random() < 0.04 else "",
        amount=None if per_unit else amount,
        currency=random.choice(["USD", "USD", "EUR", "GBP"]) if is_expense else "",
        quantity=Decimal(186) if per_unit else None,
        unit_price=Decimal("0.30") if per_unit else None,
        expense_category=random.choice(["hotel", "mileage", "meals"]) if is_expense else "",
    )


def event_of(random: Random, number: int, kind: EntryKind, start: datetime, zone: ZoneInfo) -> BillingEntry:
    """A milestone that was accepted, or counted units."""
    is_usage = kind is EntryKind.USAGE
    return BillingEntry(
        entry_id=f"e{number:02d}",
        content=f"c{number}",
        premise="",
        source="meter",
        source_entry_id=f"s{number:02d}",
        kind=kind,
        person_id="",
        project_id=random.choice(PROJECTS),
        task="" if is_usage else random.choice(["m0", "m1", "m2", "M1"]),
        service_item="",
        tags=(),
        description="",
        start=None,
        end=None,
        work_date=start.astimezone(zone).date(),
        worked_seconds=0,
        category=Category.BILLABLE,
        quantity=Decimal(random.choice([100, 999, 1001, 1500])) if is_usage else None,
        expense_category="calls" if is_usage else "",
    )


def exchange_rates(random: Random, period: Period, quote: str) -> tuple[Rate, ...]:
    """A rate for most days, none for some, and a second source that differs on one."""
    found: list[Rate] = []
    for base in ("USD", "GBP", "EUR"):
        for back in range(-25, (period.end - period.start).days + 6):
            day = period.start + timedelta(days=back)
            if random.random() < 0.85:
                found.append(Rate(base, quote, day, Decimal(random.randint(8000, 13000)) / 10_000, "ECB"))
    if found and random.random() < 0.3:
        other = random.choice(found)
        found.append(Rate(other.base, other.quote, other.on, other.rate + 1, "Desk"))
    return tuple(rate for rate in found if rate.base != rate.quote)


def generate(seed: int) -> Case:
    """The case of a seed."""
    random = Random(seed)
    every = "month" if random.random() < 0.8 else "week"
    period = parse_period(random.choice(MONTHS if every == "month" else WEEKS))
    contract = ContractDocument.model_validate(contract_clauses(random, period, every))
    zone = ZoneInfo(contract.zone)
    entries = tuple(entry_of(random, number, period, zone) for number in range(random.randint(0, 24)))
    rates = exchange_rates(random, period, contract.currency)
    invoice_date = period.end + timedelta(days=random.randint(0, 3))
    return Case(contract, directory_of(random), entries, rates, period, invoice_date)
