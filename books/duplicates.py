"""Overlapping time of one person: the later of two such entries is held as `possible_duplicate` (rule 10).

Two entries overlap when their clock times do. Where one has no clock time, the signals are weaker and must all be
there:
another source, the same day, the same length within a minute, and not two different clients.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from operator import attrgetter

from books.book import Book, key_of
from books.rows import DayItem, EntryRow, PersonDayRow
from books.versions import is_deleted
from schemas.entry import EntryKind

POSSIBLE_DUPLICATE = "possible_duplicate"
_SAME_LENGTH_SECONDS = 60
_DAY_MICROS = 86_400_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def item_of(row: EntryRow) -> DayItem | None:
    """What others may overlap with; None when the entry holds no finished time."""
    if row.kind != EntryKind.TIME.value or row.running or not row.worked_seconds or is_deleted(row):
        return None
    return DayItem(
        row.entry_id, row.source, row.account, row.start_micros, row.end_micros, row.worked_seconds, row.client_id
    )


def days_of(row: EntryRow) -> tuple[str, ...]:
    """The days under which an entry is filed: its local date, and the UTC days its clock times touch."""
    if row.start_micros is None:
        return (row.local_date,) if row.local_date else ()
    last = max(row.start_micros, (row.end_micros or row.start_micros) - 1)
    first_day, last_day = row.start_micros // _DAY_MICROS, last // _DAY_MICROS
    if first_day == last_day and _day_text(first_day) == row.local_date:
        return (row.local_date,)
    days = {_day_text(day) for day in range(first_day, last_day + 1)}
    return tuple(sorted(days | {row.local_date})) if row.local_date else tuple(sorted(days))


@lru_cache(maxsize=4096)
def _day_text(day: int) -> str:
    return (_EPOCH + timedelta(days=day)).date().isoformat()


def person_key(row: EntryRow) -> str:
    """The person as far as known; an unknown name is compared as its source wrote it."""
    return row.person_id or f"?{row.person_ref}"


def refile(book: Book, old: EntryRow | None, new: EntryRow) -> tuple[set[str], str]:
    """Move an entry from its old days to its new ones.

    Returns the ids of all entries it overlapped or overlaps, and the one it may repeat (as `duplicate_of`).
    """
    touched: set[str] = set()
    if old is not None and (filed := item_of(old)) is not None:
        touched = {other.entry_id for other in _take_out(book, old) if overlap(other, filed)}
    item = item_of(new)
    if item is None:
        return touched, ""
    met = [other for other in _put_in(book, new, item) if overlap(other, item)]
    return touched | {other.entry_id for other in met}, _first_before(item, met)


def duplicate_of(book: Book, row: EntryRow) -> str:
    """The entry that this one may repeat: the first it overlaps with among those that sort before it; empty if none."""
    item = item_of(row)
    if item is None:
        return ""
    others = (other for day in days_of(row) for other in _items(book, row, day) if other.entry_id != row.entry_id)
    return _first_before(item, [other for other in others if overlap(other, item)])


def _first_before(item: DayItem, met: list[DayItem]) -> str:
    earlier = [other for other in met if _sorting(other) < _sorting(item)]
    return min(earlier, key=_sorting).entry_id if earlier else ""


def overlap(one: DayItem, other: DayItem) -> bool:
    """Whether two items of one person and day may be the same time."""
    if (
        one.start_micros is not None
        and one.end_micros is not None
        and other.start_micros is not None
        and other.end_micros is not None
    ):
        return min(one.end_micros, other.end_micros) > max(one.start_micros, other.start_micros)
    return (
        (one.source, one.account) != (other.source, other.account)
        and abs(one.worked_seconds - other.worked_seconds) <= _SAME_LENGTH_SECONDS
        and (one.client_id == other.client_id or UNASSIGNED in (one.client_id, other.client_id))
    )


UNASSIGNED = "_unassigned"
"""The reserved client of entries whose client nobody knows yet."""


def _sorting(item: DayItem) -> tuple[int, int, str, str, str]:
    known = item.start_micros is not None
    return (0 if known else 1, item.start_micros or 0, item.source, item.account, item.entry_id)


def _items(book: Book, row: EntryRow, day: str) -> tuple[DayItem, ...]:
    found = book.get(PersonDayRow, key_of(person_key(row), day))
    return () if found is None else found.items


def _take_out(book: Book, row: EntryRow) -> list[DayItem]:
    """Remove an entry from its days; returns the others that stand there."""
    others: list[DayItem] = []
    for day in days_of(row):
        rest = tuple(other for other in _items(book, row, day) if other.entry_id != row.entry_id)
        others += rest
        key = key_of(person_key(row), day)
        if rest:
            book.put(key, PersonDayRow(items=rest))
        else:
            book.delete(PersonDayRow, key)
    return others


def _put_in(book: Book, row: EntryRow, item: DayItem) -> list[DayItem]:
    """Add an entry to its days; returns the others that stand there."""
    others: list[DayItem] = []
    for day in days_of(row):
        rest = [other for other in _items(book, row, day) if other.entry_id != row.entry_id]
        others += rest
        items = tuple(sorted([*rest, item], key=_entry_id))
        book.put(key_of(person_key(row), day), PersonDayRow(items=items))
    return others


_entry_id = attrgetter("entry_id")
