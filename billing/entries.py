"""What billing is given about an entry, and the order in which work counts (billing-domain section 3, at the end)."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from schemas.entry import EntryKind
from schemas.inputs import Category


@dataclass(frozen=True, slots=True)
class Hold:
    """Why an entry waits for a person; `reason` is a word with a docs entry, `detail` says what is missing."""

    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class BillingEntry:
    """The current version of an entry with everything that was decided about it; empty text means unknown or none.

    `content` is the version's content hash, `premise` a hash of all inputs the entry rests on; both are passed through.
    `category` None means that nothing has decided yet. `holds` are the reasons known before rating, `released` those a
    person settled (`cap:<id>` approves the overflow of a cap). `written_off` is a person's reason not to bill.
    `billed_on` names an approved document on which the entry stands: it keeps its room in caps before all others and is
    not billed again.
    Work of a higher `rank` counts after all work of a lower one, as late work does with `remaining_capacity`.
    Time has `start` (an instant) or `work_date`. An expense has `currency` and `amount` or `quantity` and `unit_price`.
    """

    entry_id: str
    content: str
    premise: str
    source: str
    source_entry_id: str
    kind: EntryKind
    person_id: str
    project_id: str
    task: str
    service_item: str
    tags: tuple[str, ...]
    description: str
    start: datetime | None
    end: datetime | None
    work_date: date | None
    worked_seconds: int
    category: Category | None
    utbms_task: str = ""
    utbms_activity: str = ""
    confidence: Decimal | None = None
    holds: tuple[Hold, ...] = ()
    released: frozenset[str] = frozenset()
    written_off: str = ""
    billed_on: str = ""
    rank: int = 0
    amount: Decimal | None = None
    currency: str = ""
    quantity: Decimal | None = None
    unit_price: Decimal | None = None
    expense_category: str = ""


OrderKey = tuple[int, datetime, int, str, str, str]
"""Rank (0 for what stands on an approved document), start instant in UTC, position of carried time, source, source
entry id, entry id.

What stands on an approved document cannot make room any more, so it counts before what is still to be billed.
"""


@lru_cache(maxsize=8192)
def day_start(day: date, zone: ZoneInfo) -> datetime:
    """The instant at which a local day begins."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def rank_of(entry: BillingEntry) -> int:
    """What counts before the order of work does."""
    return 0 if entry.billed_on else 1 + entry.rank


def work_order(entry: BillingEntry, zone: ZoneInfo) -> OrderKey:
    """The sort key of work time; an entry without a start sorts at the start of its local work date."""
    start = entry.start
    if start is None:
        assert entry.work_date is not None, f"entry {entry.entry_id} has neither start nor work date"
        start = day_start(entry.work_date, zone)
    rank = 0 if entry.billed_on else 1 + entry.rank
    return (rank, start, 0, entry.source, entry.source_entry_id, entry.entry_id)
