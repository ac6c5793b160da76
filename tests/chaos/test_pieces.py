"""What the chaos is made of, without a broker: rows of blows, torn files, the way between, the picture."""

import asyncio
import logging
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from random import Random
from xml.etree import ElementTree

import pytest
from aiokafka.errors import KafkaError

from runtime.broker.ports import free_ports
from streams.engine.errors import OwnershipLost, PublishUnknown
from tests.chaos.disks import tear
from tests.chaos.ends import LastWord, last_word
from tests.chaos.faults import BROKER_KILLS, FULL, SHORT, WORKER_KILLS, Force, Kind, blows
from tests.chaos.siege import Band
from tests.chaos.timeline import draw


@pytest.mark.parametrize("force", [SHORT, FULL])
def test_a_row_has_the_kills_that_were_asked_for(force: Force) -> None:
    """Torn stores are kills of workers and lost controllers kills of brokers, and both are counted once."""
    on_workers = Counter(blow.kind for blow in blows(force.on_workers(), Random(1)))
    on_brokers = Counter(blow.kind for blow in blows(force.on_brokers(), Random(1)))
    assert sum(on_workers[kind] for kind in WORKER_KILLS) == force.worker_kills
    assert sum(on_brokers[kind] for kind in BROKER_KILLS) == force.broker_kills


def test_a_seed_says_it_all() -> None:
    """The same seed is the same row, another seed another one."""
    first, again, other = (blows(FULL.on_workers(), Random(seed)) for seed in (1, 1, 2))
    assert first == again != other


def test_the_full_form_is_what_was_promised() -> None:
    """At least 100 kills of workers and 30 of brokers; the short form at least 10 and 3."""
    assert (FULL.worker_kills, FULL.broker_kills) >= (100, 30)
    assert (SHORT.worker_kills, SHORT.broker_kills) >= (10, 3)


@pytest.mark.parametrize("seed", range(12))
def test_a_torn_store_is_another_file(tmp_path: Path, seed: int) -> None:
    """However the dice fall, bytes are lost or wrong."""
    store = tmp_path / "0000.sqlite"
    with sqlite3.connect(store) as made:
        made.execute("CREATE TABLE row (value)")
        made.executemany("INSERT INTO row VALUES (?)", [(f"{number:0200}",) for number in range(500)])
    made.close()
    before = store.read_bytes()
    assert tear(store, Random(seed))
    assert store.read_bytes() != before


def test_a_worker_that_ends_by_itself_says_why(tmp_path: Path) -> None:
    """One word for each end, the first cause of it; what the client forgot of the cause is in the line before."""
    word, file = LastWord(tmp_path / "end"), tmp_path / "end"
    log = logging.getLogger("tests.chaos.ends")
    log.addHandler(word)
    log.propagate = False
    try:
        log.critical("It stops.", exc_info=PublishUnknown("two records"))
        log.critical("It could not end in peace.", exc_info=KafkaError())
        assert last_word(file, 1) == "publish_unknown"
        log.error("The sender fell.", exc_info=OwnershipLost("it woke up late"))
        log.critical("It stops.", exc_info=KafkaError("Unexpected error during batch delivery"))
        assert last_word(file, 1) == "ownership_lost"
        log.critical("It did not end.")
        assert last_word(file, 1) == "not ended in time"
        assert last_word(file, -11) == "no word (-11)"
    finally:
        log.removeHandler(word)


def test_the_picture_is_a_picture() -> None:
    """Each band stands in it with its kind, and what people wrote cannot break it."""
    bands = [Band(Kind.KILL_WORKER, 1, 3, 4, "<how>"), Band(Kind.CUT, 2, 5, 9)]
    picture = ElementTree.fromstring(draw([(1, 0), (2, 900)], [(1.5, 0.2)], bands, 10, 3, "a & b"))
    said = " ".join(picture.itertext())
    assert "worker killed 1 at 3 s <how>" in said
    assert "connections cut (1)" in said


@pytest.fixture
def proxy() -> Iterator[tuple["subprocess.Popen[str]", int, int]]:
    """The program, where it listens and where it leads."""
    listening, target = free_ports(2)
    program = Path(__file__).with_name("programs") / "proxies.py"
    with subprocess.Popen(
        [sys.executable, str(program), f"{listening}:{target}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as started:
        assert started.stdout is not None
        assert started.stdout.readline() == "ready\n"
        yield started, listening, target
        started.kill()


def tell(started: "subprocess.Popen[str]", word: str) -> None:
    """One line of its input."""
    assert started.stdin is not None
    started.stdin.write(f"{word} 1\n")
    started.stdin.flush()


async def test_the_way_between_passes_on_stalls_and_cuts(proxy: tuple["subprocess.Popen[str]", int, int]) -> None:
    """Open, bytes go through; stalled, they wait and come later; cut, the connection breaks at both ends."""
    started, listening, target = proxy
    left = asyncio.Event()

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A cut is an end or an error, and whoever leaves before the server has seen it leaves its connection open.
        with suppress(ConnectionError):
            while line := await reader.readline():
                writer.write(line)
        writer.close()
        left.set()

    async with await asyncio.start_server(echo, "127.0.0.1", target):
        reader, writer = await asyncio.open_connection("127.0.0.1", listening)
        writer.write(b"open\n")
        assert await reader.readline() == b"open\n"
        tell(started, "stall")
        await _until_stalled(reader, writer)
        tell(started, "open")
        assert await reader.readline() == b"again\n"
        tell(started, "cut")
        assert await _ends(reader)
        writer.close()
        async with asyncio.timeout(20):
            await left.wait()


async def _ends(reader: asyncio.StreamReader) -> bool:
    """The connection breaks, in the one way or the other."""
    try:
        async with asyncio.timeout(20):
            return await reader.readline() == b""
    except ConnectionError:
        return True


async def _until_stalled(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Lines come back until the word has been heard; the last one waits."""
    while True:
        writer.write(b"again\n")
        try:
            async with asyncio.timeout(0.05):
                await reader.readline()
        except TimeoutError:
            return
