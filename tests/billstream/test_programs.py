"""The programs on a real broker: the demo from nothing, and `up` with the commands a person types beside it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]  # it carries no types
import pytest

from runtime.clock import SystemClock

pytestmark = pytest.mark.broker
LIMIT_SECONDS = 240
Program = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def environment(broker_cache: Path) -> dict[str, str]:
    """The environment of the programs: nothing of ours but the cache, and a free port for health."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("BILLSTREAM_")}
    return {**inherited, "BILLSTREAM_CACHE": str(broker_cache), "BILLSTREAM_HEALTH_PORT": "0"}


@pytest.fixture
def program(environment: dict[str, str]) -> Program:
    """Run the program in a folder and wait for its end."""

    def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "billstream", *arguments]
        return subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=LIMIT_SECONDS
        )

    return run


@pytest.fixture
def up(firm: Path, environment: dict[str, str]) -> Iterator[Path]:
    """A project in which `billstream up` runs, with a watched folder."""
    settings = firm / "billstream.yaml"
    text = settings.read_text().replace("    account: legal\n", "    account: legal\n    folder: inbox\n")
    settings.write_text(text + "watch: {interval_seconds: 1, settle_seconds: 1}\n")
    with (firm / "up.log").open("wb") as log:
        command = [sys.executable, "-m", "billstream", "up"]
        running = subprocess.Popen(command, cwd=firm, env=environment, stdout=log, stderr=log, start_new_session=True)
    yield firm
    running.send_signal(signal.SIGTERM)
    assert running.wait(LIMIT_SECONDS) == 0, (firm / "up.log").read_text()[-2000:]


def until(done: Callable[[], bool]) -> None:
    """Ask again until something holds."""
    clock = SystemClock()
    end_seconds = clock.monotonic_seconds() + LIMIT_SECONDS
    while not done():
        assert clock.monotonic_seconds() < end_seconds, "it took too long"
        time.sleep(0.2)


def answers(done: subprocess.CompletedProcess[str]) -> bool:
    """Whether a call was carried out; while the broker starts it says "unavailable" or "try again" and nothing else."""
    assert done.returncode in (0, 69, 75), done.stdout + done.stderr
    return done.returncode == 0


def answer(done: subprocess.CompletedProcess[str], *codes: int) -> Any:  # noqa: ANN401  # any answer
    assert done.returncode in (codes or (0,)), done.stdout + done.stderr
    return json.loads(done.stdout)


def test_the_demo_ends_with_drafts_as_files(program: Program, tmp_path: Path, repository_root: Path) -> None:
    """From an empty folder: 800 entries, alerts, held entries, ten documents as JSON, some as PDF, one as LEDES,
    all confirmed from the journal alone.
    """
    told = answer(program(tmp_path, "demo", "--json"))
    assert told["entries"] > 500
    assert (told["people"], told["clients"]) == (17, 10)
    assert any("senior-week" in text and "100 %" in text for text in told["alerts"])
    assert {one["reason"] for one in told["held"]} >= {"client_unknown", "possible_duplicate"}
    states = {one["client"]: one["state"] for one in told["documents"]}
    assert states == {
        **dict.fromkeys(
            ["alpenrad", "kestrel", "lumen", "northwind", "pavlik", "quillon", "solberg", "tidewell", "varga"], "draft"
        ),
        "meridian": "issued",
    }
    assert told["verified"] == 10
    assert {one["bucket"] for one in told["buckets"]} >= {"billed", "retainer", "fixed_fee", "written_down", "held"}
    shown = (repository_root / "README.md").read_text()
    assert f"{told['entries']} entries of 17 people for 10 clients" in shown, "README.md shows another demo"
    quoted = {one["client"]: one for one in told["documents"] if one["document_id"][:12] in shown}
    assert set(quoted) == {"alpenrad", "meridian", "northwind"}, "README.md shows other documents"
    assert all(f"{Decimal(one['totals']['gross']):,.2f}" in shown for one in quoted.values())
    assert all(f"{one['entries']:>10}" in shown for one in told["buckets"] if one["seconds"]), told["buckets"]
    written = [tmp_path / "billstream-demo" / name for one in told["documents"] for name in one["files"]]
    assert all(path.is_file() for path in written)
    assert sum(path.suffix == ".pdf" for path in written) == 10
    ledes = [path for path in written if path.suffix == ".txt"]
    assert len(ledes) == 1
    assert ledes[0].read_text().startswith("LEDES1998B[]")
    again = program(tmp_path, "demo", "--folder", "billstream-demo")
    assert again.returncode == 7
    assert "is not empty" in again.stderr


def test_a_month_beside_a_running_installation(program: Program, up: Path) -> None:
    """Apply, import, a watched folder, close, approve, issue, explain, status: as a person types them."""
    until(lambda: answers(program(up, "contracts", "apply", "--json")))
    assert answer(program(up, "contracts", "apply", "--json"))["published"] == 0
    (up / "inbox").mkdir(exist_ok=True)
    (up / "exports" / "harvest-2026-11-02.csv").rename(up / "inbox" / "harvest.csv")
    (up / "exports" / "toggl-2026-11-02.csv").unlink()
    answer(program(up, "import", "exports", "--json"))
    until((up / "inbox" / "harvest.csv.done").exists)
    until(lambda: answer(program(up, "status", "--json"))["entries"] > 700)
    assert answer(program(up, "dead-letters", "list", "--json"))["open"] == 0
    closed = answer(program(up, "close", "--period", "2026-10", "--client", "pavlik", "--json"), 0, 6)
    document = closed["documents"][0]
    issued = answer(program(up, "approve", document["document_id"][:10], "--issue", "--json"), 0, 6)
    assert (issued["documents"][0]["state"], issued["documents"][0]["number"]) == ("issued", "0001")
    line = document["lines"][0]
    story = program(up, "explain", line["line_id"][:10])
    assert story.returncode == 0
    assert str(line["amount"]) in story.stdout.replace(",", "")
    twice = program(up, "approve", document["document_id"], "--json")
    assert answer(twice, 5)["refused"][0]["reason"] == "not_a_draft"
    delivered = lambda: any(one["files"] for one in answer(program(up, "status", "--json"))["documents"])  # noqa: E731
    until(delivered)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Programs that are started obey Ctrl-C, also when these tests run in the background, where it is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_control_c_ends_the_demo_and_all_it_started(environment: dict[str, str], tmp_path: Path) -> None:
    """It ends with 130 and a sentence, and no broker or worker of its folder is left."""
    folder = tmp_path / "stopped"
    command = [sys.executable, "-m", "billstream", "demo", "--folder", str(folder)]
    with subprocess.Popen(
        command, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as running:
        assert running.stderr is not None
        assert next(line for line in running.stderr if "contracts applied" in line)
        running.send_signal(signal.SIGINT)
        rest = running.stderr.read()
    assert running.returncode == 130
    assert "error[interrupted]" in rest
    assert "Traceback" not in rest
    left = [one.info["cmdline"] for one in psutil.process_iter(["cmdline"]) if str(folder) in str(one.info["cmdline"])]
    assert left == []
