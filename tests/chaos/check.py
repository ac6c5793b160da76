"""What must hold when the storm is over, judged from the topics, the stores and the plan alone."""

from collections.abc import Collection, Sequence
from pathlib import Path

from billstream.simulating.findings import Findings
from billstream.simulating.judging import judge_alerts, judge_documents, judge_drafts, seen_once
from billstream.simulating.oracle.calculator import Calculator
from books.book import Book
from books.local import Follower
from books.rows import EntryRow, OpenFactRow, OpenWorkRow
from books.stores.memory import MemoryStore
from books.stores.port import StoreUnusable
from books.stores.sqlite import SqliteStore
from books.testing import BOOK, TENANT
from books.versions import is_deleted
from schemas.entry import Deletion
from schemas.values import Record
from tests.chaos.firm import Plan

Numbered = Sequence[tuple[int, Record]]


def judge(plan: Plan, journal: Numbered, documents: Numbered, alerts: Numbered, follower: Follower) -> Findings:
    """Everything again from the journal, in the plainest way."""
    found = Findings()
    in_journal = {record.envelope.event_id for _, record in journal}
    for record in (*plan.setup, *(record for chunk in plan.chunks for record in chunk)):
        if record.envelope.event_id not in in_journal:
            found.lost.append(f"{type(record).__name__} {record.envelope.event_id} is not in the journal")
    _judge_entries(plan, follower, found)
    found.lost += nothing_is_open(follower)
    calculator = Calculator(journal, TENANT, BOOK)
    judge_drafts(calculator, found)
    judge_documents(calculator, seen_once(documents), documents, found)
    judge_alerts(journal, alerts, found)
    return found


def _judge_entries(plan: Plan, follower: Follower, found: Findings) -> None:
    """Each entry is there as its highest version says, and nothing else is."""
    rows = dict(_book(follower).scan(EntryRow))
    for entry_id, version in plan.final.items():
        row = rows.pop(entry_id, None)
        if row is None:
            found.lost.append(f"entry {version.source_entry_id} has no row")
        elif is_deleted(row) != (version.deletion is not Deletion.NONE) or row.content != version.content:
            found.differing.append(f"entry {version.source_entry_id} is not its highest version")
    found.doubled += [f"entry {key} was never sent" for key in rows]


def _book(follower: Follower) -> Book:
    return Book(follower.rows, TENANT, BOOK)


def nothing_is_open(follower: Follower) -> list[str]:
    """Facts that were never read back, and questions that nobody answered."""
    kinds = (OpenFactRow, OpenWorkRow)
    return [f"{kind.table} {key!r} is still open" for kind in kinds for key, _ in follower.rows.scan(kind.table)]


def judge_stores(
    folder: Path,
    partition: int,
    journal: Numbered,
    rebuild: MemoryStore,
    without: Collection[Path] = (),
    torn: Collection[Path] = (),
) -> list[str]:
    """Each worker's store of the partition against a rebuild up to the store's own offset.

    Those in `without` nobody used any more; in one that was `torn` a damaged page may wait for its first reader.
    The rebuild goes on to the end of the journal, so that it can be asked what stands there.
    """
    wrong = []
    for position, name, digest in sorted(stores_in(folder, partition, rebuild.position.fold_version, without, torn)):
        Follower(rebuild).apply([pair for pair in journal if pair[0] < position])
        if digest != rebuild.digest():
            wrong.append(f"the store of worker {name} at offset {position} is not what the journal gives")
    if not rebuild.position.next_offset:
        wrong.append("no store holds anything")
    Follower(rebuild).apply(journal)
    return wrong


def stores_in(
    folder: Path, partition: int, fold_version: str, without: Collection[Path], torn: Collection[Path]
) -> list[tuple[int, str, str]]:
    """Offset, worker and digest of each store that holds something."""
    found = []
    for file in folder.glob(f"**/books/{partition:04d}.sqlite"):
        if file in without:
            continue
        try:
            store = SqliteStore(file, fold_version)
            if store.position.next_offset:
                found.append((store.position.next_offset, str(file.parent.parent.relative_to(folder)), store.digest()))
            store.close()
        except StoreUnusable:
            if file not in torn:
                raise
    return found
