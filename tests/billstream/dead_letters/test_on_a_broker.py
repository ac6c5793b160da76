"""Poison between good entries on a real broker: nothing waits for it, and every letter is settled as a person would."""

import asyncio
import json
import os
import signal
import sqlite3
import struct
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from aiokafka import AIOKafkaProducer

from billstream.cli import run
from books.testing import contract, directory, entry, entry_id, envelope, firm, terms
from runtime.clock import SystemClock
from runtime.kafka import KafkaConnection, ensure_topics
from schemas.codec import encode, encode_fields
from schemas.entry import EntryVersion
from schemas.inputs import ClockTick, Payment
from schemas.outputs import HoursTotal
from schemas.values import Record
from streams.engine.publisher import Outgoing, Publisher
from streams.topics import COMMANDS, INPUT_BYTES_MAX, JOURNAL, TIME_ENTRIES, WORK, book_partition, topic_specs

pytestmark = pytest.mark.broker
TENANT, BOOK = "poisoned", "main"
PARTITIONS = 4
HOME = book_partition(TENANT, BOOK, PARTITIONS)
START_SECONDS = 60
BEHIND_POISON_SECONDS = 5
CENSUS_SECONDS_MAX = 60
LOOKS = 30
LARGE_BYTES = 16_000_000
LIST_COMMAND = (sys.executable, "-m", "billstream", "dead-letters", "list", "--all")
RETAINER: dict[str, object] = {"id": "retainer", "threshold": "200.00", "target": "1000.00", "received": []}
STRAY = HoursTotal(
    envelope=envelope("stray"),
    client_id="acme",
    week="2026-W41",
    role="senior",
    person_id="dana",
    worked_seconds=1,
    billable_seconds=1,
    held_seconds=0,
    entries=1,
    origin_offset=0,
)
Typed = Callable[..., Awaitable[Any]]


def ours(record: Record) -> Record:
    """The record as one of this module's book."""
    return record.model_copy(update={"envelope": record.envelope.model_copy(update={"tenant": TENANT})})


def good(name: str) -> Outgoing:
    return Outgoing(TIME_ENTRIES, HOME, entry_id(name).encode(), encode(ours(entry(name))))


def broken(name: str, **fields: object) -> bytes:
    """An entry version with values that no entry can have."""
    return encode_fields(EntryVersion, {**ours(entry(name)).model_dump(), **fields})


@dataclass(frozen=True)
class Installation:
    """A project with a worker, and a producer that writes whatever it likes."""

    folder: Path
    servers: str
    health: str
    publisher: Publisher

    async def write(self, *records: Outgoing) -> None:
        """Return when the broker has them."""
        await self.publisher.publish(records)

    async def arrived(self, name: str, within_seconds: float) -> float:
        """How long it took until an entry was in committed rows."""
        return await until(lambda: self.in_rows(name), within_seconds)

    def in_rows(self, name: str) -> bool:
        """Whether a worker's committed rows hold an entry."""
        return any(
            holds_entry(store, f"{TENANT}%{entry_id(name)}")
            for store in self.folder.glob("data/workers/*/books/*.sqlite")
        )


def holds_entry(store: Path, like: str) -> bool:
    """Whether a store has committed the entry; one that is being made has not."""
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as rows:
        try:
            found = rows.execute("SELECT 1 FROM row WHERE kind = 'entry' AND key LIKE ?", (like,)).fetchone()
        except sqlite3.OperationalError:
            return False
    return found is not None


async def until(holds: Callable[[], bool], within_seconds: float) -> float:
    """Ask again until it holds; returns how long that took."""
    clock = SystemClock()
    began = clock.monotonic_seconds()
    while not holds():
        assert clock.monotonic_seconds() - began < within_seconds, f"not within {within_seconds} s"
        await asyncio.sleep(0.05)
    return clock.monotonic_seconds() - began


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, kafka: str) -> Path:
    """A folder with the settings of the book, and its topics."""
    asyncio.run(ensure_topics(KafkaConnection(bootstrap_servers=kafka), topic_specs(PARTITIONS, 1)))
    folder = tmp_path_factory.mktemp("poisoned")
    (folder / "billstream.yaml").write_text(
        f"tenant: {TENANT}\nbook: {BOOK}\nzone: UTC\nperson: dana\ndata_folder: data\nbroker: {{servers: '{kafka}'}}\n"
    )
    return folder


@pytest.fixture(scope="module")
def health(project: Path) -> Iterator[str]:
    """The address of a running worker's health."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("BILLSTREAM_")}
    command = [sys.executable, "-m", "billstream", "worker"]
    with (
        (project / "worker.log").open("wb") as log,
        subprocess.Popen(command, cwd=project, env={**inherited, "BILLSTREAM_HEALTH_PORT": "0"}, stderr=log) as worker,
    ):
        clock = SystemClock()
        end_seconds = clock.monotonic_seconds() + START_SECONDS
        started: list[str] = []
        while not started:
            assert clock.monotonic_seconds() < end_seconds
            assert worker.poll() is None, (project / "worker.log").read_text()[-2000:]
            lines = (project / "worker.log").read_text().splitlines()
            started = [line for line in lines if "worker_starting" in line]
        yield str(json.loads(started[0])["health"])
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(START_SECONDS) == 0, (project / "worker.log").read_text()[-2000:]


@pytest.fixture
async def installation(project: Path, kafka: str, health: str) -> AsyncIterator[Installation]:
    """The book with its directory and contract, and the first entry in rows."""
    publisher = Publisher(KafkaConnection(bootstrap_servers=kafka).client_arguments())
    made = Installation(project, kafka, health, publisher)
    await publisher.start()
    try:
        await made.write(
            Outgoing(COMMANDS, HOME, b"d", encode(ours(directory(firm())))),
            Outgoing(COMMANDS, HOME, b"c", encode(ours(contract(terms())))),
            good("first"),
        )
        await until(lambda: made.in_rows("first"), START_SECONDS)
        yield made
    finally:
        await publisher.stop()


@pytest.fixture
def typed(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Awaitable[Any]]:
    """What a person types, beside the running event loop; returns the exit code and the answer of --json."""
    monkeypatch.delenv("BILLSTREAM_BROKERS", raising=False)

    async def call(*arguments: object) -> Any:  # noqa: ANN401  # any answer
        capsys.readouterr()
        words = ["dead-letters", *map(str, arguments)] if arguments[0] not in ("status", "doctor") else [*arguments]
        code = await asyncio.to_thread(run, [*map(str, words), "--json", "--project", str(project)])
        return code, json.loads(capsys.readouterr().out)

    return call


async def foreign(servers: str, size_bytes: int) -> None:
    """A program of somebody else writes one huge record into a small compressed batch."""
    producer = AIOKafkaProducer(bootstrap_servers=servers, compression_type="gzip", max_request_size=2 * size_bytes)
    await producer.start()
    try:
        await producer.send_and_wait(TIME_ENTRIES, bytes(size_bytes), key=b"huge", partition=HOME)
    finally:
        await producer.stop()


def payment() -> Payment:
    """Money for an account that the contract does not have yet."""
    fields = {
        "envelope": envelope("payment-1"),
        "payment_id": "p1",
        "document_id": "",
        "amount": "500.00",
        "currency": "EUR",
        "paid_on": "2026-10-20",
        "contract_id": "acme-2026",
        "held_id": "retainer",
    }
    return Payment.model_validate(fields)


@dataclass(frozen=True)
class Poison:
    """A record that cannot be used, and the topic that its letter names."""

    reason: str
    record: Outgoing
    stands_in: str


def poisons() -> list[Poison]:
    """One of every kind, in every topic that a foreign program could write to."""
    tick = ClockTick(envelope=envelope("tick"), at=envelope("tick").recorded_at + timedelta(days=4_000))
    big = broken("big", description="x" * (2 * 1024 * 1024))
    assert len(big) < INPUT_BYTES_MAX
    return [
        poison("frame_magic", TIME_ENTRIES, b"\x17\x2a\xff random \x1b[31m bytes"),
        poison("schema_unknown", TIME_ENTRIES, struct.pack(">bI", 0, 999_999) + b"future"),
        poison("avro_broken", TIME_ENTRIES, encode(ours(entry("truncated")))[:-40]),
        poison("value_invalid", TIME_ENTRIES, broken("minus", worked_seconds=-3600)),
        poison("record_too_large", TIME_ENTRIES, big),
        poison("record_not_allowed", TIME_ENTRIES, encode(ours(payment()))),
        poison("tick_ahead", COMMANDS, encode(ours(tick)), JOURNAL),
        poison("payment_account_unknown", COMMANDS, encode(ours(payment())), JOURNAL),
        poison("frame_short", JOURNAL, b"!"),
        poison("frame_magic", JOURNAL, b"\x01" * LARGE_BYTES),
        poison("record_misplaced", JOURNAL, encode(ours(STRAY))),
        poison("schema_unknown", WORK, struct.pack(">bI", 0, 999_999)),
    ]


def poison(reason: str, topic: str, value: bytes, stands_in: str = "") -> Poison:
    return Poison(reason, Outgoing(topic, HOME, b"k", value), stands_in or topic)


async def test_poison_never_blocks_what_is_behind_it(installation: Installation, typed: Typed) -> None:
    """Of every kind, in every topic: the good entry behind it is in committed rows within five seconds."""
    waited_seconds = []
    for number, one in enumerate(poisons()):
        await installation.write(good(f"before-{number}"), one.record, good(f"behind-{number}"))
        waited_seconds.append(await installation.arrived(f"behind-{number}", BEHIND_POISON_SECONDS))
        assert installation.in_rows(f"before-{number}")
    await foreign(installation.servers, 20_000_000)
    await installation.write(good("behind-huge"))
    waited_seconds.append(await installation.arrived("behind-huge", BEHIND_POISON_SECONDS))
    assert max(waited_seconds) < BEHIND_POISON_SECONDS
    wanted = {(one.stands_in, one.reason) for one in poisons()}
    letters: list[Any] = []
    looks = 0
    while not {(one["topic"], one["reason"]) for one in letters} >= wanted and looks < LOOKS:
        letters = (await typed("list"))[1]["letters"]
        looks += 1
    assert {(one["topic"], one["reason"]) for one in letters} >= wanted
    (large,) = [one for one in letters if one["size_bytes"] == LARGE_BYTES]
    assert (await typed("show", large["letter_id"]))[1]["hex"][:4] == "0101"
    huge = [one for one in letters if one["whole_bytes"]]
    assert [(one["reason"], one["whole_bytes"]) for one in huge] == [("record_too_large", 20_000_004)]


async def letter_about(typed: Typed, key: str) -> str:
    """The id of the open letter about the record with this key."""
    for _ in range(LOOKS):
        _, told = await typed("list")
        found = [one["letter_id"] for one in told["letters"] if one["key"] == key]
        if found:
            return str(found[0])
    raise AssertionError(f"no letter about {key}")


async def test_a_broken_entry_is_repaired_and_counts(installation: Installation, typed: Typed) -> None:
    """Shown, corrected, sent in its own place, in the rows of the worker; the letter says who did it."""
    value = broken("repaired", worked_seconds=-3600)
    await installation.write(Outgoing(TIME_ENTRIES, HOME, entry_id("repaired").encode(), value))
    letter = await letter_about(typed, entry_id("repaired"))
    _, shown = await typed("show", letter)
    assert (shown["record"]["worked_seconds"], shown["wrong"][0][:14]) == (-3600, "worked_seconds")
    code, told = await typed("repair", letter, "--set", "entry_id=other", "--set", "worked_seconds=3600")
    assert (code, told["code"]) == (5, "letter_identity")
    code, told = await typed("repair", letter, "--set", "worked_seconds=3600", "--because", "the tracker wrote -3600")
    assert code == 0, told
    assert told["sent"]["came"] == "accepted"
    await installation.arrived("repaired", BEHIND_POISON_SECONDS)
    _, shown = await typed("show", letter)
    assert (shown["letter"]["state"], shown["letter"]["settled_by"]) == ("repaired", "dana")


async def letter_of_payment(typed: Typed) -> str:
    """The open letter about the second payment; in a journal the key is the book's name."""
    for _ in range(LOOKS):
        _, told = await typed("list", "--reason", "payment_account_unknown")
        for one in told["letters"]:
            _, shown = await typed("show", one["letter_id"])
            if shown["record"]["payment_id"] == "p2":
                return str(one["letter_id"])
    raise AssertionError("no letter about the payment")


async def test_a_replay_works_once_its_cause_is_gone(installation: Installation, typed: Typed) -> None:
    """A payment that came before its contract: it goes in by the topic of commands, and twice is harmless."""
    again = payment().model_copy(update={"payment_id": "p2", "envelope": envelope("payment-2")})
    await installation.write(Outgoing(COMMANDS, HOME, b"second payment", encode(ours(again))))
    letter = await letter_of_payment(typed)
    code, told = await typed("replay", letter, "--wait", "10")
    assert (code, told["done"][0]["came"]) == (6, "failed_again"), told
    newest = told["done"][0]["failed_again"]
    _, shown = await typed("show", newest)
    assert (shown["letter"]["first"], shown["letter"]["state"]) == (letter, "open")
    revision = ours(contract(terms(**{"from": "2026-10-01"}, money_retainer=RETAINER)))
    await installation.write(Outgoing(COMMANDS, HOME, b"c", encode(revision)))
    for _ in range(2):
        code, told = await typed("replay", newest, "--because", "the contract is there")
        assert code == 0, told
        assert (told["done"][0]["came"], told["done"][0]["topic"]) == ("accepted", COMMANDS)


async def test_status_doctor_and_metric_count_what_is_open(installation: Installation, typed: Typed) -> None:
    """All three agree; discarded letters leave, and a list for people holds no control characters."""
    await installation.write(Outgoing(TIME_ENTRIES, HOME, b"\x1b[2J", b"\x00"))
    letter = await letter_about(typed, "\x1b[2J")
    _, told = await typed("status")
    assert told["dead_letters"] == sum(one["letters"] for one in told["dead_letters_by_reason"]) > 0
    for since, there in (("1h", True), ("2999-01-01", False)):
        _, listed = await typed("list", "--since", since)
        assert (letter in {one["letter_id"] for one in listed["letters"]}) is there
    _, examined = await typed("doctor")
    (check,) = [one for one in examined["checks"] if one["id"] == "dead_letters"]
    assert check["state"] == "warning"
    assert check["found"].startswith(f"{told['dead_letters']} open: ")
    assert "billstream dead-letters list" in check["fix"]
    assert "\x1b" not in await asyncio.to_thread(
        subprocess.check_output, LIST_COMMAND, cwd=installation.folder, text=True
    )
    code, _ = await typed("discard", letter)
    assert code == 2
    code, done = await typed("discard", letter, "--because", "a test of the new tracker")
    assert (code, done["done"][0]["came"]) == (0, "accepted")
    _, after = await typed("status")
    assert after["dead_letters"] == told["dead_letters"] - 1
    await until(lambda: pending_of(installation.health) == after["dead_letters"], CENSUS_SECONDS_MAX)


def pending_of(health: str) -> int:
    """Open letters as a scraper adds them up."""
    with urlopen(f"{health}/metrics", timeout=5) as answer:
        lines = answer.read().decode().splitlines()
    return sum(
        int(float(line.rsplit(" ", 1)[1])) for line in lines if line.startswith("billstream_dead_letters_pending{")
    )
