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
        rivals=(),
        import_id=version.import_id,
        import_micros=instant_micros(version.observed_at) if version.import_id else 0,
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


_NOT_DELETED = Deletion.NONE.value
_HINTS = {None: "", True: "yes", False: "no"}


def is_deleted(row: EntryRow) -> bool:
    """Whether the current version says that the entry is gone."""
    return row.deletion != _NOT_DELETED


def merge(row: EntryRow, other: EntryRow) -> EntryRow:
    """The row after `other`, a row made of another version of the same entry, arrived; `row` itself when nothing
    changes.

    The result depends on the set of versions, not on their order. What people asserted stays with the entry.
    """
    higher = _order(other) > _order(row)
    rivals = _rivals(row, other, higher)
    import_micros, import_id = max((row.import_micros, row.import_id), (other.import_micros, other.import_id))
    top = _raised(row, other) if higher else row
    seen_again = higher or import_id != row.import_id
    merged = msgspec.structs.replace(
        top,
        rivals=rivals,
        conflict=bool(rivals) and not is_deleted(top),
        import_id=import_id,
        import_micros=import_micros,
        deletion_proposed="" if seen_again else row.deletion_proposed,
    )
    return row if merged == row else merged


def _raised(row: EntryRow, other: EntryRow) -> EntryRow:
    """The higher version `other` in place of the row; what the row says is kept when both say the same."""
    if other.content == row.content and other.deletion == row.deletion:
        return msgspec.structs.replace(
            row,
            source_revision=other.source_revision,
            mapping_version=other.mapping_version,
            observed_micros=other.observed_micros,
        )
    return msgspec.structs.replace(
        other,
        assigned_client=row.assigned_client,
        assigned_person=row.assigned_person,
        assigned_project=row.assigned_project,
        held_by=row.held_by,
        released=row.released,
        written_off=row.written_off,
        input_hash=row.input_hash,
        decision=row.decision,
        person_decision=row.person_decision,
        standing=row.standing,
    )


def _rivals(row: EntryRow, other: EntryRow, higher: bool) -> tuple[str, ...]:  # noqa: FBT001 - computed by the caller
    """The other contents that living versions of the highest version's revision have, sorted."""
    top, lower = (other, row) if higher else (row, other)
    if _group(row) != _group(other):
        return () if higher else row.rivals
    said = {*row.rivals, *(() if is_deleted(lower) else (lower.content,))}
    return tuple(sorted(said - (set() if is_deleted(top) else {top.content})))


_DELETION_RANK = {Deletion.NONE.value: 0, Deletion.INFERRED.value: 1, Deletion.REPORTED.value: 2}


def _order(row: EntryRow) -> tuple[int, int, int, int, str]:
    deleted = _DELETION_RANK.get(row.deletion, 3)
    return (row.source_revision, row.mapping_version, row.observed_micros, deleted, row.content)


def _group(row: EntryRow) -> tuple[int, int, int]:
    """Two contents in one group are a conflict: the source gives them the same revision, or they were seen at once."""
    return (row.source_revision, row.mapping_version, 0 if row.source_revision else row.observed_micros)


def _micros(instant: datetime | None) -> int | None:
    return None if instant is None else instant_micros(instant)


def _date_text(day: date | None) -> str:
    return "" if day is None else day.isoformat()
