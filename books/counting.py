"""What an entry counts for: running hours and cap windows, and the alerts that follow when a window crosses a
threshold.

The totals are sums of parts that are kept with the entries (rule 4): a change takes the old part back and adds
the new one.
"""

from collections.abc import Mapping
from decimal import Decimal

from billing.running import AlertChange, CapShare, alert_thresholds, cap_limit
from books.book import SEPARATOR, Book, key_of
from books.catalog import Agreement
from books.effects import CapTouch, Cause, Effects
from books.facts import propose
from books.rows import CapPart, CapRow, EntryRow, HoursPart, HoursRow
from schemas.canonical import deterministic_id
from schemas.facts import AlertRaised

_NO_HOURS = HoursRow(worked_seconds=0, billable_seconds=0, held_seconds=0, entries=0)
_NO_CAP = CapRow(used_seconds=0, fired=(), rearmed=0)
_PERCENT_PLACES = Decimal("0.01")
THRESHOLD = "cap_threshold"
RECOVERED = "cap_recovered"


def cap_part(agreement: Agreement, share: CapShare) -> CapPart:
    """A share under the key of its window."""
    return CapPart(key_of(agreement.contract_id, share.cap_id, share.pool_key, share.window_key), share.seconds)


def count_hours(book: Book, old: HoursPart | None, new: HoursPart | None, cause: Cause, effects: Effects) -> None:
    """Move an entry's part from one row of running hours to another, or change it in place."""
    if old == new:
        return
    if old is not None and (new is None or new.key != old.key):
        _add_hours(book, old, -1, cause, effects)
        old = None
    if new is None:
        return
    row = book.get(HoursRow, new.key) or _NO_HOURS
    before = old or HoursPart(new.key, 0, 0, 0)
    changed = HoursRow(
        worked_seconds=row.worked_seconds + new.worked_seconds - before.worked_seconds,
        billable_seconds=row.billable_seconds + new.billable_seconds - before.billable_seconds,
        held_seconds=row.held_seconds + new.held_seconds - before.held_seconds,
        entries=row.entries + (1 if old is None else 0),
    )
    _put_hours(book, new.key, changed, cause, effects)


def _add_hours(book: Book, part: HoursPart, sign: int, cause: Cause, effects: Effects) -> None:
    row = book.get(HoursRow, part.key) or _NO_HOURS
    changed = HoursRow(
        worked_seconds=row.worked_seconds + sign * part.worked_seconds,
        billable_seconds=row.billable_seconds + sign * part.billable_seconds,
        held_seconds=row.held_seconds + sign * part.held_seconds,
        entries=row.entries + sign,
    )
    _put_hours(book, part.key, changed, cause, effects)


def _put_hours(book: Book, key: str, row: HoursRow, cause: Cause, effects: Effects) -> None:
    if row == _NO_HOURS:
        book.delete(HoursRow, key)
    else:
        book.put(key, row)
    effects.hours[book.tenant, book.book, key] = cause


def count_caps(book: Book, old: tuple[CapPart, ...], new: EntryRow, effects: Effects) -> None:
    """Move an entry's parts between cap windows. What that crosses is judged when the whole record is applied."""
    if old == new.caps:
        return
    change: dict[str, int] = {}
    for part in old:
        change[part.key] = change.get(part.key, 0) - part.seconds
    for part in new.caps:
        change[part.key] = change.get(part.key, 0) + part.seconds
    for key, seconds in sorted(change.items()):
        if seconds:
            row = book.get(CapRow, key) or _NO_CAP
            effects.caps.setdefault(key, CapTouch(row.used_seconds)).entry_id = new.entry_id
            after = row.used_seconds + seconds
            assert after >= 0, f"a cap window cannot be used less than not at all: {key}"
            _keep(book, key, CapRow(used_seconds=after, fired=row.fired, rearmed=row.rearmed))


def look_again(book: Book, contract_id: str, effects: Effects) -> None:
    """A contract's limits may be others now: all its windows are judged with the record."""
    for key, row in book.scan(CapRow, contract_id):
        effects.caps.setdefault(key, CapTouch(row.used_seconds)).limit_changed = True


def judge_caps(book: Book, agreements: Mapping[str, Agreement], cause: Cause, effects: Effects) -> None:
    """Judge each window that the record touched once, by its net change, and propose the alerts that follow."""
    touched, effects.caps = effects.caps, {}
    for key, touch in sorted(touched.items()):
        row = book.get(CapRow, key) or _NO_CAP
        contract_id, cap_id, _pool, window = key.split(SEPARATOR)
        agreement = agreements.get(contract_id)
        changed = touch.limit_changed or row.used_seconds != touch.before_seconds
        if agreement is None or not changed or not any(cap.id == cap_id for cap in agreement.compiled.caps):
            continue
        cap = agreement.compiled.cap(cap_id)
        limit = cap_limit(agreement.compiled, cap_id, window)
        before, fired = touch.before_seconds, frozenset(row.fired)
        if touch.limit_changed:
            # Of another limit a threshold counts as fired only where it is still reached; all others are new.
            before, fired = 0, frozenset(one for one in fired if row.used_seconds * 100 >= one * limit)
        change = alert_thresholds(before, row.used_seconds, limit, cap.thresholds, fired, cap.rearm)
        rearmed = row.rearmed + (1 if change.recovered or touch.limit_changed else 0)
        after = CapRow(used_seconds=row.used_seconds, fired=tuple(sorted(change.fired)), rearmed=rearmed)
        _keep(book, key, after if change.fired_now or change.recovered or fired != frozenset(row.fired) else row)
        if change.fired_now or change.recovered:
            _propose_alert(book, key, agreement, touch.entry_id, limit, change, after, cause, effects)


def _keep(book: Book, key: str, row: CapRow) -> None:
    if row == _NO_CAP:
        book.delete(CapRow, key)
    else:
        book.put(key, row)


def _propose_alert(
    book: Book,
    key: str,
    agreement: Agreement,
    entry_id: str,
    limit: int,
    change: AlertChange,
    row: CapRow,
    cause: Cause,
    effects: Effects,
) -> None:
    contract_id, cap_id, pool, window = key.split(SEPARATOR)
    used = row.used_seconds
    kind = THRESHOLD if change.fired_now else RECOVERED
    identity = {"kind": kind, "key": key, "thresholds": change.fired_now, "rearmed": row.rearmed}
    fact_id = deterministic_id("alert", {"tenant": book.tenant, "book": book.book, **identity})
    percent = (Decimal(used) * 100 / Decimal(limit)).quantize(_PERCENT_PLACES) if limit else Decimal(100)
    fact = AlertRaised(
        envelope=cause.envelope("fact", fact_id),
        fact_id=fact_id,
        kind=kind,
        client_id=agreement.client_id,
        contract_id=contract_id,
        cap=cap_id,
        pool=pool,
        window=window,
        thresholds=change.fired_now,
        used_seconds=used,
        limit_seconds=limit,
        used_percent=percent,
        cause_entry_id=entry_id,
        text=_sentence(kind, cap_id, pool, window, used, limit, change.fired_now),
    )
    propose(book, fact, cause, effects)


def _sentence(kind: str, cap: str, pool: str, window: str, used: int, limit: int, fired: tuple[int, ...]) -> str:
    amounts = f"{_hours(used)} of {_hours(limit)} h"
    if kind == RECOVERED:
        return f"Cap {cap} ({pool}, {window}) is free again: {amounts}."
    reached = ", ".join(f"{threshold} %" for threshold in fired)
    return f"Cap {cap} ({pool}, {window}) has reached {reached}: {amounts}."


def _hours(seconds: int) -> str:
    return f"{Decimal(seconds) / 3600:.2f}"
