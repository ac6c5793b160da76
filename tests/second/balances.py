"""Step 8: hours of retainers and prepaid blocks, drawn in work-time order, grant by grant (BD-35 to BD-42, BD-77)."""

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from fractions import Fraction

from schemas.engagement import PrepaidBlock, Prorate, Retainer, RetainerOrder, Rollover, SurplusAtEnd, Takes
from schemas.inputs import Category
from schemas.period import Period, month_of, week_of
from tests.second.case import Case
from tests.second.exact import fraction, half_up
from tests.second.fees import Fee, rounded, weight
from tests.second.rates import in_work_scope
from tests.second.stretch import Stretch, cut, days_of

FOR_EVER = date.max


@dataclass
class Lot:
    """Hours that were granted or bought together; `left` in seconds of the balance."""

    owner: str
    scope: Retainer | PrepaidBlock
    since: date
    until: date
    left: Fraction


@dataclass
class Balances:
    """What is there on a day, and what was drawn."""

    case: Case
    lots: list[Lot] = field(default_factory=list)
    owed: dict[str, Fraction] = field(default_factory=dict)
    live: list[Stretch] = field(default_factory=list)
    placed: list[tuple[Stretch, str, str]] = field(default_factory=list)
    burnt: dict[str, Fraction] = field(default_factory=dict)

    def pay(self, one: Stretch, scope: Retainer | PrepaidBlock, owner: str) -> None:
        """Note time that a balance pays, and what it takes of the balance in this period."""
        self.placed.append((one, "retainer", owner))
        if one.counted in self.case.period:
            self.burnt[scope.id] = self.burnt.get(scope.id, Fraction(0)) + one.billable * burn_of(scope, one)


def takes(scope: Retainer | PrepaidBlock, one: Stretch) -> bool:
    """Whether a retainer or block pays for this time, if it has hours: what was decided to be its own, or all."""
    decided = one.entry.category is Category.RETAINER
    return in_work_scope(scope, one) and (
        decided or (scope.takes is Takes.ALL and one.entry.category is Category.BILLABLE)
    )


def span_of(row: Retainer, day: date) -> Period:
    """The month or week of a retainer."""
    return month_of(day) if row.every == "month" else week_of(day)


def covered_days(case: Case, row: Retainer, span: Period) -> list[date]:
    """The days of a span on which the retainer and the contract are valid."""
    return [day for day in days_of(span) if row.covers(day) and case.contract.covers(day)]


def share_of(case: Case, row: Retainer, span: Period) -> Fraction:
    """The part of a span that is covered, where the contract prorates (BD-41, BD-76)."""
    prorate, holidays = case.contract.prorate, case.contract.holidays
    if prorate is Prorate.NONE:
        return Fraction(1)
    every = weight(days_of(span), prorate, holidays)
    return Fraction(weight(covered_days(case, row, span), prorate, holidays), every) if every else Fraction(0)


def spans_until(case: Case, row: Retainer, end: date) -> list[Period]:
    """All spans of a retainer that begin before a date."""
    start = max(day for day in (row.date_from, case.contract.date_from) if day is not None)
    found: list[Period] = []
    span = span_of(row, start)
    while span.start < end:
        if covered_days(case, row, span):
            found.append(span)
        span = span_of(row, span.end)
    return found


def retainer_fees(case: Case) -> list[Fee]:
    """The fee of each span that begins in the period, and blocks that are sold on the invoice."""
    found: list[Fee] = []
    for row in case.contract.retainers:
        for span in spans_until(case, row, case.period.end):
            if covered_days(case, row, span)[0] in case.period:
                found.append(Fee("retainer_fee", rounded(case, fraction(row.fee) * share_of(case, row, span))))
    for block in case.contract.prepaid_blocks:
        sold_on = max(block.purchased, case.contract.date_from or block.purchased)
        if block.sale == "on_invoice" and sold_on in case.period and block.price is not None:
            found.append(Fee("retainer_fee", rounded(case, fraction(block.price))))
    return found


def draw(case: Case, live: list[Stretch]) -> Balances:
    """Every day in turn: what lapses and is granted in the morning, then the day's work in its order."""
    balances = Balances(case)
    work = sorted(live, key=lambda one: (one.order, one.first))
    if not case.contract.retainers and not case.contract.prepaid_blocks:
        balances.live = work
        return balances
    days = sorted({one.counted for one in work} | set(changes(case)))
    for day in days:
        morning(balances, day)
        for one in [one for one in work if one.counted == day]:
            draw_one(balances, one)
    return balances


def end_of(case: Case, row: Retainer) -> date | None:
    """The first day after the retainer, or after the contract."""
    ends = [day for day in (row.date_to, case.contract.date_to) if day is not None]
    return min(ends, default=None)


def at_the_end(case: Case, balances: Balances) -> list[Fee]:
    """On the last invoice a deficit is billed and a surplus credited, where the contract says so (BD-42)."""
    found: list[Fee] = []
    for row in case.contract.retainers:
        end = end_of(case, row)
        if end is None or end - timedelta(days=1) not in case.period:
            continue
        owed = balances.owed.get(row.id, Fraction(0))
        if owed and row.overage_rate is not None:
            found.append(Fee("retainer_fee", rounded(case, owed * fraction(row.overage_rate) / 3600)))
        for lot in [lot for lot in balances.lots if lot.scope.id == row.id]:
            if row.credit_rate is not None and row.surplus_at_end is SurplusAtEnd.CREDIT:
                found.append(Fee("retainer_fee", -rounded(case, lot.left * fraction(row.credit_rate) / 3600)))
    return found


def changes(case: Case) -> list[date]:
    """The days on which hours come or go."""
    found = [block.purchased for block in case.contract.prepaid_blocks]
    for row in case.contract.retainers:
        for span in spans_until(case, row, case.period.end + timedelta(days=2)):
            found += [covered_days(case, row, span)[0], span.end]
    return found


def morning(balances: Balances, day: date) -> None:
    """Unused hours of the spans that ended roll over or lapse; then new ones are granted, less what is owed."""
    case = balances.case
    ends = {row.id: end_of(case, row) or FOR_EVER for row in case.contract.retainers}
    ended = {row_id for row_id, end in ends.items() if end < day}
    balances.lots = [lot for lot in balances.lots if lot.until >= day or lot.scope.id in ended]
    for row in case.contract.retainers:
        end = end_of(case, row)
        if (end is None or end >= day) and any(span.end == day for span in spans_until(case, row, day)):
            roll_over(balances, row)
    for block in case.contract.prepaid_blocks:
        if block.purchased == day:
            until = block.expires or FOR_EVER
            balances.lots.append(Lot(f"block:{block.id}", block, day, until, fraction(block.hours) * 3600))
    for row in case.contract.retainers:
        for span in spans_until(case, row, day + timedelta(days=1)):
            if covered_days(case, row, span)[0] == day:
                grant(balances, row, span, day)


def grant(balances: Balances, row: Retainer, span: Period, day: date) -> None:
    """The hours of a span; a deficit is paid back first (BD-42)."""
    seconds = Fraction(half_up(fraction(row.hours) * 3600 * share_of(balances.case, row, span)))
    owed = balances.owed.get(row.id, Fraction(0))
    paid = min(owed, seconds)
    balances.owed[row.id] = owed - paid
    balances.lots.append(Lot(f"retainer:{row.id}", row, day, last_day(row, span), seconds - paid))


def last_day(row: Retainer, span: Period) -> date:
    """The last day on which hours of a span may be used, if they roll over."""
    if row.rollover is Rollover.NONE:
        return span.end - timedelta(days=1)
    if row.rollover_until is not None:
        return max(row.rollover_until, span.end - timedelta(days=1))
    if row.rollover_periods is None:
        return FOR_EVER
    for _ in range(row.rollover_periods):
        span = span_of(row, span.end)
    return span.end - timedelta(days=1)


def roll_over(balances: Balances, row: Retainer) -> None:
    """What crosses the end of a span; over the limit, what lives longest is kept, hours rolled before included."""
    room = fraction(row.rollover_hours) * 3600 if row.rollover_hours is not None else None
    own = [lot for lot in balances.lots if lot.scope.id == row.id]
    for lot in sorted(own, key=lambda lot: (lot.until, lot.since), reverse=True):
        if room is not None:
            lot.left = min(lot.left, room)
            room -= lot.left
    balances.lots = [lot for lot in balances.lots if lot.left > 0]


def burn_of(scope: Retainer | PrepaidBlock, one: Stretch) -> Fraction:
    """How much an hour of this time takes from a balance: the highest weight that meets it (BD-39)."""
    entry = one.entry
    found = [
        fraction(row.factor)
        for row in scope.weights
        if entry.service_item in row.service_items or entry.task in row.tasks or set(entry.tags) & set(row.tags)
    ]
    return max(found, default=Fraction(1))


def draw_one(balances: Balances, one: Stretch) -> None:
    """Draw a stretch from the lots in their order; what is left is owed, has an overage price, or is billed."""
    newest = balances.case.contract.retainer_order is RetainerOrder.NEWEST_FIRST
    lots = [lot for lot in balances.lots if lot.left > 0 and takes(lot.scope, one)]
    if one.over and one.overage is not None:
        lots = []  # time above a cap at an overage rate has its price already
    for lot_key in (lambda lot: lot.owner, lambda lot: lot.since, lambda lot: lot.until):
        lots.sort(key=lot_key)
    if newest:
        lots.sort(key=lambda lot: lot.since, reverse=True)
    rest: Stretch | None = one
    for lot in lots:
        if rest is None:
            break
        burn = burn_of(lot.scope, rest)
        inside, rest = cut(rest, (lot.left / burn).__floor__(), by_worked=False)
        if inside is not None:
            lot.left -= inside.billable * burn
            balances.pay(inside, lot.scope, lot.owner)
    if rest is not None:
        beyond(balances, rest)


def beyond(balances: Balances, one: Stretch) -> None:
    """Time that found no hours."""
    contract = balances.case.contract
    if one.overage is not None:
        balances.live.append(one)
        return
    for row in contract.retainers:
        if row.allow_deficit and takes(row, one) and row.covers(one.counted):
            balances.owed[row.id] = balances.owed.get(row.id, Fraction(0)) + one.billable * burn_of(row, one)
            balances.pay(one, row, f"retainer:{row.id}")
            return
    scopes: list[Retainer | PrepaidBlock] = [row for row in contract.retainers if row.covers(one.counted)]
    scopes += [block for block in contract.prepaid_blocks if block.purchased <= one.counted]
    for scope in scopes:
        if scope.overage_rate is not None and takes(scope, one):
            price = fraction(scope.overage_rate) * burn_of(scope, one)
            balances.live.append(replace(one, over=scope.id, overage=price))
            return
    balances.live.append(one)
