"""Step 8: retainers and prepaid blocks. Who draws from which hours, what lapses, rolls over and is owed.

Balances are recomputed from the beginning of what they depend on, never from a stored total (BD-35..42). The days are
gone through in order: on each day at which something begins or ends, hours expire first, then new ones are granted,
and then the work up to the next such day draws in work-time order.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Final, NamedTuple

from billing.agreed import AgreedPart
from billing.balances import Account
from billing.contract import Contract
from billing.cover import draws_of
from billing.engagements import BURN_UNITS, Engaged, Engagement, credit_rate, weight_units
from billing.exact import product
from billing.portions import Placed, Portion, SetPrice, cut, placed_as, portion_order
from billing.premiums import cut_by_premiums
from billing.results import Note
from billing.retainer_charges import Grant, charges_of, grants_of, notes_of_balances
from billing.terms import Terms
from schemas.clauses import Premium
from schemas.draft import Bucket
from schemas.engagement import PrepaidBlock, Retainer, RetainerOrder, Rollover
from schemas.inputs import Category
from schemas.period import Period


@dataclass(eq=False)
class Lot:
    """Hours of one grant: what is left of them, and the last day on which they can be used. In balance units.

    `since` says how old they are; they can be used from `granted_on`, which is later for a block that was bought before
    its contract began.
    """

    engagement: Engagement
    row: Retainer | PrepaidBlock
    since: date
    granted_on: date
    last_day: date
    left: int

    @cached_property
    def text(self) -> str:
        """What every placement that it pays for says first."""
        return f"of {self.since}:"

    @cached_property
    def reason(self) -> str:
        """The reason of every placement that it pays for."""
        return self.engagement.reason


class Drawn(NamedTuple):
    """What is still to be billed, what the balances pay for, the accounts of the period, what they cost, findings."""

    live: list[Portion]
    placed: list[Placed]
    accounts: tuple[Account, ...]
    charges: list[AgreedPart]
    notes: list[Note]


@dataclass(frozen=True, slots=True, eq=False)
class _Draws:
    """The engagements of one kind of work: by id, and which of them counts for the hours that find no balance.

    With `is_plain` such hours are billed like other work, and each burns one hour. With `weighs` some work burns more
    or less than its hours.
    """

    by_id: Mapping[str, Engaged]
    first: Engaged
    deficit: Engaged | None
    priced: tuple[Engaged, ...]
    is_plain: bool
    weighs: bool


@dataclass(slots=True, eq=False)
class Balances:
    """The balances on their way through the days; `lots` stand in the order in which they are used.

    `to_turn` are the turning days that are still to come, `weighing` the premiums that a weight names.
    """

    contract: Contract
    period: Period
    accounts: dict[str, Account]
    grants: Sequence[Grant]
    to_turn: list[date]
    weighing: Sequence[Premium]
    lots: list[Lot] = field(default_factory=list)
    deficits: dict[str, int] = field(default_factory=dict)
    live: list[Portion] = field(default_factory=list)
    placed: list[Placed] = field(default_factory=list)
    draws: dict[tuple[Engaged, ...], _Draws] = field(default_factory=dict)
    prices: dict[tuple[Engaged, int], SetPrice] = field(default_factory=dict)

    def copied(self) -> "Balances":
        """The same state once more: going on with one of them leaves the other where it is."""
        accounts = {name: replace(account, credits=list(account.credits)) for name, account in self.accounts.items()}
        lots, to_turn = [replace(lot) for lot in self.lots], list(self.to_turn)
        return replace(self, accounts=accounts, lots=lots, to_turn=to_turn, deficits=dict(self.deficits))

    def after_the_same(self, before: "Balances", after: "Balances") -> "Balances | None":
        """These balances after work that made `after` of `before`; None where it may draw otherwise now.

        It draws the same where there is the same to draw from, and nothing begins or ends on the way.
        """
        if before.to_turn != after.to_turn or self.to_turn != before.to_turn or self.deficits != before.deficits:
            return None
        if [(id(lot.row), lot.since, lot.left) for lot in self.lots] != [
            (id(lot.row), lot.since, lot.left) for lot in before.lots
        ]:
            return None
        found = after.copied()
        found.accounts = {
            name: account.after_the_same(before.accounts[name], after.accounts[name])
            for name, account in self.accounts.items()
        }
        return found


def draw(contract: Contract, live: list[Portion], period: Period, since: date) -> Drawn:
    """Let retainers and blocks pay for portions in work order, from `since` up to the end of the period."""
    if not contract.engagements:
        return Drawn(live, [], (), [], [])
    book = begin_draw(contract, period, since)
    days = list(book.to_turn)
    kept: list[Portion] = []
    placed: list[Placed] = []
    for day, work in zip((date.min, *days), _work_by_span(days, live), strict=True):
        still, paid = draw_on(book, day, work)
        kept += still
        placed += paid
    if not _in_order(kept):
        kept.sort(key=portion_order)
    return end_draw(book, kept, placed)


def begin_draw(contract: Contract, period: Period, since: date) -> Balances:
    """The balances before any day was turned."""
    grants = grants_of(contract, since, period.end)
    accounts = {one.id: Account(one) for one in contract.engagements}
    return Balances(contract, period, accounts, grants, _turning_days(contract, grants, period), _weighing(contract))


def draw_on(book: Balances, day: date, work: Sequence[Portion]) -> tuple[list[Portion], list[Placed]]:
    """Turn all days up to a date, then let the work behind it draw: what is still to be billed, and what was paid."""
    while book.to_turn and book.to_turn[0] <= day:
        _turn(book, book.to_turn.pop(0))
    book.live, book.placed = [], []
    _draw_all(book, work)
    kept = sum([one.worked_seconds for one in book.live]) + sum([one.worked_seconds for one in book.placed])
    assert kept == sum([one.worked_seconds for one in work]), "a draw keeps the seconds"
    return book.live, book.placed


def end_draw(book: Balances, live: list[Portion], placed: list[Placed]) -> Drawn:
    """Turn the days that are left, and close the accounts; `live` and `placed` are what all days came to."""
    draw_on(book, date.max, ())
    for account in book.accounts.values():
        account.assert_balanced()
    accounts = tuple(account for account in book.accounts.values() if account.is_touched)
    charges = charges_of(book.contract, book.grants, accounts, book.period)
    return Drawn(live, placed, accounts, charges, notes_of_balances(accounts))


def _in_order(live: Sequence[Portion]) -> bool:
    """Whether portions stand in work order; they do, unless what is billed already or was split crosses a day."""
    orders = [one.order for one in live]
    return orders == sorted(orders)


def _turning_days(contract: Contract, grants: Sequence[Grant], period: Period) -> list[date]:
    """The days at which hours begin, expire or are trimmed, or an engagement ends; the period's own ends among them."""
    days = {period.start, period.end}
    for grant in grants:
        days.add(grant.day)
        if grant.span is not None:
            days.add(grant.span.end)
        if grant.last_day != date.max:
            days.add(grant.last_day + timedelta(days=1))
    days |= {one.end for one in contract.engagements if one.end is not None}
    return sorted(day for day in days if day <= period.end)


def _work_by_span(days: Sequence[date], live: Sequence[Portion]) -> list[list[Portion]]:
    """The portions before the first of the days, and from each of them up to the next; in each part in work order."""
    found: list[list[Portion]] = [[] for _ in range(len(days) + 1)]
    spans: dict[date, list[Portion]] = {}
    for portion in live:
        span = spans.get(portion.counted_day)
        if span is None:
            span = spans[portion.counted_day] = found[bisect_right(days, portion.counted_day)]
        span.append(portion)
    return found


def _turn(book: Balances, day: date) -> None:
    """What happens on a turning day before its work: ends first, then what begins."""
    for lot in book.lots:
        if lot.last_day < day:
            _lapse(book, lot, lot.left, day)
    for engagement in book.contract.engagements:
        row = engagement.row_on(day - timedelta(days=1))
        if isinstance(row, Retainer) and row.rollover is Rollover.MAX_HOURS and engagement.period_of(day).start == day:
            _trim(book, engagement, row, day)
        if engagement.end == day:
            _settle_end(book, engagement, day)
    book.lots = [lot for lot in book.lots if lot.left]
    if day in (book.period.start, book.period.end):
        _take_stock(book, day)
    for grant in book.grants:
        if grant.day == day:
            _grant(book, grant)


def _lapse(book: Balances, lot: Lot, units: int, day: date) -> None:
    if book.period.start < day:
        book.accounts[lot.engagement.id].lapsed += units
    lot.left -= units


def _trim(book: Balances, engagement: Engagement, row: Retainer, day: date) -> None:
    """At most so many hours cross the end of a period, rolled ones among them; what lives longest is kept."""
    assert row.rollover_hours is not None, "validated with the contract"
    room = int(row.rollover_hours * 3600) * BURN_UNITS
    mine = [lot for lot in book.lots if lot.engagement is engagement]
    for lot in sorted(mine, key=lambda lot: (lot.last_day, lot.since), reverse=True):
        kept = min(lot.left, room)
        room -= kept
        _lapse(book, lot, lot.left - kept, day)


def _settle_end(book: Balances, engagement: Engagement, day: date) -> None:
    """At the end of an engagement what is left lapses or is credited, and what is owed is billed."""
    account = book.accounts[engagement.id]
    is_reported = book.period.start < day
    for lot in book.lots:
        if lot.engagement is not engagement or not lot.left:
            continue
        if credit_rate(lot.row) is None:
            _lapse(book, lot, lot.left, day)
            continue
        if is_reported:
            account.credited += lot.left
            account.credits.append((lot.row, lot.left))
        lot.left = 0
    owed = book.deficits.pop(engagement.id, 0)
    if is_reported:
        account.owed_at_end = owed


def _take_stock(book: Balances, day: date) -> None:
    """The balances at the beginning or the end of the period."""
    is_start = day == book.period.start
    for lot in book.lots:
        account = book.accounts[lot.engagement.id]
        if is_start:
            account.rolled_in += lot.left
        else:
            account.rolled_out += lot.left
    for account in book.accounts.values():
        owed = book.deficits.get(account.engagement.id, 0)
        if is_start:
            account.deficit_in = owed
        else:
            account.deficit_out = owed + account.owed_at_end


def _grant(book: Balances, grant: Grant) -> None:
    """New hours; a deficit is made up for first, and what is left of the grant can be used (BD-42).

    A block that expired before the contract began is there and gone on its first day.
    """
    owed = book.deficits.get(grant.engagement.id, 0)
    repaid = min(owed, grant.units)
    book.deficits[grant.engagement.id] = owed - repaid
    if grant.day in book.period:
        book.accounts[grant.engagement.id].granted += grant.units
    if grant.last_day < grant.day:
        if grant.day in book.period:
            book.accounts[grant.engagement.id].lapsed += grant.units
    elif grant.units > repaid:
        left = grant.units - repaid
        book.lots.append(Lot(grant.engagement, grant.row, grant.since, grant.day, grant.last_day, left))
        if book.contract.document.retainer_order is RetainerOrder.NEWEST_FIRST:
            book.lots.sort(key=lambda lot: (-lot.since.toordinal(), lot.last_day, lot.engagement.id))
        else:
            book.lots.sort(key=lambda lot: (lot.last_day, lot.since, lot.engagement.id))


def _weighing(contract: Contract) -> Sequence[Premium]:
    """The premiums in whose hours work burns more or less."""
    named = {
        weight.premium
        for engagement in contract.engagements
        for row in (*engagement.retainer, engagement.block)
        if row is not None
        for weight in row.weights
        if weight.premium
    }
    return [one for one in contract.document.premiums if one.id in named]


def _draw_all(book: Balances, work: Sequence[Portion]) -> None:
    """Let the work of a span draw. An hour that a cap priced has its price, so it draws from nothing."""
    weighing, live = book.weighing, book.live
    # Of terms under which all billable work draws.
    whole: dict[Terms, _Draws] = {}
    start, end = book.period.start, book.period.end
    for portion in work:
        _, entry, terms, _, counted_day, _, worked_seconds, delta_seconds, price = portion
        if price is not None or not terms.engaged:
            live.append(portion)
            continue
        which = whole.get(terms)
        if which is None or entry.category is not _BILLABLE:
            draws = draws_of(terms, entry)
            if not draws:
                live.append(portion)
                continue
            which = book.draws.get(draws)
            if which is None:
                which = book.draws[draws] = _draws(draws)
            if terms.engaged_whole and entry.category is _BILLABLE:
                whole[terms] = which
        is_in_period = start <= counted_day < end
        if weighing:
            for part, met in cut_by_premiums(book.contract, portion, _fitting(weighing, portion)):
                _draw(book, part, which, frozenset(one.id for one in met), is_in_period=is_in_period)
        elif book.lots or not which.is_plain:
            _draw(book, portion, which, _NO_PREMIUM, is_in_period=is_in_period)
        else:
            if is_in_period:
                book.accounts[which.first.engagement.id].beyond += (worked_seconds + delta_seconds) * BURN_UNITS
            live.append(portion)


def _fitting(premiums: Sequence[Premium], portion: Portion) -> list[Premium]:
    """The premiums that may meet the work of a portion; its times and tags are looked at where it is cut."""
    entry = portion.entry
    return [
        one
        for one in premiums
        if one.covers(portion.day)
        and (not one.service_items or entry.service_item in one.service_items)
        and (not one.tasks or entry.task in one.tasks)
    ]


_NO_PREMIUM: frozenset[str] = frozenset()
# What every draw needs; members of an enum are looked up slowly.
_BILLABLE: Final = Category.BILLABLE
_RETAINER: Final = Bucket.RETAINER


def _draws(draws: tuple[Engaged, ...]) -> _Draws:
    deficit = next((one for one in draws if isinstance(one.row, Retainer) and one.row.allow_deficit), None)
    priced = tuple([one for one in draws if one.row.overage_rate is not None])
    is_plain = deficit is None and not priced and not draws[0].row.weights
    weighs = any(one.row.weights for one in draws)
    return _Draws({one.engagement.id: one for one in draws}, draws[0], deficit, priced, is_plain, weighs)


def _draw(book: Balances, portion: Portion, draws: _Draws, premiums: frozenset[str], *, is_in_period: bool) -> None:
    """Draw from the lots in their order, then in deficit; what is left is billed (BD-36, BD-39)."""
    is_emptied = False
    for lot in book.lots:
        one = draws.by_id.get(lot.engagement.id)
        if one is None or lot.left == 0:
            continue
        weight = _weight(one, portion, premiums) if draws.weighs else BURN_UNITS
        inside, portion_left = _inside(portion, lot.left // weight)
        if inside is None:
            continue
        units = (inside.worked_seconds + inside.delta_seconds) * weight
        _pay(book, inside, lot, units, is_in_period=is_in_period)
        is_emptied = is_emptied or lot.left == 0
        if portion_left is None:
            break
        portion = portion_left
    else:
        _beyond(book, portion, draws, premiums, is_in_period=is_in_period)
    if is_emptied:
        book.lots = [lot for lot in book.lots if lot.left]


def _weight(one: Engaged, portion: Portion, premiums: frozenset[str]) -> int:
    if not one.row.weights:
        return BURN_UNITS
    entry = portion.entry
    return weight_units(one.row.weights, entry.service_item, entry.task, entry.tags, premiums)


def _inside(portion: Portion, room_seconds: int) -> tuple[Portion | None, Portion | None]:
    """What of a portion fits, and what does not; worked seconds fit first, the rounding delta last (BD-34)."""
    size = portion.worked_seconds + portion.delta_seconds
    if size <= room_seconds:
        return portion, None
    if room_seconds == 0:
        return None, portion
    worked = min(room_seconds, portion.worked_seconds)
    return cut(portion, worked, room_seconds - worked)


def _pay(book: Balances, inside: Portion, lot: Lot, units: int, *, is_in_period: bool) -> None:
    before = lot.left
    after = lot.left = before - units
    assert after >= 0, f"{lot.engagement.id} pays for more than it has"
    if before % BURN_UNITS or after % BURN_UNITS:
        detail = f"{lot.text} {_seconds(before)} -> {_seconds(after)}"
    else:
        detail = f"{lot.text} {before // BURN_UNITS} s -> {after // BURN_UNITS} s"
    book.placed.append(placed_as(inside, _RETAINER, lot.reason, detail))
    account = book.accounts[lot.engagement.id]
    if not is_in_period:
        account.used_before += units
    elif lot.granted_on < book.period.start:
        account.used_rolled_in += units
    else:
        account.used_granted += units


def _seconds(units: int) -> str:
    return f"{units // BURN_UNITS} s" if units % BURN_UNITS == 0 else f"{Decimal(units) / BURN_UNITS:f} s"


def _beyond(book: Balances, portion: Portion, draws: _Draws, premiums: frozenset[str], *, is_in_period: bool) -> None:
    """What finds no hours: it is carried as a deficit, priced by an overage rate, or billed like other work."""
    if draws.deficit is not None:
        _owe(book, portion, draws.deficit, _weight(draws.deficit, portion, premiums), is_in_period=is_in_period)
        return
    priced = None
    if draws.priced:
        priced = next((one for one in draws.priced if one.engagement.start <= portion.counted_day), None)
    counted = priced or draws.first
    weight = _weight(counted, portion, premiums)
    if is_in_period:
        book.accounts[counted.engagement.id].beyond += portion.billable_seconds * weight
    book.live.append(portion if priced is None else portion.at(_overage(book, priced, weight)))


def _owe(book: Balances, portion: Portion, one: Engaged, weight: int, *, is_in_period: bool) -> None:
    """Draw more than there is; the next grant makes up for it (BD-42)."""
    engagement, units = one.engagement, portion.billable_seconds * weight
    owed = book.deficits.get(engagement.id, 0)
    book.deficits[engagement.id] = owed + units
    detail = f"deficit {_seconds(owed)} -> {_seconds(owed + units)}"
    book.placed.append(placed_as(portion, Bucket.RETAINER, f"retainer:{engagement.id}", detail))
    if is_in_period:
        book.accounts[engagement.id].used_deficit += units


def _overage(book: Balances, one: Engaged, weight: int) -> SetPrice:
    """The price of a real hour beyond the balance: the rate of a burned hour times what the work burns (BD-39)."""
    known = book.prices.get((one, weight))
    if known is None:
        known = book.prices[one, weight] = _overage_price(book.contract, one, weight)
    return known


def _overage_price(contract: Contract, one: Engaged, weight: int) -> SetPrice:
    rate = one.row.overage_rate
    assert rate is not None, "the caller looks"
    kind = "retainer" if one.engagement.block is None else "block"
    origin = f"overage rate of {kind} {one.engagement.id}: {rate:f} {contract.currency}"
    label = f"above {kind} {one.engagement.name}"
    if weight == BURN_UNITS:
        return SetPrice(rate, label, origin)
    factor = Decimal(weight) / BURN_UNITS
    return SetPrice(
        product(rate, factor), f"{label} x {factor.normalize():f}", f"{origin}, burns {factor.normalize():f} h"
    )
