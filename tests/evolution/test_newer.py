"""Old programs and new records: what only a later release can read is kept whole, or the program stops before it.

The later release is a copy of `schemas` with a new field in entries and new ids for requests and attempts.
The house's own generator makes it, and it runs in a process of its own.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiokafka import ConsumerRecord

from billstream.keeping.folding import SilentFold
from books.stores.memory import MemoryStore
from books.stores.sqlite import SqliteStore
from books.testing import BOOK, TENANT, entry
from books.version import FOLD_VERSION
from runtime.clock import SystemClock
from schemas.codec import decode, encode, schema_id_of
from schemas.errors import NewerSchema
from schemas.outputs import DeadLetter
from streams.agents.categorise import CategoriseHandler, CategoriseSettings
from streams.agents.fold import FoldHandler, FoldSettings
from streams.agents.outbox import attempts_of
from streams.agents.sequence import SequenceHandler, SequenceSettings
from streams.deciding.offline import OfflineDecider
from streams.engine.batch import Batch, Settling, settled
from streams.engine.errors import EngineFault
from streams.engine.publisher import Outgoing
from streams.tails import fingerprint
from streams.topics import ALERTS, DEAD_LETTERS, DOCUMENTS, HOURS, JOURNAL, TIME_ENTRIES, WORK

# file -> (what it says now, what it says in the later release)
CHANGES: Mapping[str, Sequence[tuple[str, str]]] = {
    "entry.py": (
        ("schema_id: ClassVar[int] = 1001", "schema_id: ClassVar[int] = 7001"),
        ('    problem: str = ""\n', '    problem: str = ""\n    urgency: str = ""\n'),
    ),
    "work.py": (("schema_id: ClassVar[int] = 1401", "schema_id: ClassVar[int] = 7401"),),
    "outputs.py": (("schema_id: ClassVar[int] = 1504", "schema_id: ClassVar[int] = 7504"),),
}


@dataclass(frozen=True)
class LaterRelease:
    """A release after this one: its package of schemas, and the records it wrote."""

    folder: Path
    program: Path

    def run(self, *arguments: object) -> str:
        """Run its program; returns what that says."""
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(self.folder), str(self.program.parents[2])])}
        command = [sys.executable, *(str(one) for one in arguments)]
        done = subprocess.run(command, env=environment, cwd=self.folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def bytes_of(self, name: str) -> bytes:
        """One of the records it wrote."""
        return (self.folder / name).read_bytes()

    @property
    def journal(self) -> list[bytes]:
        """The journal it wrote."""
        return [bytes.fromhex(line) for line in (self.folder / "journal").read_text(encoding="ascii").splitlines()]


@pytest.fixture(scope="module")
def later(tmp_path_factory: pytest.TempPathFactory, repository_root: Path) -> LaterRelease:
    """The later release, its schemas generated and registered by the house's own program."""
    folder = tmp_path_factory.mktemp("later")
    shutil.copytree(repository_root / "schemas", folder / "schemas", ignore=shutil.ignore_patterns("__pycache__"))
    for name, changes in CHANGES.items():
        path = folder / "schemas" / name
        text = path.read_text(encoding="utf-8")
        for before, after in changes:
            assert text.count(before) == 1, before
            text = text.replace(before, after)
        path.write_text(text, encoding="utf-8")
    release = LaterRelease(folder, repository_root / "tests/evolution/newer.py")
    release.run("-m", "schemas.generate", "--release", "999.0.0")
    release.run(release.program, "write", folder)
    return release


class MemoryPublisher:
    """Keeps what is published."""

    def __init__(self) -> None:
        self.published: list[Outgoing] = []

    async def publish(self, outgoing: Sequence[Outgoing]) -> None:
        """See `Publisher`."""
        self.published += outgoing

    async def post(self, outgoing: Sequence[Outgoing]) -> Settling:
        """See `Publisher`."""
        await self.publish(outgoing)
        return settled()

    def letters(self) -> list[DeadLetter]:
        """The dead letters among it."""
        found = [decode(one.value) for one in self.published if one.topic == DEAD_LETTERS]
        return [one for one in found if isinstance(one, DeadLetter)]


class KnownJournal:
    """The journal as the broker holds it; nothing was published of it yet."""

    def __init__(self, whole: Batch) -> None:
        self._records = whole.records

    async def journal_bounds(self, partition: int) -> tuple[int, int]:
        """See `Tails`."""
        return 0, len(self._records)

    async def journal_fingerprint(self, partition: int, offset: int) -> str | None:
        """See `Tails`."""
        return fingerprint(self._records[offset])

    async def highest_origins(self, partition: int) -> Mapping[str, int]:
        """See `Tails`."""
        return dict.fromkeys((DOCUMENTS, ALERTS, HOURS), -1)


def batch(topic: str, values: Sequence[bytes]) -> Batch:
    """Records of a topic from its beginning."""
    records = [
        ConsumerRecord(topic, 0, number, 1_790_000_000_000, 0, None, value, 0, 0, len(value), ())
        for number, value in enumerate(values)
    ]
    return Batch(topic, 0, records, len(values), len(values))


def test_the_later_release_is_one(later: LaterRelease) -> None:
    """Its records carry ids that nobody here knows, and are named as what they are."""
    assert schema_id_of(later.bytes_of("entry")) == 7001
    with pytest.raises(NewerSchema, match="7001"):
        decode(later.bytes_of("entry"))


async def test_a_newer_entry_is_kept_whole_and_comes_in_after_the_upgrade(later: LaterRelease, tmp_path: Path) -> None:
    """An old `sequence` holds it as a dead letter and goes on; the bytes of the letter are what newer workers take."""
    publisher = MemoryPublisher()
    value = later.bytes_of("entry")
    handler = SequenceHandler(SequenceSettings(TENANT, BOOK, 1), publisher)  # type: ignore[arg-type]  # to memory
    await (await handler.process(batch(TIME_ENTRIES, [encode(entry("a")), value, encode(entry("b"))])))
    (letter,) = publisher.letters()
    assert (letter.reason, letter.wire_schema_id, letter.value) == ("schema_newer", 7001, value)
    assert [one.topic for one in publisher.published] == [JOURNAL, DEAD_LETTERS, JOURNAL]
    (tmp_path / "letter").write_bytes(letter.value)
    assert later.run(later.program, "sequence", tmp_path / "letter") == "True"


async def test_an_old_fold_stops_before_a_newer_record(later: LaterRelease, tmp_path: Path) -> None:
    """It passes over nothing: its rows stay before the record, nothing is published, and the newer release goes on from
    that very store.
    """
    publisher, path, whole = MemoryPublisher(), tmp_path / "0.sqlite", batch(JOURNAL, later.journal)
    handler = FoldHandler(
        FoldSettings(TENANT, BOOK, 1),
        lambda partition: SqliteStore(path, FOLD_VERSION),
        publisher,  # type: ignore[arg-type]  # publishes to memory
        KnownJournal(whole),
    )
    at = next(number for number, value in enumerate(later.journal) if schema_id_of(value) == 7001)
    await handler.assigned(0, None)
    await (await handler.process(batch(JOURNAL, later.journal[:at])))
    await handler.revoked(0)
    await handler.assigned(0, None)
    with pytest.raises(EngineFault, match="newer release") as caught:
        await (await handler.process(whole))
    assert caught.value.code == "journal_newer"
    await handler.revoked(0)
    assert publisher.published == []
    assert later.run(later.program, "fold", path, later.folder / "journal") == f"{at} {len(later.journal)} True"


def test_nothing_is_computed_from_a_journal_that_is_too_new(later: LaterRelease) -> None:
    """`rebuild`, `verify` and the like say that they are too old; they never leave the record out."""
    raw = batch(JOURNAL, later.journal).records
    silent = SilentFold(MemoryStore(FOLD_VERSION))
    with pytest.raises(NewerSchema, match="newer release"):
        silent.apply(raw)
    assert silent.next_offset == 0


async def test_a_newer_request_is_held(later: LaterRelease) -> None:
    """An old `categorise` keeps it as a letter; it is open in the rows of its book, so it is asked again, too."""
    publisher = MemoryPublisher()
    settings = CategoriseSettings(TENANT, BOOK, 1)
    handler = CategoriseHandler(settings, publisher, OfflineDecider(), SystemClock())  # type: ignore[arg-type]
    await (await handler.process(batch(WORK, [later.bytes_of("request")])))
    assert [letter.reason for letter in publisher.letters()] == ["schema_newer"]


def test_nobody_sends_on_an_outbox_that_is_too_new(later: LaterRelease) -> None:
    """A newer attempt may say that the document is on its way: who cannot read it stops."""
    with pytest.raises(EngineFault, match="newer release"):
        attempts_of([later.bytes_of("attempt")])
    assert attempts_of([None, b"rubbish"]) == []
