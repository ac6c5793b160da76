"""The people of generated firms and what they did: entries near every boundary there is, events, exchange rates."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from zoneinfo import ZoneInfo

from billing.carried import Received
from billing.currency import Rate
from billing.entries import BillingEntry, Hold
from schemas.contract import ContractDocument
from schemas.directory import DirectoryDocument
from schemas.entry import EntryKind
from schemas.inputs import Category
from schemas.period import Period, month_of, week_of
from tests.second.picking import ITEMS, PEOPLE, PROJECTS, TAGS, TASKS, Clauses, day_near

SECONDS = (0, 1, 59, 180, 361, 840, 1800, 1860, 3000, 3600, 5400, 7199, 10800, 14400, 28800, 36000, 90000)


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
    amount = Decimal(random.choice([1, 1, 1, 1, 1, -1]) * random.randint(0, 50_000)) / 100 if is_expense else None
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
        description=random.choice(["work", "work", "work", "Upkeep of the shop"]),
        utbms_task=random.choice(["", "", "", "", "L110"]),
        billed_on="invoice-1" if random.random() < 0.04 else "",
        rank=int(random.random() < 0.05),
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


def payments_of(random: Random, period: Period, contract: ContractDocument) -> tuple[Received, ...]:
    """Money that arrived by a payment, beside what the contract says; some of it for an account it does not have."""
    if contract.money_retainer is None or random.random() < 0.5:
        return ()
    days = [date.fromisoformat(day_near(random, period)) for _ in range(random.randint(1, 2))]
    return tuple(Received(random.choice(["held", "held", "trust"]), day, Decimal(650)) for day in days)


def documents_of(
    random: Random, period: Period, contract: ContractDocument
) -> tuple[dict[date, dict[str, Decimal]], dict[date, date]]:
    """What an approved document of the period before took from held money, and its date; often there is none."""
    last = period.start - timedelta(days=1)
    if random.random() < 0.6 or not contract.covers(last):
        return {}, {}
    before = month_of(last) if contract.close.every == "month" else week_of(last)
    written = {before.start: period.start + timedelta(days=random.randint(0, 5))}
    return ({before.start: {"held": Decimal(75)}} if contract.money_retainer else {}), written


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
