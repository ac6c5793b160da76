"""Bundles: the portions of one day that are alike in all that lines and prices look at.

Whatever is decided about one of them is decided about all, so lines are made of bundles, and only the sources of a line
of their members. Tiers count a day's bundles as one stretch of work; a day that crosses a band is counted in its single
portions.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from billing.allocate import WindowId
from billing.contract import Contract
from billing.entries import BillingEntry, OrderKey
from billing.explain import windows_of
from billing.grouping import line_group
from billing.portions import Portion, SetPrice, made
from billing.results import Note
from billing.tiers import Tiered, apply_tiers, tier_of
from schemas.clauses import GroupBy
from schemas.draft import LineSource
from schemas.engagement import Tier
from schemas.period import Period

Member = tuple[OrderKey, BillingEntry, int, int]
"""Place in the order of work, entry, worked seconds, rounding delta."""


@dataclass(slots=True, eq=False)
class Bundle:
    """Portions of one day and kind, those of one entry as one member; `first` is the first of them.

    `kind` is a number that all bundles have in common whose work is alike, `price` what a rule before tiers set.
    `shares` and `sources` are what lines last said of the members.
    """

    kind: int
    day: date
    first: Portion
    price: SetPrice | None
    members: list[Member]
    worked_seconds: int
    delta_seconds: int
    windows: frozenset[WindowId]
    seconds: dict[str, int]
    shares: list[int] = field(default_factory=list)
    sources: list[LineSource] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class TierRun:
    """The work of one day that the tiers of one id count: its bundles, and its portions one by one.

    `is_alone` says that the portions must be counted one by one; `shape` and `cut` are how they were cut when they last
    were: bundles by the number of their price.
    """

    portions: list[Portion]
    bundles: list[Bundle]
    is_alone: bool
    must_be_alone: bool
    tier_id: str
    shape: list[tuple[object, ...]] = field(default_factory=list)
    cut: list[tuple[int, Bundle]] = field(default_factory=list)

    def as_one(self) -> Portion:
        """All of it as if it were one stretch of work."""
        order, entry, terms, day, counted_day, *_ = self.portions[0]
        worked = sum([one.worked_seconds for one in self.bundles])
        return Portion(order, entry, terms, day, counted_day, 0, worked, sum(one.delta_seconds for one in self.bundles))


class Kinds:
    """Numbers the kinds of work of one contract."""

    def __init__(self, contract: Contract) -> None:
        lines = contract.document.lines
        self._contract = contract
        self._has_dates = GroupBy.DATE in lines.group_by
        self._has_rollups, self._has_tiers = bool(lines.rollups), bool(contract.document.tiers)
        self._numbers: dict[tuple[object, ...], int] = {}
        self._prices: dict[tuple[object, ...], SetPrice] = {}

    def bundled(
        self, day: date, live: Sequence[Portion], bundles: Sequence[Bundle], runs: Sequence[TierRun]
    ) -> tuple[list[Bundle], list[TierRun]]:
        """The bundles of a day's portions, in work order, apart from those that tiers count.

        Those of `bundles` and `runs`, as the day had them before, that did not change stay the same objects.
        """
        if not self._has_tiers:
            return self.bundles_of(day, live, bundles), []
        plain: list[Portion] = []
        counted: dict[str, list[tuple[Tier, Portion]]] = {}
        for portion in live:
            tier = tier_of(portion)
            if tier is None:
                plain.append(portion)
            else:
                counted.setdefault(tier.id, []).append((tier, portion))
        before = {run.tier_id: run for run in runs}
        found = []
        for tier_id, members in counted.items():
            portions = [portion for _, portion in members]
            # What is of no length belongs to the band before a limit, what follows it to the one behind.
            has_nothing = any(portion.billable_seconds == 0 for portion in portions)
            must_be_alone = has_nothing or len({id(tier) for tier, _ in members}) > 1
            old = before.get(tier_id)
            own = self.bundles_of(day, portions, () if old is None else old.bundles)
            run = TierRun(portions, own, must_be_alone, must_be_alone, tier_id)
            if old is not None:
                run.is_alone, run.cut = must_be_alone or old.is_alone, old.cut
            found.append(run)
        return self.bundles_of(day, plain, bundles), found

    def bundles_of(self, day: date, live: Iterable[Portion], old: Iterable[Bundle]) -> list[Bundle]:
        """Portions of a day that are priced alike if their kind is alike; what is as in `old` is that object."""
        found: dict[int, list[Portion]] = {}
        for portion in live:
            found.setdefault(self._number(portion), []).append(portion)
        before = {bundle.kind: bundle for bundle in old}
        return [self._bundle(kind, day, portions, before.get(kind)) for kind, portions in found.items()]

    def _number(self, portion: Portion) -> int:
        entry = portion.entry
        kind: tuple[object, ...] = (portion.terms, entry.task, entry.utbms_task, entry.utbms_activity)
        if portion.price is not None:
            kind = (*kind, id(self._price(portion.price)))
        elif portion.terms.rate is not None and portion.terms.rate.currency != self._contract.currency:
            kind = (*kind, portion.day)
        if self._has_dates or self._has_rollups:
            kind = (*kind, portion.day, line_group(self._contract, portion))
        return self._numbers.setdefault(kind, len(self._numbers))

    def _price(self, price: SetPrice) -> SetPrice:
        """One object for each price."""
        assert price.package is None, "only tiers sell packages"
        return self._prices.setdefault((price.rate, price.label, price.origin, price.is_multiplied), price)

    def _bundle(self, kind: int, day: date, portions: Sequence[Portion], old: Bundle | None) -> Bundle:
        first = portions[0]
        members: list[Member] = [(one.order, one.entry, one.worked_seconds, one.delta_seconds) for one in portions]
        seconds = {one.entry_id: worked for _, one, worked, _ in members}
        if len(seconds) < len(members):
            members = _joined(members)
            seconds = {one.entry_id: worked for _, one, worked, _ in members}
        if old is not None and old.members == members and old.first.offset_seconds == first.offset_seconds:
            return old
        return Bundle(
            kind,
            day,
            first,
            None if first.price is None else self._price(first.price),
            members,
            sum([worked for _, _, worked, _ in members]),
            sum([delta for _, _, _, delta in members]),
            frozenset(windows_of(first)) if self._contract.caps else frozenset(),
            seconds,
        )


def _joined(members: Iterable[Member]) -> list[Member]:
    """The parts of one entry as one."""
    found: dict[str, Member] = {}
    for order, entry, worked, delta in members:
        known = found.get(entry.entry_id)
        found[entry.entry_id] = (
            (order, entry, worked, delta) if known is None else (known[0], entry, known[2] + worked, known[3] + delta)
        )
    return list(found.values())


def price_by_tiers(
    contract: Contract, period: Period, kinds: Kinds, runs: Sequence[TierRun]
) -> tuple[list[tuple[Bundle, SetPrice]], list[Note]]:
    """The price of each bundle that tiers count, and findings; `runs` are those of all days, in their order."""
    tiered, pieces = _counted(contract, period, runs)
    cut = [run for run, found in zip(runs, pieces, strict=True) if not run.is_alone and len(found) > 1]
    if cut:
        for run in cut:
            run.is_alone = True
        tiered, pieces = _counted(contract, period, runs)
    priced: list[tuple[Bundle, SetPrice]] = []
    for run, found in zip(runs, pieces, strict=True):
        prices = list({id(one.price): one.price for one in found if one.price is not None}.values())
        if run.is_alone and len(prices) > 1:
            priced += [(bundle, prices[number]) for number, bundle in _cut(kinds, run, found, prices)]
        else:
            run.is_alone = run.must_be_alone
            priced += [(bundle, prices[0]) for bundle in run.bundles]
    return priced, tiered.notes


def _counted(contract: Contract, period: Period, runs: Sequence[TierRun]) -> tuple[Tiered, list[list[Portion]]]:
    """What tiers make of all runs, and of each of them."""
    live: list[Portion] = []
    owner: dict[int, int] = {}
    for number, run in enumerate(runs):
        own = run.portions if run.is_alone else [run.as_one()]
        # What is cut keeps the order of what it was cut from, as the same object.
        owner.update({id(one.order): number for one in own})
        live += own
    tiered = apply_tiers(contract, live, period)
    pieces: list[list[Portion]] = [[] for _ in runs]
    for one in tiered.live:
        pieces[owner[id(one.order)]].append(one)
    return tiered, pieces


def _cut(kinds: Kinds, run: TierRun, pieces: Sequence[Portion], prices: Sequence[SetPrice]) -> list[tuple[int, Bundle]]:
    """The bundles of a run that has several prices, by the number of their price."""
    numbers = {id(price): number for number, price in enumerate(prices)}
    shape: list[tuple[object, ...]] = [
        (id(one.order), one.worked_seconds, one.delta_seconds, numbers[id(one.price)]) for one in pieces
    ]
    if shape != run.shape:
        old, run.shape, run.cut = run.cut, shape, []
        for number in range(len(prices)):
            own = [made(Portion, (*one[:8], None)) for one in pieces if numbers[id(one.price)] == number]
            before = [bundle for priced, bundle in old if priced == number]
            run.cut += [(number, bundle) for bundle in kinds.bundles_of(own[0].day, own, before)]
    return run.cut
