"""The entries of one contract and period, day by day: what is known of each, and where their time went.

What steps 2 to 5 say of an entry is remembered for as long as the entry is the same object; hour caps and balances are
remembered as they were before each day, and go on from there.
"""

from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from operator import is_, itemgetter

from billing.allocate import Allocated, WindowId, Windows, allocate
from billing.attribute import work_date_of
from billing.bundles import Bundle, Kinds, TierRun
from billing.contract import Contract, own_dates
from billing.cover import Uncovered, remove_covered
from billing.directory import Directory
from billing.entries import BillingEntry
from billing.exchange import exchange
from billing.explain import windows_of
from billing.followed_states import State
from billing.gather import NOT_WORK, Gathered, on_one_day
from billing.invoice import Allotted, version_lines
from billing.ledger import assert_conserved
from billing.portions import Placed, Portion
from billing.retainers import Drawn, begin_draw, draw_on, end_draw
from billing.terms import rulebook
from schemas.entry import EntryKind
from schemas.period import Period

_ORDER = itemgetter(Portion._fields.index("order"))


@dataclass(slots=True, eq=False)
class Day:
    """The work of one date in order, the state before it, and what became of all of it when it was allotted.

    `refused` never was work to be billed, `within` is what hour caps left to be billed, `live` what balances left of
    that; `bundles` and `runs` are the live portions as lines and tiers take them, `touched` the windows of hour caps
    that the work asked. `version` is another one whenever a placement is.
    """

    work: list[Portion] = field(default_factory=list)
    refused: dict[str, Placed] = field(default_factory=dict)
    is_changed: bool = True
    version: int = 0
    before: State | None = None
    covered: list[Placed] = field(default_factory=list)
    capped: list[Placed] = field(default_factory=list)
    within: list[Portion] = field(default_factory=list)
    paid: list[Placed] = field(default_factory=list)
    live: list[Portion] = field(default_factory=list)
    bundles: list[Bundle] = field(default_factory=list)
    runs: list[TierRun] = field(default_factory=list)
    touched: set[WindowId] = field(default_factory=set)

    @property
    def placed(self) -> list[Placed]:
        """All time of the day that is not to be billed."""
        return [*self.refused.values(), *self.covered, *self.capped, *self.paid]


class Days:
    """The entries of one contract and period with what is known of them, day by day."""

    def __init__(self, contract: Contract, directory: Directory, period: Period) -> None:
        self.contract, self.directory, self.period = contract, directory, period
        self.entries: dict[str, BillingEntry] = {}
        self.others: dict[str, BillingEntry] = {}
        """Those that are not time."""
        self.versions: list[str] = []
        self.ids: list[str] = []
        """Of all entries, in order."""
        self.worked_seconds = 0
        self._first, self._end = own_dates(contract, period)
        self._book = rulebook(contract, directory)
        self.kinds = Kinds(contract)
        self._taken: list[BillingEntry] = []
        self._days: dict[date, Day] = {}
        self._ranked: set[str] = set()
        self._changes = 0
        self._after = State({}, begin_draw(contract, period, self._first))

    def take(self, entries: Sequence[BillingEntry]) -> None:
        """Look at what changed since the last time: forget what left, and find a place for what is new."""
        gone, came = _difference(self._taken, list(entries))
        self._taken = list(entries)
        gone = [entry for entry in gone if self._forget(entry)]
        came = [entry for entry in came if self._find(entry)]
        exchange(self.versions, version_lines(gone), version_lines(came), str)
        exchange(self.ids, [entry.entry_id for entry in gone], [entry.entry_id for entry in came], str)

    def _forget(self, entry: BillingEntry) -> bool:
        """Whether an entry counted, and does not any more."""
        if self.entries.get(entry.entry_id) is not entry:
            return False
        del self.entries[entry.entry_id]
        self._ranked.discard(entry.entry_id)
        self.others.pop(entry.entry_id, None)
        day = work_date_of(self.contract.zone, entry)
        if entry.kind in NOT_WORK:
            return True
        if day in self.period:
            self.worked_seconds -= entry.worked_seconds
        known = self._touched(day)
        if known.refused.pop(entry.entry_id, None) is None:
            known.work, known.is_changed = [one for one in known.work if one.entry is not entry], True
        return True

    def _find(self, entry: BillingEntry) -> bool:
        """Steps 2 to 5 of one entry; whether it counts."""
        day = work_date_of(self.contract.zone, entry)
        if not self._first <= day < self._end:
            return False
        assert entry.entry_id not in self.entries, "an entry was passed twice"
        self.entries[entry.entry_id] = entry
        if entry.billed_on or entry.rank:
            self._ranked.add(entry.entry_id)
        if entry.kind is not EntryKind.TIME:
            self.others[entry.entry_id] = entry
        if entry.kind in NOT_WORK:
            return True
        if day in self.period:
            self.worked_seconds += entry.worked_seconds
        found, known = on_one_day(self._book, entry, day), self._touched(day)
        if isinstance(found, Placed):
            known.refused[entry.entry_id] = found
            return True
        insort(known.work, found, key=_ORDER)
        known.is_changed = True
        return True

    def _touched(self, day: date) -> Day:
        """The day of a date, which is not what it was."""
        known = self._days.setdefault(day, Day())
        self._changes += 1
        known.version = self._changes
        return known

    def in_order(self) -> list[tuple[date, Day]]:
        """All days by date."""
        return [(day, self._days[day]) for day in sorted(self._days)]

    def are_in_order(self) -> bool:
        """Whether work order is the order of dates: not where some work counts before or after all other, or where a
        zone turned its clocks back over midnight.
        """
        if self._ranked:
            return False
        works = [day.work for _, day in self.in_order() if day.work]
        return all(one[-1].order <= other[0].order for one, other in pairwise(works))

    def allotted(self) -> Allotted:
        """Steps 6 to 8: the days from the first changed one on go on from the state before it."""
        self.allot()
        days = [day for _, day in self.in_order()]
        gathered = Gathered([], [one for day in days for one in day.refused.values()], self.worked_seconds)
        covered = [one for day in days for one in day.covered]
        capped = [one for day in days for one in day.capped]
        paid = [one for day in days for one in day.paid]
        live = [one for day in days for one in day.live]
        drawn = self.drawn()._replace(live=live, placed=paid)
        return Allotted(gathered, Uncovered([], covered), Allocated([], capped, self.windows), drawn)

    @property
    def windows(self) -> Windows:
        """The windows of hour caps after all work."""
        return self._after.windows

    def drawn(self) -> Drawn:
        """Accounts, charges and findings of the balances after all work, without the work itself."""
        if not self.contract.engagements:
            return Drawn([], [], (), [], [])
        return end_draw(self._after.balances.copied(), [], [])

    def allot(self) -> None:
        """Steps 6 to 8 for all days from the first changed one on."""
        dates = sorted(self._days)
        changed = next((number for number, day in enumerate(dates) if self._days[day].is_changed), None)
        if changed is None:
            return
        # What was known before a later day is what was known after the one before this.
        befores = [self._days[day].before for day in dates[changed:]]
        state = next((before for before in befores if before is not None), self._after).copied()
        for number, day in enumerate(dates[changed:], start=1):
            one = self._days[day]
            windows = balances = None
            if not one.is_changed and one.before is not None:
                after = next((before for before in befores[number:] if before is not None), self._after)
                windows = state.windows_after_the_same(one.before, after, one.touched)
                balances = state.balances.after_the_same(one.before.balances, after.balances)
            if windows is None or balances is None:
                self._allot(day, one, state, windows)
            else:
                one.before, state = state, State(windows, balances)
        self._after = state

    def _allot(self, day: date, one: Day, state: State, windows: Windows | None) -> None:
        """Steps 6 to 8 for a day; with the `windows` after it, if of its work the same stays within them, only 8."""
        one.before, one.is_changed = state.copied(), False
        placed = one.covered, one.capped, one.paid
        if windows is None:
            self._cap(one, state.windows)
        else:
            state.windows = windows
        one.live, one.paid = one.within, []
        if self.contract.engagements:
            one.live, one.paid = draw_on(state.balances, day, one.within)
        assert_conserved([portion.entry for portion in one.work], one.live, [*one.covered, *one.capped, *one.paid])
        one.bundles, one.runs = self.kinds.bundled(day, one.live, one.bundles, one.runs)
        if placed != (one.covered, one.capped, one.paid):
            self._touched(day)

    def _cap(self, one: Day, windows: Windows) -> None:
        """Steps 6 and 7."""
        uncovered = remove_covered(self.contract, one.work)
        allocated = allocate(self.contract, uncovered.live, self.period.end, windows)
        one.covered, one.capped, one.within = uncovered.placed, allocated.placed, allocated.live
        if self.contract.caps:
            # Terms are one object for one kind of work, so one portion of each speaks for all.
            kinds = {(portion.terms, portion.entry.task): portion for portion in one.work}
            one.touched = {window for portion in kinds.values() for window in windows_of(portion)}


def _difference(before: list[BillingEntry], now: list[BillingEntry]) -> tuple[list[BillingEntry], list[BillingEntry]]:
    """What is not the same object any more: the entries that left, and those that came."""
    first = _alike(before, now)
    last = _alike(before[: first - 1 if first else None : -1], now[: first - 1 if first else None : -1])
    old, new = before[first : len(before) - last], now[first : len(now) - last]
    known, there = set(map(id, old)), set(map(id, new))
    assert len(there) == len(new), "an entry was passed twice"
    return [one for one in old if id(one) not in there], [one for one in new if id(one) not in known]


def _alike(some: list[BillingEntry], others: list[BillingEntry]) -> int:
    """How many of the first entries are the same objects."""
    if all(map(is_, some, others)):
        return min(len(some), len(others))
    return next(number for number, pair in enumerate(zip(some, others, strict=False)) if pair[0] is not pair[1])
