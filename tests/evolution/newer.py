"""A program of a later release, to write what this one cannot read: run with its own, changed copy of `schemas`.

`python newer.py write FOLDER` leaves records there; `python newer.py fold STORE JOURNAL` folds a journal of hex lines.
"""

import sys
from pathlib import Path

from books.local import Follower
from books.rows import EntryRow
from books.stores.sqlite import open_or_rebuild
from books.testing import Story, entry, entry_id, envelope
from books.version import FOLD_VERSION
from schemas.codec import decode, encode
from schemas.inputs import DeliveryState
from schemas.outputs import OutboxAttempt
from schemas.work import DecideEntry, DeliverDocument
from streams.agents.sequence import checked_input
from streams.topics import TIME_ENTRIES

NEWER_ENTRY = "newer"


def write(folder: Path) -> None:
    """A journal in hex lines that ends with entries of this release; one of these; a request and an attempt."""
    asked: list[DecideEntry | DeliverDocument] = []

    def answer(request: DecideEntry | DeliverDocument) -> None:
        asked.append(request)

    story = Story(answer).begin()
    story.say(entry("a"), entry(NEWER_ENTRY, "2026-10-06T09:00", "2", urgency="high"), entry("b", "2026-10-07T09:00"))
    values = [encode(record) for record in story.journal.records]
    (folder / "journal").write_text("\n".join(value.hex() for value in values), encoding="ascii")
    (folder / "entry").write_bytes(encode(entry(NEWER_ENTRY, "2026-10-06T09:00", "2", urgency="high")))
    (folder / "request").write_bytes(encode(asked[0]))
    attempt = OutboxAttempt(
        envelope=envelope("attempt-1"),
        request_id="request-1",
        document_id="document-1",
        sink="json",
        generation=1,
        attempt=1,
        state=DeliveryState.SENDING,
    )
    (folder / "attempt").write_bytes(encode(attempt))


def fold(store: Path, journal: Path) -> None:
    """Fold a journal into a store from where it stands, and say what it holds of the newer entry."""
    opened = open_or_rebuild(store, FOLD_VERSION)
    began = opened.position.next_offset
    values = [bytes.fromhex(line) for line in journal.read_text(encoding="ascii").splitlines()]
    follower = Follower(opened)
    follower.apply((offset, decode(value)) for offset, value in enumerate(values))
    found = {key.rsplit("\x1f", 1)[1] for key, _ in opened.rows.scan(EntryRow.table)}
    print(began, opened.position.next_offset, entry_id(NEWER_ENTRY) in found)
    opened.close()


def sequence(value: Path) -> None:
    """Check a record of `time-entries` as the workers do, and say which entry it is."""
    print(
        checked_input(value.read_bytes(), TIME_ENTRIES, 0, 1)
        == entry(NEWER_ENTRY, "2026-10-06T09:00", "2", urgency="high")
    )


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["write", folder]:
            write(Path(folder))
        case ["fold", store, journal]:
            fold(Path(store), Path(journal))
        case ["sequence", value]:
            sequence(Path(value))
        case other:
            raise SystemExit(f"what is {other}?")
