"""Step 9, the price of an hour: role, rate by level, currency (BD-12 to BD-17, BD-46, BD-55, BD-79)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from schemas.clauses import BlendedRate, Cap, CapPool, FxDate, Overflow, Premium
from schemas.dated import DatedRate
from schemas.directory import Person, Project
from schemas.engagement import FixedCover, PrepaidBlock, Retainer, Takes, Tier, WorkScope
from schemas.inputs import Category
from tests.second.case import Case
from tests.second.exact import fraction
from tests.second.stretch import Stretch

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True)
class Price:
    """The price of an hour in the contract's currency; `multiplied` says whether premiums apply to it."""

    rate: Fraction
    multiplied: bool


def person_of(case: Case, person_id: str) -> Person | None:
    """The person in the directory."""
    return next((one for one in case.directory.people if one.id == person_id), None)


def role_on(case: Case, person_id: str, day: date) -> str:
    """The role of a person on a date (BD-15); empty without one."""
    person = person_of(case, person_id)
    return next((row.role for row in (person.roles if person else ()) if row.covers(day)), "")


def blended_of(case: Case, role: str, day: date) -> BlendedRate | None:
    """The blended rate for a role: the one that names it before the one for all (BD-17)."""
    rows = [row for row in case.contract.blended if row.covers(day)]
    named = [row for row in rows if role and role in row.roles]
    return next(iter(named + [row for row in rows if not row.roles]), None)


def candidates(case: Case, one: Stretch) -> list[tuple[DatedRate, str]]:
    """The rates of section 4, most specific first, each with the currency of the document that holds it."""
    entry, contract, firm = one.entry, case.contract, case.directory.firm
    role, item = role_on(case, entry.person_id, one.day), entry.service_item
    person = person_of(case, entry.person_id)
    project: Project | None = next((row for row in case.directory.projects if row.id == entry.project_id), None)
    client = next((row for row in case.directory.clients if row.id == contract.client), None)
    rows = contract.rates
    in_contract: list[DatedRate] = [row for row in rows if row.person and row.person == entry.person_id]
    in_contract += [row for row in rows if role and row.role == role and row.service_item and row.service_item == item]
    in_contract += [row for row in rows if role and row.role == role and not row.service_item]
    in_contract += [row for row in rows if not row.person and not row.role]
    elsewhere: list[DatedRate] = [*(project.rates if project else ()), *(client.rates if client else ())]
    elsewhere += [
        row for row in firm.rates if role and row.role == role and row.service_item and row.service_item == item
    ]
    elsewhere += [row for row in firm.rates if role and row.role == role and not row.service_item]
    elsewhere += list(person.rates if person else ())
    found = [(row, row.currency or contract.currency) for row in in_contract]
    return [
        (row, currency)
        for row, currency in found + [(row, row.currency or firm.currency) for row in elsewhere]
        if row.covers(one.day)
    ]


def exchange(case: Case, currency: str, day: date) -> Fraction | None:
    """What one unit costs in the contract's currency, by the newest rate of the allowed days; two rates are none."""
    if currency == case.contract.currency:
        return Fraction(1)
    for back in range(case.contract.exchange.fallback_days + 1):
        of_day = {
            rate.rate
            for rate in case.rates
            if (rate.base, rate.quote, rate.on) == (currency, case.contract.currency, day - timedelta(days=back))
            and case.contract.exchange.rate_source in ("", rate.source)
        }
        if of_day:
            return fraction(of_day.pop()) if len(of_day) == 1 else None
    return None


def fee_exchange(case: Case, currency: str, one: Stretch) -> Fraction | None:
    """The rate of the day that the contract names for fees (BD-55, BD-79).

    Work of an earlier invoice was converted there; without a document it counts as written at the end of its period.
    """
    period = case.period_of(one.counted)
    at_its_end = case.written.get(period.start, period.end - timedelta(days=1))
    # What an entry has behind the end of the period is looked at by today's rate: its invoice is not written yet.
    written = at_its_end if period.start < case.period.start else case.invoice_date
    terms = case.contract.exchange
    if currency == case.contract.currency:
        return Fraction(1)
    match terms.fx_date:
        case FxDate.INVOICE:
            return exchange(case, currency, written)
        case FxDate.WORK:
            return exchange(case, currency, one.day)
        case FxDate.PERIOD_END:
            return exchange(case, currency, period.end - timedelta(days=1))
        case FxDate.CONTRACT_RATE:
            agreed = [row.rate for row in terms.contract_rates if row.base == currency and row.covers(one.day)]
            return fraction(agreed[0]) if agreed else None


def price_of(case: Case, one: Stretch) -> Price | None:
    """The price of an hour of this time, or None when there is none (BD-16)."""
    blended = blended_of(case, role_on(case, one.entry.person_id, one.day), one.day)
    if blended is not None:
        rate = fee_exchange(case, blended.currency or case.contract.currency, one)
        return None if rate is None else Price(fraction(blended.rate) * rate, bool(blended.premiums_apply))
    found = candidates(case, one)
    if not found:
        return None
    row, currency = found[0]
    rate = fee_exchange(case, currency, one)
    return None if rate is None else Price(fraction(row.rate) * rate, True)


def problem_of(case: Case, one: Stretch, *, priced: bool) -> str:
    """Why the time cannot be priced, or capped, and must be held (invariant 5); empty when it can."""
    contract, entry = case.contract, one.entry
    if person_of(case, entry.person_id) is None:
        return "person_unknown"
    if any(cap.pool is None and cap.covers(one.day) for cap in contract.caps):
        return "contract_incomplete"
    role = role_on(case, entry.person_id, one.day)
    if not priced and not candidates(case, one) and blended_of(case, role, one.day) is None:
        return "rate_missing"
    if not role and needs_role(case, one):
        return "role_missing"
    if entry.start is None and asks_for_time(case, one):
        return "premium_time_missing"
    return ""


def asks_for_time(case: Case, one: Stretch) -> bool:
    """Whether a premium of the date depends on the time of day, and its factor or a weight of it would count."""
    timed = [row for row in case.contract.premiums if row.is_timed and row.covers(one.day)]
    timed = [row for row in timed if meets(premium_lists(row), entry_lists(one)) and chooses(case, row, one.day)]
    scopes: list[Retainer | PrepaidBlock] = [row for row in case.contract.retainers if row.covers(one.day)]
    carries = any(cap.overflow is Overflow.CARRY_FORWARD for cap in case.contract.caps)
    for block in case.contract.prepaid_blocks:
        # Before it is bought only carried work can reach it, and behind its end only its price of what is beyond.
        is_reached = carries if one.day < block.purchased else block.expires is None or one.day <= block.expires
        if is_reached or (one.day >= block.purchased and block.overage_rate is not None):
            scopes.append(block)
    for scope in scopes:
        weighted = {weight.premium for weight in scope.weights}
        if takes(scope, one) and any(row.id in weighted for row in timed):
            return True
    tier = tier_of(case, one)
    if tier is not None and not tier.premiums_apply:
        return False
    blended = blended_of(case, role_on(case, one.entry.person_id, one.day), one.day)
    multiplied = blended is None or bool(blended.premiums_apply)
    return multiplied and bool(timed)


def needs_role(case: Case, one: Stretch) -> bool:
    """Whether a cap or a blended rate of the date asks for the role of this time."""
    asked = any(row.roles and row.covers(one.day) for row in case.contract.blended)
    for cap in (*case.contract.caps, *case.contract.amount_caps):
        in_scope = meets(
            (cap.people, cap.service_items, cap.projects, cap.tasks),
            (one.entry.person_id, one.entry.service_item, one.entry.project_id, one.entry.task),
        )
        looks = cap.window_from is None or cap.window_to is None or cap.window_from <= one.day < cap.window_to
        pooled = isinstance(cap, Cap) and cap.pool is CapPool.ROLE
        asked = asked or (cap.covers(one.day) and looks and in_scope and (bool(cap.roles) or pooled))
    asked = asked or any(row.roles and row.covers(one.day) for row in case.contract.discounts)
    asked = asked or any(block.roles for block in case.contract.prepaid_blocks)
    dated: list[Tier | Retainer | FixedCover] = [*case.contract.tiers, *case.contract.retainers]
    dated += case.contract.fixed_cover
    return asked or any(row.roles and row.covers(one.day) for row in dated)


def chooses(case: Case, premium: Premium, day: date) -> bool:
    """Whether a premium is for a date: for its weekdays, for holidays, for both, or for all days."""
    is_holiday = premium.holidays and day in case.contract.holidays
    return WEEKDAYS[day.weekday()] in premium.weekdays or is_holiday or not (premium.weekdays or premium.holidays)


def premium_lists(premium: Premium) -> tuple[tuple[str, ...], ...]:
    """The lists by which a clause chooses entries."""
    return (premium.tags, premium.service_items, premium.tasks)


def entry_lists(one: Stretch) -> tuple[tuple[str, ...] | str, ...]:
    """What an entry has where such lists look."""
    return (one.entry.tags, one.entry.service_item, one.entry.task)


def meets(wanted: Iterable[tuple[str, ...]], has: Iterable[tuple[str, ...] | str]) -> bool:
    """Whether every stated list names what is there; an empty list means all."""
    for names, own in zip(wanted, has, strict=True):
        if names and not set(names) & set((own,) if isinstance(own, str) else own):
            return False
    return True


def in_work_scope(scope: WorkScope, one: Stretch) -> bool:
    """Whether a clause speaks about this time."""
    entry = one.entry
    return meets(
        (scope.roles, scope.people, scope.service_items, scope.projects, scope.tasks, scope.tags),
        (one.role, entry.person_id, entry.service_item, entry.project_id, entry.task, entry.tags),
    )


def takes(scope: Retainer | PrepaidBlock, one: Stretch) -> bool:
    """Whether a retainer or block pays for this time, if it has hours: what was decided to be its own, or all."""
    decided = one.entry.category is Category.RETAINER
    return in_work_scope(scope, one) and (
        decided or (scope.takes is Takes.ALL and one.entry.category is Category.BILLABLE)
    )


def tier_of(case: Case, one: Stretch) -> Tier | None:
    """The tier that prices this time on its work date."""
    return next((row for row in case.contract.tiers if row.covers(one.day) and in_work_scope(row, one)), None)
