"""Applies entry versions: the row, what it counts for, its indexes, its duplicates, and the question what it is."""

from datetime import date
from decimal import Decimal

import msgspec

from billing.entries import BillingEntry, Hold
from billing.running import contributions
from books.asking import ask
from books.book import Book, key_of
from books.catalog import Catalog
from books.counting import cap_part, count_caps, count_hours
from books.duplicates import POSSIBLE_DUPLICATE, duplicate_of, item_of, person_key, refile
from books.effects import Cause, Effects
from books.releases import settled_reasons
from books.resolving import instant_of, local_date, resolve
from books.rows import (
    CapPart,
    CounterRow,
    DecisionPart,
    DecisionRow,
    EntryRow,
    HoursPart,
    PersonDecisionRow,
)
from books.settled import note_change
from books.versions import is_deleted, merge, row_of
from schemas.entry import EntryKind, EntryVersion
from schemas.inputs import Category
from schemas.period import week_key

BY_CONTRACT = "by_contract"
BY_ACCOUNT = "by_account"
ORPHANS = "orphan_decisions"
"""Counts decisions that came before their entry; while there is none, a new entry needs no look-up."""


def apply_version(book: Book, catalog: Catalog, version: EntryVersion, cause: Cause, effects: Effects) -> bool:
    """Take a version in; False when it changed nothing (a repeat, or an older version)."""
    old = book.get(EntryRow, version.entry_id)
    made = row_of(version)
    new = made if old is None else merge(old, made)
    if old is not None and new is old:
        return False
    if old is not None and not old.deletion_proposed and _says_the_same(old, new):
        book.put(new.entry_id, new)
        return True
    change(book, catalog, old, new, cause, effects)
    return True


def _says_the_same(old: EntryRow, new: EntryRow) -> bool:
    """Only the version was raised: nothing that is counted or decided can differ."""
    return (old.content, old.deletion, old.conflict) == (new.content, new.deletion, new.conflict)


def change(
    book: Book, catalog: Catalog, old: EntryRow | None, new: EntryRow, cause: Cause, effects: Effects
) -> EntryRow:
    """Settle a changed row, and every entry whose state as a possible duplicate changes with it."""
    new = resolve(new, catalog)
    touched: set[str] = set()
    if old is None or _stands_elsewhere(old, new):
        touched, found = refile(book, old, new)
        touched.discard(new.entry_id)
    else:
        found = old.duplicate_of
    if new.duplicate_of != found:
        new = msgspec.structs.replace(new, duplicate_of=found)
    new = settle(book, catalog, old, new, cause, effects)
    for entry_id in sorted(touched):
        other = book.get(EntryRow, entry_id)
        assert other is not None, f"an indexed entry without a row: {entry_id}"
        found = duplicate_of(book, other)
        if found != other.duplicate_of:
            settle(book, catalog, other, msgspec.structs.replace(other, duplicate_of=found), cause, effects)
    return new


def _stands_elsewhere(old: EntryRow, new: EntryRow) -> bool:
    """Whether an entry has to be filed again under its person's days."""
    return (person_key(old), old.local_date, item_of(old)) != (person_key(new), new.local_date, item_of(new))


def settle(
    book: Book, catalog: Catalog, old: EntryRow | None, new: EntryRow, cause: Cause, effects: Effects
) -> EntryRow:
    """Write a resolved row with its decision, and make indexes, hours, caps and open questions agree with it."""
    new = recount(book, catalog, old, _decided(book, old, new), cause, effects)
    index(book, old, new)
    if new.decision is None and new.person_decision is None:
        ask(book, catalog, new, cause, effects, is_new=old is None)
    return new


def recount(
    book: Book, catalog: Catalog, old: EntryRow | None, new: EntryRow, cause: Cause, effects: Effects
) -> EntryRow:
    """Write a row whose names and day stand, and move what it counts for in hours and caps."""
    if catalog.settled_until:
        note_change(book, catalog, old, new)
    hours, caps = parts(catalog, new)
    new = msgspec.structs.replace(new, hours=hours, caps=caps)
    book.put(new.entry_id, new)
    count_hours(book, old.hours if old is not None else None, hours, cause, effects)
    count_caps(book, old.caps if old is not None else (), new, effects)
    return new


def _decided(book: Book, old: EntryRow | None, new: EntryRow) -> EntryRow:
    """A row keeps its decisions as long as what they rest on stays the same; else those for its new content are
    looked up.
    """
    if old is None and not book.has(CounterRow, ORPHANS):
        return new
    if old is not None and old.input_hash == new.input_hash and old.said == new.said:
        return new
    by_hash = book.get(DecisionRow, key_of(new.entry_id, new.input_hash))
    by_person = book.get(PersonDecisionRow, key_of(new.entry_id, new.said))
    return msgspec.structs.replace(
        new,
        standing=None if old is None or by_hash or by_person else decision_of(old) or old.standing,
        decision=by_hash.part if by_hash is not None else None,
        person_decision=by_person.part if by_person is not None else None,
    )


def decision_of(row: EntryRow) -> DecisionPart | None:
    """The decision that counts for a row: a person's before any other."""
    return row.person_decision or row.decision


def index(book: Book, old: EntryRow | None, new: EntryRow) -> None:
    """Keep the lists of a contract's and of a source account's entries."""
    before = _index_keys(old) if old is not None else ()
    after = _index_keys(new)
    if before == after:
        return
    for parts_before in before:
        if parts_before not in after:
            book.unmark(*parts_before)
    for parts_after in after:
        if parts_after not in before:
            book.mark(*parts_after)


def _index_keys(row: EntryRow) -> tuple[tuple[str, ...], ...]:
    if is_deleted(row):
        return ()
    day = row.work_date or local_date(row, row.zone)
    return (
        (BY_CONTRACT, row.client_id, row.contract_id, row.local_date, row.entry_id),
        (BY_ACCOUNT, row.source, row.account, day, row.entry_id),
    )


def parts(catalog: Catalog, row: EntryRow) -> tuple[HoursPart | None, tuple[CapPart, ...]]:
    """What a row adds to running hours and to cap windows."""
    if is_deleted(row) or row.kind != EntryKind.TIME.value or row.running or not row.local_date:
        return None, ()
    decided = decision_of(row) or row.standing
    held = bool(holds_of(row)) or row.contract_id == ""
    billable = decided is not None and decided.category != Category.NON_BILLABLE.value and not held
    person = row.person_id or f"?{row.person_ref}"
    key = key_of(row.client_id, week_key(date.fromisoformat(row.local_date)), row.role, person)
    seconds = row.worked_seconds
    hours = HoursPart(key, seconds, seconds if billable and not row.written_off else 0, seconds if held else 0)
    agreement = catalog.agreements.get(row.contract_id)
    if not billable or agreement is None or catalog.people is None or not agreement.compiled.caps:
        return hours, ()
    counted = row if decision_of(row) is not None else msgspec.structs.replace(row, decision=row.standing)
    shares = contributions(agreement.compiled, catalog.people.compiled, billing_entry(counted))
    return hours, tuple(cap_part(agreement, share) for share in shares if share.seconds)


def holds_of(row: EntryRow) -> tuple[Hold, ...]:
    """Why an entry must not be billed yet, without the reasons that a person settled."""
    found: list[Hold] = []
    if row.start_micros is None and not row.work_date:
        found.append(Hold("date_missing", "it has neither a start nor a work date"))
    if row.conflict:
        found.append(Hold("conflicting_version", "the source gave two contents for one revision"))
    if row.running:
        found.append(Hold("running", "the timer still runs"))
    if row.problem:
        found.append(Hold(row.problem, "the connector was unsure"))
    if row.held_by:
        found.append(Hold("held_by_person", row.held_by))
    if row.deletion_proposed:
        found.append(Hold("deletion_proposed", f"missing from import {row.deletion_proposed}"))
    if row.duplicate_of:
        found.append(Hold(POSSIBLE_DUPLICATE, f"same time as entry {row.duplicate_of}"))
    if row.invoiced_at_source:
        found.append(Hold("invoiced_at_source", "the source says it was invoiced there"))
    if row.kind == EntryKind.TIME.value and not row.person_id:
        found.append(Hold("person_unknown", f"nobody in the directory is called {row.person_ref!r}"))
    decided = decision_of(row)
    if decided is not None and decided.held_reason:
        found.append(Hold(decided.held_reason, "; ".join(decided.evidence)))
    settled = settled_reasons(row)
    return tuple(hold for hold in found if hold.reason not in settled)


def billing_entry(row: EntryRow, rank: int = 0) -> BillingEntry:
    """The row as billing sees it; work of a higher rank counts after all work of a lower one."""
    decided = decision_of(row)
    return BillingEntry(
        entry_id=row.entry_id,
        content=row.content,
        premise=row.input_hash,
        source=row.source,
        source_entry_id=row.source_entry_id,
        kind=EntryKind(row.kind),
        person_id=row.person_id,
        project_id=row.project_id,
        task=row.task_ref,
        service_item=(decided.service_item if decided is not None else "") or row.service_item,
        tags=row.tags,
        description=row.description,
        start=None if row.start_micros is None else instant_of(row.start_micros),
        end=None if row.end_micros is None else instant_of(row.end_micros),
        work_date=date.fromisoformat(row.work_date) if row.work_date else None,
        worked_seconds=row.worked_seconds,
        category=None if decided is None else Category(decided.category),
        utbms_task=decided.utbms_task if decided is not None else "",
        utbms_activity=decided.utbms_activity if decided is not None else "",
        confidence=None if decided is None else Decimal(decided.confidence),
        holds=holds_of(row),
        released=settled_reasons(row),
        written_off=row.written_off,
        rank=rank,
        amount=None if row.amount is None else Decimal(row.amount),
        currency=row.currency,
        quantity=None if row.quantity is None else Decimal(row.quantity),
        unit_price=None if row.unit_price is None else Decimal(row.unit_price),
        expense_category=row.category,
    )
