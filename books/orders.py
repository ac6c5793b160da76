"""Applies what people order about single entries: assign, correct, hold, release, delete, write off."""

from decimal import Decimal
from typing import assert_never

import msgspec

from billing.classify import LOW_CONFIDENCE
from books.asking import memory_series, text_hash
from books.book import Book, key_of
from books.catalog import Catalog
from books.closing import settled_by_hand
from books.counters import count
from books.effects import Cause, Effects
from books.entries import change, decision_of, holds_of
from books.facts import refuse
from books.releases import CAP, LASTING, release
from books.rows import DecisionPart, EntryRow, MemoryRow, PersonDecisionRow
from books.versions import is_deleted
from schemas.commands import AssignEntry, Command, CorrectEntry, DeleteEntry, HoldEntry, ReleaseEntry, WriteOff
from schemas.entry import Deletion
from schemas.inputs import RANK_ORDER, DecisionRank

EntryOrder = AssignEntry | CorrectEntry | HoldEntry | ReleaseEntry | DeleteEntry | WriteOff


def apply_order(book: Book, catalog: Catalog, order: EntryOrder, cause: Cause, effects: Effects) -> bool:
    """Change one entry as ordered, or refuse the order. True when a close waited for nothing else."""
    row = book.get(EntryRow, order.entry_id)
    problem = _not_orderable(catalog, row, order)
    if problem is not None:
        refuse(book, order, problem[0], problem[1], cause, effects)
        return False
    assert row is not None, "an order about an unknown entry is refused"
    return settled_by_hand(book, change(book, catalog, row, _ordered(book, row, order), cause, effects))


def _not_orderable(catalog: Catalog, row: EntryRow | None, order: EntryOrder) -> tuple[str, str] | None:
    """Why an order is refused: reason code and a sentence."""
    if row is None:
        return "entry_unknown", f"No entry {order.entry_id} was ever read."
    if isinstance(order, DeleteEntry) and not row.deletion_proposed:
        return "deletion_not_proposed", "No import says that this entry is gone."
    if isinstance(order, ReleaseEntry) and order.held_reason not in _releasable(catalog, row):
        return "not_held", f"The entry is not held for {order.held_reason}, or no release settles that."
    return _not_assignable(catalog, row, order) if isinstance(order, AssignEntry) else None


def _releasable(catalog: Catalog, row: EntryRow) -> set[str]:
    """The reasons that hold a row now and that a person may settle; overflow of the caps of its contract included."""
    if is_deleted(row):
        return set()
    found = {hold.reason for hold in holds_of(row)} - LASTING
    agreement = catalog.agreements.get(row.contract_id)
    if agreement is None:
        return found
    decided = decision_of(row)
    if decided is not None and Decimal(decided.confidence) < agreement.document.decide.confidence_min:
        found.add(LOW_CONFIDENCE)
    return found | {f"{CAP}{cap.id}" for cap in agreement.compiled.caps}


def _not_assignable(catalog: Catalog, row: EntryRow, order: AssignEntry) -> tuple[str, str] | None:
    """A name with a typing mistake in it would take an entry out of sight: only what the directory has is given."""
    people = catalog.people.document if catalog.people is not None else None
    clients = {one.id for one in people.clients} if people is not None else set()
    persons = {one.id for one in people.people} if people is not None else set()
    projects = {one.id: one.client for one in people.projects} if people is not None else {}
    client_id = order.client_id or row.client_id
    if order.client_id and order.client_id not in clients:
        return "client_unknown", f"The directory has no client {order.client_id}."
    if order.person_id and order.person_id not in persons:
        return "person_unknown", f"The directory has no person {order.person_id}."
    if order.project_id and projects.get(order.project_id) != client_id:
        return "project_unknown", f"Client {client_id} has no project {order.project_id} in the directory."
    return None


def _ordered(book: Book, row: EntryRow, order: EntryOrder) -> EntryRow:
    match order:
        case AssignEntry():
            return msgspec.structs.replace(
                row,
                assigned_client=order.client_id or row.assigned_client,
                assigned_person=order.person_id or row.assigned_person,
                assigned_project=order.project_id or row.assigned_project,
            )
        case CorrectEntry():
            return _corrected(book, row, order)
        case HoldEntry():
            return msgspec.structs.replace(row, held_by=_by(order))
        case ReleaseEntry():
            return _released(row, order.held_reason)
        case DeleteEntry():
            return _deleted(row)
        case WriteOff():
            return msgspec.structs.replace(row, written_off=_by(order))
        case _:
            assert_never(order)


def _deleted(row: EntryRow) -> EntryRow:
    rivals = tuple(sorted({*row.rivals, row.content}))
    inferred = Deletion.INFERRED.value
    return msgspec.structs.replace(row, deletion=inferred, conflict=False, rivals=rivals, deletion_proposed="")


def _by(order: Command) -> str:
    return f"{order.person}: {order.reason}"


def _released(row: EntryRow, reason: str) -> EntryRow:
    if reason == "held_by_person":
        return msgspec.structs.replace(row, held_by="")
    if reason == "deletion_proposed":
        return msgspec.structs.replace(row, deletion_proposed="")
    return release(row, reason)


def _corrected(book: Book, row: EntryRow, order: CorrectEntry) -> EntryRow:
    part = DecisionPart(
        rank=RANK_ORDER[DecisionRank.PERSON],
        version=1,
        decider=order.person,
        category=order.category.value,
        service_item=order.service_item,
        utbms_task=order.utbms_task,
        utbms_activity=order.utbms_activity,
        confidence="1",
        held_reason="",
        evidence=(_by(order),),
    )
    book.put(key_of(row.entry_id, row.said), PersonDecisionRow(part=part))
    if order.remember and row.client_id:
        key = key_of(row.client_id, text_hash(row.description))
        book.put(key, MemoryRow(part=part, entry_id=row.entry_id))
        count(book, memory_series(row.client_id))
    return msgspec.structs.replace(row, person_decision=part, standing=None)
