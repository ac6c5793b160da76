"""Applies decisions: the highest rank wins, then the newest decider, then the first in the journal (rule 11)."""

import msgspec

from books.book import Book, key_of
from books.catalog import Catalog
from books.closing import decision_arrived
from books.counters import count
from books.effects import Cause, Effects
from books.entries import ORPHANS, recount
from books.rows import DecisionPart, DecisionRow, EntryRow, OpenWorkRow
from schemas.inputs import RANK_ORDER, Decision


def apply_decision(book: Book, catalog: Catalog, decision: Decision, cause: Cause, effects: Effects) -> bool:
    """Keep a decision if it is better than the one we have, and let the entry's counts follow. True when it was the
    last one that a close waited for.
    """
    book.delete(OpenWorkRow, decision.request_id)
    key = key_of(decision.entry_id, decision.input_hash)
    part = part_of(decision)
    known = book.get(DecisionRow, key)
    if known is not None and (known.part.rank, known.part.version) >= (part.rank, part.version):
        return False
    book.put(key, DecisionRow(part=part))
    row = book.get(EntryRow, decision.entry_id)
    if row is None:
        count(book, ORPHANS)
    elif row.input_hash == decision.input_hash:
        settle_decided(book, catalog, row, part, cause, effects)
    return decision_arrived(book, decision.entry_id, decision.input_hash)


def settle_decided(
    book: Book, catalog: Catalog, row: EntryRow, part: DecisionPart, cause: Cause, effects: Effects
) -> None:
    """Give a row its decision; names, days and duplicates stay as they are."""
    recount(book, catalog, row, msgspec.structs.replace(row, decision=part, standing=None), cause, effects)


def part_of(decision: Decision) -> DecisionPart:
    """The decision as rows keep it."""
    return DecisionPart(
        rank=RANK_ORDER[decision.rank],
        version=decision.decider_version,
        decider=decision.decider,
        category=decision.category.value,
        service_item=decision.service_item,
        utbms_task=decision.utbms_task,
        utbms_activity=decision.utbms_activity,
        confidence=format(decision.confidence, "f"),
        held_reason=decision.held_reason,
        evidence=decision.evidence,
    )
