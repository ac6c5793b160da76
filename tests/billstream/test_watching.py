"""`billstream connect`: what health is told about the looks at watched folders, and the program on a real broker."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from billstream.watching import LOOK_SECONDS_MAX, Looks
from runtime.clock import SimulatedClock, SystemClock
from runtime.metrics import Build, LabelValues, Metrics

NOW = datetime(2026, 11, 2, 18, tzinfo=UTC)
LIMIT_SECONDS = 120
LAST_SUCCESS = "billstream_connector_last_success_timestamp_seconds"
Call = Callable[..., object]


def metrics() -> Metrics:
    return Metrics(LabelValues(sources=("toggl",)), Build("0", "", "3"))


async def test_it_is_not_ready_before_the_first_look() -> None:
    """A program that has not seen its folders yet has proven nothing."""
    assert not (await Looks(SimulatedClock(NOW)).check()).ok


async def test_looks_that_stop_are_noticed() -> None:
    """Ready after a look, and no longer when the next one does not come; a file that is done counts as progress."""
    clock = SimulatedClock(NOW)
    looks = Looks(clock)
    looks.finished()
    clock.advance(LOOK_SECONDS_MAX)
    assert (await looks.check()).ok
    clock.advance(1)
    assert "121 s ago" in (await looks.check()).reason
    looks.moved()
    assert (await looks.check()).ok


async def test_a_broker_that_is_away_makes_it_unready_until_the_next_look() -> None:
    """The reason is passed on to whoever asks."""
    looks = Looks(SimulatedClock(NOW))
    looks.finished()
    looks.failed("the broker is away: gone")
    assert (await looks.check()).reason == "the broker is away: gone"
    looks.finished()
    assert (await looks.check()).ok


def test_each_source_says_when_it_was_read() -> None:
    """The metric is the time of the last look at that source's folder."""
    told = metrics()
    Looks(SimulatedClock(NOW), told).seen("toggl")
    assert told.registry.get_sample_value(LAST_SUCCESS, {"source": "toggl"}) == NOW.timestamp()


def test_without_a_folder_there_is_nothing_to_watch(call: Call, firm: Path) -> None:
    """Settings without a watched folder end the program at once, with 78 and the way out."""
    called = call("connect", "--project", firm)
    assert (called.code, "has a folder" in called.err) == (78, True)  # type: ignore[attr-defined]  # see conftest


@pytest.fixture
def connecting(firm: Path, kafka: str) -> Iterator[tuple[Path, str]]:
    """A project in which `billstream connect` runs, and the address of its health."""
    settings = firm / "billstream.yaml"
    text = settings.read_text().replace("    account: legal\n", "    account: legal\n    folder: inbox\n")
    settings.write_text(text + "watch: {interval_seconds: 1, settle_seconds: 1}\n")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("BILLSTREAM_")}
    environment = {**inherited, "BILLSTREAM_BROKERS": kafka, "BILLSTREAM_HEALTH_PORT": "0"}
    command = [sys.executable, "-m", "billstream", "connect"]
    with subprocess.Popen(
        command, cwd=firm, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stderr is not None
        started = next(line for line in running.stderr if "connect_starting" in line)
        yield firm, json.loads(started)["health"]
        running.send_signal(signal.SIGTERM)
        running.stderr.read()
        assert running.wait(LIMIT_SECONDS) == 0


def answered(address: str) -> int:
    """The status that an address answers with."""
    try:
        with urlopen(address, timeout=5) as answer:
            return int(answer.status)
    except HTTPError as refusal:
        return refusal.code


def until(done: Callable[[], bool]) -> None:
    """Ask again until something holds."""
    clock = SystemClock()
    end_seconds = clock.monotonic_seconds() + LIMIT_SECONDS
    while not done():
        assert clock.monotonic_seconds() < end_seconds, "it took too long"
        time.sleep(0.1)


@pytest.mark.broker
def test_connect_imports_what_is_put_into_the_folder(connecting: tuple[Path, str]) -> None:
    """It becomes ready, takes the file, moves it away with a report, and shows when it last looked."""
    firm, health = connecting
    until(lambda: answered(f"{health}/readyz") == 200)
    shutil.copy(firm / "exports" / "harvest-2026-11-02.csv", firm / "inbox" / "october.csv")
    until((firm / "inbox" / "october.csv.done").exists)
    report = json.loads((firm / "inbox" / "october.csv.done.json").read_text())
    assert (report["accepted"], report["refused"]) == (123, 0)
    with urlopen(f"{health}/metrics", timeout=5) as answer:
        assert f'{LAST_SUCCESS}{{source="'.encode() in answer.read()
