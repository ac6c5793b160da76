"""Step 8: hours of retainers and prepaid blocks, drawn in work-time order, grant by grant (BD-35 to BD-42, BD-77)."""

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from fractions import Fraction

from schemas.engagement import PrepaidBlock, Prorate, Retainer, RetainerOrder, Rollover, SurplusAtEnd
from schemas.period import Period, month_of, week_of
from tests.second.case import Case
from tests.second.exact import fraction, half_up
from tests.second.fees import Fee, fee_of, weight
from tests.second.premiums import Moment, moments
from tests.second.rates import takes
from tests.second.stretch import Stretch, cut, days_of

FOR_EVER = date.max
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Owner:
    """A retainer with its rows by date, or a block; it lives on the dates `[start, end)`."""

    id: str
    reason: str
    rows: tuple[Retainer, ...]
    block: PrepaidBlock | None
    start: date
    end: date

    def row_on(self, day: date) -> Retainer | PrepaidBlock | None:
        """The terms of a work date."""
        return self.block or next((row for row in self.rows if row.covers(day)), None)


@dataclass
class Lot:
    """Hours that were granted or bought together; `left` in seconds of the balance."""

    owner: Owner
    row: Retainer | PrepaidBlock
    since: date
    until: date
    left: Fraction


@dataclass
class Balances:
    """What is there on a day, and what was drawn; at its end a balance is settled: what is left, and what is owed."""

    case: Case
    owners: list[Owner]
    lots: list[Lot] = field(default_factory=list)
    owed: dict[str, Fraction] = field(default_factory=dict)
    live: list[Stretch] = field(default_factory=list)
    placed: list[tuple[Stretch, str, str]] = field(default_factory=list)
    burnt: dict[str, Fraction] = field(default_factory=dict)
    left_at_end: list[Lot] = field(default_factory=list)
    owed_at_end: dict[str, Fraction] = field(default_factory=dict)

    def pay(self, one: Stretch, owner: Owner, burn: Fraction) -> None:
        """Note time that a balance pays, and what it takes of the balance in this period."""
        self.placed.append((one, "retainer", owner.reason))
        if one.counted in self.case.period:
            self.burnt[owner.id] = self.burnt.get(owner.id, Fraction(0)) + one.billable * burn


def owners_of(case: Case) -> list[Owner]:
    """Retainers by id, then blocks by purchase."""
    contract = case.contract
    found: list[Owner] = []
    for owner_id in sorted({row.id for row in contract.retainers}):
        rows = tuple(
            sorted((row for row in contract.retainers if row.id == owner_id), key=lambda row: row.date_from or date.min)
        )
        start = max(day for day in (rows[0].date_from, contract.date_from) if day is not None)
        end = min(day for day in (rows[-1].date_to, contract.date_to, FOR_EVER) if day is not None)
        found.append(Owner(owner_id, f"retainer:{owner_id}", rows, None, start, end))
    for block in sorted(contract.prepaid_blocks, key=lambda block: (block.purchased, block.id)):
        start = max(block.purchased, contract.date_from or block.purchased)
        found.append(Owner(block.id, f"block:{block.id}", (), block, start, contract.date_to or FOR_EVER))
    return found


def span_of(owner: Owner, day: date) -> Period:
    """The month or week of a retainer."""
    return month_of(day) if owner.rows[0].every == "month" else week_of(day)


@dataclass(frozen=True)
class Granted:
    """A span of a retainer: its first covered day, its terms, and the part of it that they cover."""

    row: Retainer
    span: Period
    day: date
    share: Fraction


def grants_of(case: Case, owner: Owner, end: date) -> list[Granted]:
    """All spans of a retainer whose first covered day is before a date."""
    found: list[Granted] = []
    span = span_of(owner, owner.start)
    while span.start < min(end, owner.end):
        day = max(span.start, owner.start)
        row = next((row for row in owner.rows if row.covers(day)), None)
        if row is not None and day < min(end, owner.end):
            covered = [one for one in days_of(span) if day <= one < owner.end and row.covers(one)]
            found.append(Granted(row, span, day, share_of(case, span, covered)))
        span = span_of(owner, span.end)
    return found


def share_of(case: Case, span: Period, covered: list[date]) -> Fraction:
    """The part of a span that is covered, where the contract prorates (BD-41, BD-76)."""
    prorate, holidays = case.contract.prorate, case.contract.holidays
    if prorate is Prorate.NONE:
        return Fraction(1)
    every = weight(days_of(span), prorate, holidays)
    if not every:
        return Fraction(len(covered), len(days_of(span)))
    return Fraction(weight(covered, prorate, holidays), every)


def retainer_fees(case: Case) -> list[Fee]:
    """The fee of each span that begins in the period, and blocks that are sold on the invoice."""
    found: list[Fee] = []
    for owner in owners_of(case):
        block = owner.block
        if block is None:
            for one in grants_of(case, owner, case.period.end):
                if one.day in case.period:
                    found.append(fee_of(case, "retainer_fee", fraction(one.row.fee) * one.share, one.day))
        elif block.sale == "on_invoice" and owner.start in case.period and block.price is not None:
            found.append(fee_of(case, "retainer_fee", fraction(block.price), owner.start))
    return found


def draw(case: Case, live: list[Stretch]) -> Balances:
    """From one day on which hours come or go to the next: what lapses and is granted, then the work in its order.

    Between two such days the order of work alone counts: parts of an entry keep the place of its start.
    """
    balances = Balances(case, owners_of(case))
    work = sorted(live, key=lambda one: (one.order, one.first))
    if not balances.owners:
        balances.live = work
        return balances
    grants = {owner.id: grants_of(case, owner, case.period.end + DAY) for owner in balances.owners if owner.rows}
    days = turning_days(balances, grants)
    for number, day in enumerate(days):
        until = days[number + 1] if number + 1 < len(days) else FOR_EVER
        morning(balances, grants, day)
        for one in [one for one in work if day <= one.counted < until]:
            draw_one(balances, one)
    return balances


def turning_days(balances: Balances, grants: dict[str, list[Granted]]) -> list[date]:
    """The days on which hours are granted, expire, roll over or are settled, and the ends of the period."""
    days = {date.min, balances.case.period.start, balances.case.period.end}
    for owner in balances.owners:
        days |= {owner.start, owner.end}
        if owner.block is not None and owner.block.expires is not None:
            days.add(owner.block.expires + DAY)
        for one in grants.get(owner.id, []):
            last = last_day(owner, one.row, one.span)
            days |= {one.day, one.span.end} | ({last + DAY} if last < FOR_EVER else set())
    return sorted(day for day in days if day <= balances.case.period.end)


def at_the_end(case: Case, balances: Balances) -> list[Fee]:
    """On the last invoice a deficit is billed and a surplus credited, where the contract says so (BD-42)."""
    found: list[Fee] = []
    for owner in balances.owners:
        if owner.end == FOR_EVER or owner.end - DAY not in case.period:
            continue
        owed = balances.owed_at_end.get(owner.id, Fraction(0))
        if owed:
            rate = fraction(owner.rows[-1].overage_rate or 0)
            found.append(fee_of(case, "retainer_fee", owed * rate / 3600, owner.end - DAY))
        for lot in [lot for lot in balances.left_at_end if lot.owner.id == owner.id]:
            if lot.row.surplus_at_end is SurplusAtEnd.CREDIT:
                amount = -lot.left * hour_price(lot.row) / 3600
                found.append(fee_of(case, "retainer_fee", amount, owner.end - DAY))
    return found


def hour_price(row: Retainer | PrepaidBlock) -> Fraction:
    """What an unused hour is worth at the end."""
    if isinstance(row, PrepaidBlock):
        return fraction(row.price or 0) / fraction(row.hours)
    return fraction(row.credit_rate or 0)


def morning(balances: Balances, grants: dict[str, list[Granted]], day: date) -> None:
    """What expired goes; at the end of a span the rest rolls over; at the end of all it is settled; then new hours."""
    balances.lots = [lot for lot in balances.lots if lot.until >= day]
    for owner in balances.owners if day > date.min else ():
        row = owner.row_on(day - DAY)
        if isinstance(row, Retainer) and span_of(owner, day).start == day:
            roll_over(balances, owner, row)
        if owner.end == day:
            balances.left_at_end += [lot for lot in balances.lots if lot.owner is owner and lot.left]
            balances.lots = [lot for lot in balances.lots if lot.owner is not owner]
            balances.owed_at_end[owner.id] = balances.owed.pop(owner.id, Fraction(0))
    for owner in balances.owners:
        block = owner.block
        if block is not None and owner.start == day < owner.end and (block.expires or FOR_EVER) >= day:
            seconds = fraction(block.hours) * 3600
            balances.lots.append(Lot(owner, block, block.purchased, block.expires or FOR_EVER, seconds))
        for one in grants.get(owner.id, []):
            if one.day == day:
                grant(balances, owner, one)


def grant(balances: Balances, owner: Owner, one: Granted) -> None:
    """The hours of a span; a deficit is paid back first (BD-42)."""
    seconds = Fraction(half_up(fraction(one.row.hours) * 3600 * one.share))
    owed = balances.owed.get(owner.id, Fraction(0))
    paid = min(owed, seconds)
    balances.owed[owner.id] = owed - paid
    balances.lots.append(Lot(owner, one.row, one.day, last_day(owner, one.row, one.span), seconds - paid))


def last_day(owner: Owner, row: Retainer, span: Period) -> date:
    """The last day on which hours of a span may be used, if they roll over."""
    if row.rollover is Rollover.NONE:
        return span.end - DAY
    if row.rollover_until is not None:
        return max(row.rollover_until, span.end - DAY)
    if row.rollover_periods is None:
        return FOR_EVER
    for _ in range(row.rollover_periods):
        span = span_of(owner, span.end)
    return span.end - DAY


def roll_over(balances: Balances, owner: Owner, row: Retainer) -> None:
    """What crosses the end of a span; over the limit, what lives longest is kept, hours rolled before included."""
    if row.rollover_hours is None:
        return
    room = fraction(row.rollover_hours) * 3600
    own = [lot for lot in balances.lots if lot.owner is owner]
    for lot in sorted(own, key=lambda lot: (lot.until, lot.since), reverse=True):
        lot.left = min(lot.left, room)
        room -= lot.left


def burn_of(scope: Retainer | PrepaidBlock, moment: Moment) -> Fraction:
    """How much an hour of this time takes from a balance: the highest weight that meets it (BD-39)."""
    entry = moment.one.entry
    found = [
        fraction(row.factor)
        for row in scope.weights
        if entry.service_item in row.service_items
        or entry.task in row.tasks
        or set(entry.tags) & set(row.tags)
        or row.premium in moment.premiums
    ]
    return max(found, default=Fraction(1))


def draw_one(balances: Balances, one: Stretch) -> None:
    """Draw time from the lots in their order, part by part where premiums change what it takes."""
    if one.over and one.overage is not None:
        balances.live.append(one)  # time above a cap at an overage rate has its price already
        return
    rows = [owner.row_on(one.day) for owner in balances.owners]
    weights = [weight for row in rows if row is not None and takes(row, one) for weight in row.weights]
    named = frozenset(weight.premium for weight in weights if weight.premium)
    pieces = moments(balances.case, one, named) if named else [Moment(one, (), Fraction(1))]
    for moment in pieces:
        draw_moment(balances, moment)


def draw_moment(balances: Balances, moment: Moment) -> None:
    """Draw a stretch from the lots in their order; what is left is owed, has an overage price, or is billed."""
    one = moment.one
    rows = {owner.id: owner.row_on(one.day) for owner in balances.owners}
    mine = {name: row for name, row in rows.items() if row is not None and takes(row, one)}
    lots = [lot for lot in balances.lots if lot.left > 0 and lot.owner.id in mine]
    lots.sort(key=lambda lot: (lot.until, lot.since, lot.owner.id))
    if balances.case.contract.retainer_order is RetainerOrder.NEWEST_FIRST:
        lots.sort(key=lambda lot: lot.since, reverse=True)
    rest: Stretch | None = one
    for lot in lots:
        if rest is None:
            break
        burn = burn_of(mine[lot.owner.id], moment)
        inside, rest = cut(rest, (lot.left / burn).__floor__(), by_worked=False)
        if inside is not None:
            lot.left -= inside.billable * burn
            balances.pay(inside, lot.owner, burn)
    if rest is not None:
        beyond(balances, mine, replace(moment, one=rest))


def beyond(balances: Balances, mine: dict[str, Retainer | PrepaidBlock], moment: Moment) -> None:
    """Time that found no hours."""
    one = moment.one
    for owner in [owner for owner in balances.owners if owner.id in mine]:
        row = mine[owner.id]
        if isinstance(row, Retainer) and row.allow_deficit:
            burn = burn_of(row, moment)
            balances.owed[owner.id] = balances.owed.get(owner.id, Fraction(0)) + one.billable * burn
            balances.pay(one, owner, burn)
            return
    for owner in [owner for owner in balances.owners if owner.id in mine and owner.start <= one.counted]:
        row = mine[owner.id]
        if row.overage_rate is not None:
            price = fraction(row.overage_rate) * burn_of(row, moment)
            balances.live.append(replace(one, over=owner.id, overage=price))
            return
    balances.live.append(one)
