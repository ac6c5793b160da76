"""Entry versions into rows: which version counts, whatever order they come in (design rule 5; billing-domain group
K).
"""

from datetime import date, datetime

import msgspec

from books.rows import EntryRow
from schemas.canonical import content_hash, instant_micros
from schemas.entry import Deletion, EntryVersion


def row_of(version: EntryVersion) -> EntryRow:
    """The row of a version, before any name is resolved."""
    return EntryRow(
        entry_id=version.entry_id,
        source=version.source,
        account=version.account,
        source_entry_id=version.source_entry_id,
        source_revision=version.source_revision,
        mapping_version=version.mapping_version,
        observed_micros=instant_micros(version.observed_at),
        deletion=version.deletion.value,
        content=version.content,
        conflict=False,
        import_id=version.import_id,
        kind=version.kind.value,
        person_ref=version.person_ref,
        client_ref=version.client_ref,
        project_ref=version.project_ref,
        task_ref=version.task_ref,
        service_item=version.service_item,
        tags=version.tags,
        description=version.description,
        billable_hint=version.billable_hint,
        work_date=_date_text(version.work_date),
        start_micros=_micros(version.start),
        end_micros=_micros(version.end),
        zone=version.zone,
        worked_seconds=version.worked_seconds,
        running=version.running,
        invoiced_at_source=version.invoiced_at_source,
        amount=None if version.amount is None else format(version.amount, "f"),
        currency=version.currency,
        quantity=None if version.quantity is None else format(version.quantity, "f"),
        unit_price=None if version.unit_price is None else format(version.unit_price, "f"),
        category=version.category,
        problem=version.problem,
        said=said_hash(version),
    )


def said_hash(version: EntryVersion) -> str:
    """Hash of all that a decider may look at in a version; neither time nor amounts are in it."""
    return content_hash(
        {
            "kind": version.kind.value,
            "client": version.client_ref,
            "project": version.project_ref,
            "task": version.task_ref,
            "service_item": version.service_item,
            "tags": "\n".join(version.tags),
            "description": version.description,
            "billable": _HINTS[version.billable_hint],
            "category": version.category,
        }
    )


_HINTS = {None: "", True: "yes", False: "no"}


def is_deleted(row: EntryRow) -> bool:
    """Whether the current version says that the entry is gone."""
    return row.deletion != Deletion.NONE.value


def merge(row: EntryRow, other: EntryRow) -> EntryRow:
    """The row after `other`, a row made of another version of the same entry, arrived; `row` itself when nothing
    changes.

    The result depends on the set of versions, not on their order. What people asserted stays with the entry.
    """
    higher = _order(other) > _order(row)
    if other.content == row.content and other.deletion == row.deletion:
        if not higher:
            return row
        return msgspec.structs.replace(
            row,
            source_revision=other.source_revision,
            mapping_version=other.mapping_version,
            observed_micros=other.observed_micros,
            import_id=other.import_id,
            conflict=row.conflict and _group(row) == _group(other),
            deletion_proposed="",
        )
    alive = not is_deleted(row) and not is_deleted(other)
    conflict = alive and _group(row) == _group(other)
    if not higher:
        return msgspec.structs.replace(row, conflict=True) if conflict and not row.conflict else row
    return msgspec.structs.replace(
        other,
        conflict=conflict,
        assigned_client=row.assigned_client,
        assigned_person=row.assigned_person,
        assigned_project=row.assigned_project,
        held_by=row.held_by,
        released=row.released,
        written_off=row.written_off,
        input_hash=row.input_hash,
        decision=row.decision,
        person_decision=row.person_decision,
    )


def _order(row: EntryRow) -> tuple[int, int, int, int, str]:
    deleted = int(is_deleted(row))
    return (row.source_revision, row.mapping_version, row.observed_micros, deleted, row.content)


def _group(row: EntryRow) -> tuple[int, int, int]:
    """Two contents in one group are a conflict: the source gives them the same revision, or they were seen at once."""
    return (row.source_revision, row.mapping_version, 0 if row.source_revision else row.observed_micros)


def _micros(instant: datetime | None) -> int | None:
    return None if instant is None else instant_micros(instant)


def _date_text(day: date | None) -> str:
    return "" if day is None else day.isoformat()
