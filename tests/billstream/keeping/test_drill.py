"""The restore drill: an installation at work is backed up, destroyed and put back elsewhere, by the commands.

Before that its past is looked at and its rows are proven; nothing of all this publishes anything.
"""

import asyncio
import hashlib
import io
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from aiokafka import AIOKafkaProducer

from billstream.cli import run
from billstream.demo.run import FIRM
from billstream.keeping.parts import all_specs, groups
from runtime.clock import SystemClock
from runtime.kafka import KafkaConnection, spans
from runtime.kafka.groups import committed_offsets
from runtime.kafka.reading import partition_reader
from runtime.kafka.segments import KeptRecord, kept
from streams import sending
from streams.installation import APPLICATION_ID
from streams.topics import DOCUMENTS, HOURS, JOURNAL, WORK, book_partition

pytestmark = pytest.mark.broker
LIMIT_SECONDS = 300
PARTITIONS = 4
TOPICS = [spec.name for spec in all_specs(APPLICATION_ID, PARTITIONS, 1)]
HOME = book_partition("hafenstein", "berlin", PARTITIONS)
Records = Mapping[tuple[str, int], list[KeptRecord]]
Answer = Any


@dataclass
class Firm:
    """A project folder and the programs of a person who works in it."""

    folder: Path
    environment: dict[str, str]
    running: "subprocess.Popen[bytes] | None" = None

    def type(self, *arguments: str, codes: tuple[int, ...] = (0,)) -> Answer:
        """Run a command with --json; its answer. In this process, for a new one takes a second to begin."""
        said, complained = io.StringIO(), io.StringIO()
        with (
            patch.dict(os.environ, self.environment, clear=True),
            redirect_stdout(said),
            redirect_stderr(complained),
        ):
            code = run([*arguments, "--json", "--project", str(self.folder)])
        assert code in codes, said.getvalue()[-2000:] + complained.getvalue()[-2000:]
        return json.loads(said.getvalue())

    def up(self) -> None:
        """Start everything and wait until it answers."""
        with (self.folder.parent / "up.log").open("ab") as log:
            command = [sys.executable, "-m", "billstream", "up", "--project", str(self.folder)]
            self.running = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)
        until(lambda: "code" not in self.type("status", codes=(0, 69, 75)))

    def down(self) -> None:
        """Stop everything; harmless when nothing runs."""
        if self.running is not None:
            self.running.send_signal(signal.SIGTERM)
            assert self.running.wait(LIMIT_SECONDS) == 0
            self.running = None

    def connection(self) -> KafkaConnection:
        """The broker that runs in the folder."""
        return KafkaConnection(bootstrap_servers=self.type("status")["broker"])


@dataclass
class Story:
    """What was seen on the way; each test looks at one part of it."""

    firm: Firm
    accounting: Path
    past: Answer = None
    documents: Answer = None
    preview: Answer = None
    sent: dict[str, str] = field(default_factory=dict)
    records: Records = field(default_factory=dict)
    offsets: Mapping[str, Mapping[tuple[str, int], int]] = field(default_factory=dict)
    backups: list[Answer] = field(default_factory=list)
    restored: Answer = None
    proven: Answer = None
    again: Answer = None


def until(done: Callable[[], bool]) -> None:
    """Ask again until something holds."""
    clock = SystemClock()
    end_seconds = clock.monotonic_seconds() + LIMIT_SECONDS
    while not done():
        assert clock.monotonic_seconds() < end_seconds, "it took too long"
        time.sleep(0.2)


def delivered(firm: Firm) -> bool:
    """Nothing is open any more."""
    stands = firm.type("status")
    return (stands["open_work"], stands["waiting_closes"]) == (0, 0)


def contents(folder: Path) -> dict[str, str]:
    """Every file of a folder by its hash."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


async def everything(connection: KafkaConnection) -> Records:
    """All records of an installation but those of `work`."""
    found: dict[tuple[str, int], list[KeptRecord]] = {}
    async with partition_reader(connection) as reader:
        names = [name for name in TOPICS if name != WORK]
        for (topic, partition), span in (await spans(connection, names)).items():
            parts = [raw async for raw in reader.read(topic, partition, span.beginning, span.end)]
            found[topic, partition] = [kept(one) for raw in parts for one in raw]
    return found


@pytest.fixture(scope="module")
def environment(broker_cache: Path) -> dict[str, str]:
    """Nothing of ours but the cache, and a free port for health."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("BILLSTREAM_")}
    return {**inherited, "BILLSTREAM_CACHE": str(broker_cache), "BILLSTREAM_HEALTH_PORT": "0"}


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> Iterator[Story]:
    """Work, back up, work on, back up, lose everything but the accounting system, restore, prove, go on."""
    folder = tmp_path_factory.mktemp("drill")
    accounting = folder / "accounting"
    shutil.copytree(FIRM, folder / "firm")
    settings = folder / "firm" / "billstream.yaml"
    settings.write_text(settings.read_text().replace("folder: drafts", f"folder: {accounting}"))
    firm = Firm(folder / "firm", environment)
    told = Story(firm, accounting)
    try:
        work(told)
        lose_and_restore(told, folder)
        yield told
    finally:
        told.firm.down()


def work(told: Story) -> None:
    """A month is imported, closed, and one invoice issued; between the two backups another one."""
    firm = told.firm
    firm.up()
    firm.type("contracts", "apply")
    firm.type("import", str(firm.folder / "exports"), codes=(0, 6))
    until(lambda: delivered(firm))
    firm.type("close", "--period", "2026-10", codes=(0, 6))
    issue(firm, "pavlik")
    until(lambda: delivered(firm))
    told.past = firm.type("status")
    told.backups.append(firm.type("backup", str(firm.folder.parent / "backup")))
    issue(firm, "lumen")
    until(lambda: delivered(firm))
    # The worker is stopped, so that no tick comes between the backup and what is compared with it.
    firm.down()
    told.backups.append(firm.type("backup", str(firm.folder.parent / "backup")))


def issue(firm: Firm, client: str) -> None:
    """Approve and issue the invoice of a client."""
    (draft,) = [one for one in firm.type("documents")["documents"] if one["client"] == client]
    firm.type("approve", draft["document_id"], "--issue", codes=(0, 6))


def lose_and_restore(told: Story, folder: Path) -> None:
    """Only the backup and the accounting system are left; a new folder gets everything back."""
    old = told.firm
    told.sent = contents(told.accounting)
    with embedded(old) as connection:
        told.documents = old.type("documents")
        told.preview = old.type("preview", "--period", "2026-11", codes=(0, 6))
        told.records = asyncio.run(everything(connection))
        told.offsets = asyncio.run(committed_offsets(connection, groups(APPLICATION_ID)))
    shutil.rmtree(old.folder)
    told.firm = Firm(folder / "new", old.environment)
    told.restored = told.firm.type("restore", str(folder / "backup"), codes=(6,))


class embedded:  # noqa: N801  # reads as what it is: with the embedded broker running
    """The broker of a project for the length of a block, without a worker."""

    def __init__(self, firm: Firm) -> None:
        from billstream.bootstrap import embedded_broker
        from billstream.cli.session import Session
        from billstream.project import open_project

        session = Session(quiet=True, project=firm.folder, environment=firm.environment)
        self._broker = embedded_broker(session, open_project(firm.folder, firm.environment))

    def __enter__(self) -> KafkaConnection:
        asyncio.run(self._broker.start())
        return KafkaConnection(bootstrap_servers=self._broker.bootstrap_servers)

    def __exit__(self, *failed: object) -> None:
        asyncio.run(self._broker.stop())


def test_the_drill(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step in its order; what a step needs is what the one before left."""
    with embedded(story.firm) as connection:
        nothing_is_published_by_questions(story, connection, monkeypatch)
        records_and_offsets_are_the_same(story, connection)
        nothing_is_sent_before_the_proof(story)
        the_proof_looks_at_everything(story)
    work_goes_on(story)


def nothing_is_published_by_questions(
    story: Story, connection: KafkaConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """rebuild, replay and --as-of make no producer, load no sink, and leave every topic and group as it was."""
    before = asyncio.run(spans(connection, [*TOPICS, sending.SENDING_HELD]))
    offsets = asyncio.run(committed_offsets(connection, groups(APPLICATION_ID)))

    def never(*arguments: object, **named: object) -> None:
        raise AssertionError("a producer was made")

    with monkeypatch.context() as patched:
        patched.setattr(AIOKafkaProducer, "__init__", never)
        ask = partial(story.firm.type, codes=(0, 6))
        then = str(story.past["journal_offset"])
        rebuilt = ask("rebuild")
        replayed = ask("replay", "--until", then, "--period", "2026-10", "--client", "pavlik")
        past = ask("status", "--as-of", then)
        old = ask("documents", "--as-of", then)
        earliest = ask("replay", "--until", "2020-01-01")
    assert asyncio.run(spans(connection, [*TOPICS, sending.SENDING_HELD])) == before
    assert asyncio.run(committed_offsets(connection, groups(APPLICATION_ID))) == offsets
    assert {one["verdict"] for one in rebuilt["stores"]} == {"same"}
    assert {name: value for name, value in past.items() if name != "broker"} == {
        name: value for name, value in story.past.items() if name != "broker"
    }
    assert replayed["status"]["journal_offset"] == int(then) < replayed["journal_end"]
    assert [one["client"] for one in replayed["status"]["documents"]] == ["pavlik"]
    states = {one["client"]: one["state"] for one in old["documents"]}
    assert (states["pavlik"], states["lumen"]) == ("issued", "draft")
    assert (earliest["offset"], earliest["tables"], earliest["status"]["entries"]) == (0, [], 0)


def records_and_offsets_are_the_same(story: Story, connection: KafkaConnection) -> None:
    """Every record stands where it stood, and groups go on where they were, but for `work`, which is asked anew."""
    first, second = story.backups
    assert 0 < second["new_records"] < first["new_records"]
    records = asyncio.run(everything(connection))
    offsets = asyncio.run(committed_offsets(connection, groups(APPLICATION_ID)))
    assert records[JOURNAL, HOME] == story.records[JOURNAL, HOME]
    assert records[DOCUMENTS, HOME] == story.records[DOCUMENTS, HOME]
    # Compaction may have taken older hours away on either side; what is left of each key is the same.
    assert newest(records[HOURS, HOME]) == newest(story.records[HOURS, HOME])
    assert {name: len(found) for name, found in records.items()} == {
        name: len(found) for name, found in story.records.items()
    }
    kept_offsets = {
        group: {place: offset for place, offset in places.items() if place[0] != WORK}
        for group, places in story.offsets.items()
    }
    assert offsets == kept_offsets
    assert offsets[groups(APPLICATION_ID)[0]]


def newest(records: list[KeptRecord]) -> dict[bytes | None, bytes | None]:
    return {one.key: one.value for one in records}


def nothing_is_sent_before_the_proof(story: Story) -> None:
    """The restore says so, and a worker that would only deliver does not start."""
    assert (story.restored["sending"], story.restored["verified"]) == ("held", False)
    told = story.firm.type("worker", "--role", "deliver", codes=(78,))
    assert told["code"] == "sending_held"


def the_proof_looks_at_everything(story: Story) -> None:
    """A document that is missing at its sink keeps sending held; when it is back, everything holds."""
    (missing,) = story.accounting.rglob("issued-0001*.json")
    content = missing.read_bytes()
    missing.unlink()
    told = story.firm.type("restore", "--verify", codes=(5,))
    assert told["sending"] == "held"
    assert [one["about"] for one in told["proofs"] if not one["holds"]] == [
        one["about"] for one in told["proofs"] if "sinks" in one["about"]
    ]
    missing.write_bytes(content)
    proven = story.firm.type("restore", "--verify")
    assert (proven["sending"], proven["verified"]) == ("allowed", True)
    assert (proven["documents"], proven["receipts"]) == (10, 20)


def work_goes_on(story: Story) -> None:
    """The same documents and previews to the byte; the next invoice gets the next number; no file changed."""
    firm = story.firm
    firm.up()
    assert firm.type("documents") == story.documents
    assert firm.type("preview", "--period", "2026-11", codes=(0, 6))["documents"] == story.preview["documents"]
    issue(firm, "solberg")
    until(lambda: delivered(firm))
    numbers = {one["client"]: one["number"] for one in firm.type("documents")["documents"] if one["number"]}
    assert numbers == {"pavlik": "0001", "lumen": "0002", "solberg": "0003"}
    after = contents(story.accounting)
    assert {name: digest for name, digest in after.items() if name in story.sent} == story.sent
    added = set(after) - set(story.sent)
    assert added
    assert all(name.startswith("solberg-") for name in added)
    assert firm.type("rebuild", "--replace", codes=(7,))["code"] == "worker_running"
    assert {one["verdict"] for one in firm.type("rebuild")["stores"]} == {"same"}
    firm.down()
    replaced = firm.type("rebuild", "--replace")
    assert all(one["replaced"] for one in replaced["stores"])
    (home,) = [one for one in replaced["stores"] if one["partition"] == HOME]
    with sqlite3.connect(home["file"]) as changed:
        changed.execute("DELETE FROM row WHERE kind = 'clock'")
    changed.close()
    told = firm.type("rebuild", "--partition", str(HOME), codes=(5,))
    (wrong,) = told["stores"][0]["differences"]
    assert (told["stores"][0]["verdict"], wrong["table"], wrong["stored"]) == ("differs", "clock", "")
    assert wrong["rebuilt"]
