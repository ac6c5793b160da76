"""An invoice that follows its entries: after a change, only the days from the first changed one on are allotted anew.

It answers exactly as `compute_invoice` does. What steps 2 to 5 say of an entry is remembered for as long as the entry
is the same object; hour caps and balances are remembered as they were before each day, and go on from there.
"""

from bisect import insort
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import pairwise
from operator import itemgetter

from billing.allocate import Allocated, Windows, allocate
from billing.attribute import work_date_of
from billing.carried import Carried, needs_earlier_invoices
from billing.contract import Contract, needed_dates, own_dates
from billing.cover import Uncovered, remove_covered
from billing.directory import Directory
from billing.entries import BillingEntry
from billing.gather import NOT_WORK, Gathered, on_one_day
from billing.invoice import Allotted, Invoice, InvoiceRequest, bill, compute_invoice, hash_of_versions, version_line
from billing.ledger import assert_conserved
from billing.portions import Placed, Portion
from billing.retainers import Balances, Drawn, begin_draw, draw_on, end_draw
from billing.terms import rulebook
from schemas.clauses import CapWindow, DayAttribution, IncrementScope
from schemas.entry import EntryKind
from schemas.period import Period

FOLLOWED = "followed"
BEGUN = "begun"
_ORDER = itemgetter(Portion._fields.index("order"))


class FollowedInvoice:
    """Computes an invoice again and again. `answers` counts how: followed, begun anew, or why it was computed whole."""

    def __init__(self) -> None:
        self.answers: Counter[str] = Counter()
        self._days: _Days | None = None

    def compute(self, request: InvoiceRequest) -> Invoice:
        """The invoice of a request, as `compute_invoice` computes it.

        An entry that did not change should be the same object as the last time; one that is not is looked at again.
        """
        reason = why_not(request)
        if not reason:
            found = self._follow(request)
            if found is not None:
                return found
            reason = "order_of_days"
        self.answers[reason] += 1
        return compute_invoice(request)

    def _follow(self, request: InvoiceRequest) -> Invoice | None:
        terms = (request.contract, request.directory, request.period)
        days = self._days
        how = FOLLOWED
        if days is None or (days.contract, days.directory, days.period) != terms:
            days, how = _Days(*terms), BEGUN
        self._days = days
        days.take(request)
        if not days.are_in_order():
            return None
        self.answers[how] += 1
        others = [entry for entry in days.entries.values() if entry.kind is not EntryKind.TIME]
        traced = bill(request, Carried(), others, days.allotted())
        return replace(traced.invoice, entries_hash=hash_of_versions(days.versions))


def why_not(request: InvoiceRequest) -> str:
    """Why an invoice cannot be followed day by day, as a word; empty when it can."""
    contract, document = request.contract, request.contract.document
    reasons = {
        "earlier_invoices": needs_earlier_invoices(contract),
        "carried_time": any(cap.carries for cap in contract.caps),
        "windows_of_entries": any(cap.window is CapWindow.ENTRY for cap in contract.caps),
        "split_days": document.day_attribution is DayAttribution.SPLIT,
        "rounded_groups": any(rule.scope is not IncrementScope.ENTRY for rule in document.increments),
        "events": own_dates(contract, request.period) != needed_dates(contract, request.period),
    }
    return next((reason for reason, is_so in reasons.items() if is_so), "")


@dataclass(slots=True, eq=False)
class _State:
    """Hour caps and balances before a day."""

    windows: Windows
    balances: Balances

    def copied(self) -> "_State":
        """The same state once more."""
        windows = {name: replace(window) for name, window in self.windows.items()}
        return _State(windows, self.balances.copied())


@dataclass(slots=True, eq=False)
class _Day:
    """The portions of one date in work order, the state before it, and what became of them when it was allotted."""

    work: list[Portion] = field(default_factory=list)
    is_changed: bool = True
    before: _State | None = None
    covered: list[Placed] = field(default_factory=list)
    capped: list[Placed] = field(default_factory=list)
    paid: list[Placed] = field(default_factory=list)
    live: list[Portion] = field(default_factory=list)


class _Days:
    """The entries of one contract and period with what is known of them, day by day."""

    def __init__(self, contract: Contract, directory: Directory, period: Period) -> None:
        self.contract, self.directory, self.period = contract, directory, period
        self.entries: dict[str, BillingEntry] = {}
        self.versions: list[str] = []
        self._first, self._end = own_dates(contract, period)
        self._book = rulebook(contract, directory)
        self._seen: dict[int, BillingEntry] = {}
        """By identity; they are kept, so no other entry can have the same one."""
        self._placed: dict[str, Placed] = {}
        self._days: dict[date, _Day] = {}
        self._ranked: set[str] = set()
        self._worked_seconds = 0
        self._after = _State({}, begin_draw(contract, period, self._first))

    def take(self, request: InvoiceRequest) -> None:
        """Look at what changed since the last request: forget what left, and find a place for what is new."""
        seen, now = self._seen, dict(zip(map(id, request.entries), request.entries, strict=True))
        assert len(now) == len(request.entries), "an entry was passed twice"
        gone = [seen[one] for one in seen.keys() - now.keys()]
        new = [now[one] for one in now.keys() - seen.keys()]
        left = {version_line(entry) for entry in gone if self._forget(entry)}
        came = [version_line(entry) for entry in new if self._find(entry)]
        self.versions = sorted([*[line for line in self.versions if line not in left], *came])
        self._seen = now

    def _forget(self, entry: BillingEntry) -> bool:
        """Whether an entry counted, and does not any more."""
        if self.entries.pop(entry.entry_id, None) is None:
            return False
        self._ranked.discard(entry.entry_id)
        day = work_date_of(self.contract.zone, entry)
        if entry.kind in NOT_WORK:
            return True
        if day in self.period:
            self._worked_seconds -= entry.worked_seconds
        if self._placed.pop(entry.entry_id, None) is None:
            known = self._days[day]
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
        if entry.kind in NOT_WORK:
            return True
        if day in self.period:
            self._worked_seconds += entry.worked_seconds
        found = on_one_day(self._book, entry, day)
        if isinstance(found, Placed):
            self._placed[entry.entry_id] = found
            return True
        known = self._days.setdefault(day, _Day())
        insort(known.work, found, key=_ORDER)
        known.is_changed = True
        return True

    def are_in_order(self) -> bool:
        """Whether work order is the order of dates: not where some work counts before or after all other, or where a
        zone turned its clocks back over midnight.
        """
        if self._ranked:
            return False
        works = [self._days[day].work for day in sorted(self._days) if self._days[day].work]
        return all(one[-1].order <= other[0].order for one, other in pairwise(works))

    def allotted(self) -> Allotted:
        """Steps 6 to 8: the days from the first changed one on go on from the state before it."""
        days = [self._days[day] for day in sorted(self._days)]
        self._allot_changed()
        gathered = Gathered([], list(self._placed.values()), self._worked_seconds)
        covered = [one for day in days for one in day.covered]
        capped = [one for day in days for one in day.capped]
        paid = [one for day in days for one in day.paid]
        live = [one for day in days for one in day.live]
        drawn = Drawn(live, [], (), [], [])
        if self.contract.engagements:
            drawn = end_draw(self._after.balances.copied(), live, paid)
        return Allotted(gathered, Uncovered([], covered), Allocated([], capped, self._after.windows), drawn)

    def _allot_changed(self) -> None:
        dates = sorted(self._days)
        changed = next((number for number, day in enumerate(dates) if self._days[day].is_changed), None)
        if changed is None:
            return
        # What was known before a later day is what was known after the one before this.
        known = [self._days[day].before for day in dates[changed:]]
        state = next((before for before in known if before is not None), self._after).copied()
        for day in dates[changed:]:
            self._allot(day, self._days[day], state)
        self._after = state

    def _allot(self, day: date, one: _Day, state: _State) -> None:
        one.before, one.is_changed = state.copied(), False
        uncovered = remove_covered(one.work)
        allocated = allocate(self.contract, uncovered.live, self.period.end, state.windows)
        one.covered, one.capped, one.live, one.paid = uncovered.placed, allocated.placed, allocated.live, []
        if self.contract.engagements:
            one.live, one.paid = draw_on(state.balances, day, allocated.live)
        assert_conserved([portion.entry for portion in one.work], one.live, [*one.covered, *one.capped, *one.paid])
