"""`doctor`: a sound project is well, each thing that can be wrong is found with its remedy, and nothing is changed."""

import fcntl
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from billstream.examining.doctor import CHECKS
from billstream.examining.machine import available_memory_bytes
from billstream.examining.project import is_held
from books.stores.sqlite import SqliteStore
from books.version import FOLD_VERSION

pytestmark = pytest.mark.proof

Call = Callable[..., Any]
START_SECONDS = 90


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder with its bytes."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def checks(answered: Any) -> dict[str, dict[str, str]]:  # noqa: ANN401  # an answer of the program
    return {one["id"]: one for one in answered.json["checks"]}


@pytest.fixture(autouse=True)
def own_port(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another Billstream of this machine must not answer for the project under test."""
    monkeypatch.setenv("BILLSTREAM_HEALTH_PORT", "0")


def add(path: Path, text: str) -> None:
    path.write_text(path.read_text() + text)


def swap(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text, path
    path.write_text(text.replace(old, new, 1))


def test_a_sound_project_has_no_fault(call: Call, firm: Path) -> None:
    """The sample firm passes every check that can be made without a broker."""
    answered = call("doctor", firm, "--json")
    assert answered.code == 0, answered.out
    assert (answered.json["failed"], answered.json["warnings"]) == (0, 0)
    states = {one["state"] for one in answered.json["checks"]}
    assert states <= {"ok", "skipped"}


def test_there_are_many_checks_and_each_has_its_own_name() -> None:
    """At least fifteen things are looked at; scripts find each by its id."""
    ids = [check.id for check in CHECKS]
    assert len(ids) >= 15
    assert len(set(ids)) == len(ids)
    assert all((check.look or check.in_project or check.asks) is not None for check in CHECKS)


def test_the_answer_fits_its_published_schema(call: Call, firm: Path, repository_root: Path) -> None:
    """Whoever reads --json can rely on its form."""
    schema = json.loads((repository_root / "docs/reference/schemas/doctor.v1.json").read_text())
    jsonschema.validate(call("doctor", firm, "--json").json, schema)


def test_looking_changes_nothing(call: Call, firm: Path) -> None:
    """Not a byte, not a folder."""
    before = contents(firm)
    call("doctor", firm)
    assert contents(firm) == before
    assert not (firm / ".billstream").exists()


def test_a_folder_without_a_project_is_told_how_to_begin(call: Call, tmp_path: Path) -> None:
    """The first remedy is `billstream init`."""
    answered = call("doctor", tmp_path, "--json")
    assert [checks(answered)[name]["fix"] for name in ("settings", "directory", "contracts")] == [
        "Begin with `billstream init`."
    ] * 3
    assert answered.code == 78  # there is no directory


def test_what_init_writes_is_well(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fresh project only lacks what nobody was asked."""
    monkeypatch.setenv("BILLSTREAM_HEALTH_PORT", "0")  # a Billstream of this machine may hold the usual one
    call("init", tmp_path / "new", "--yes")
    answered = call("doctor", tmp_path / "new", "--json")
    assert answered.json["failed"] == 0, answered.out
    assert [one["id"] for one in answered.json["checks"] if one["state"] == "warning"] == ["directory"]


def old_store(firm: Path) -> None:
    store = SqliteStore(firm / ".billstream/workers/01/books/0000.sqlite", "another version")
    store.close()


def broken_store(firm: Path) -> None:
    path = firm / ".billstream/workers/01/books/0000.sqlite"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"this is no database, but it is longer than a header " * 40)


def open_secret(firm: Path) -> None:
    (firm / "password").write_text("correct horse")
    (firm / "password").chmod(0o644)
    add(
        firm / "billstream.yaml",
        "broker: {servers: '127.0.0.1:1', security_protocol: SASL_PLAINTEXT, sasl_username: u,"
        " sasl_password_file: password}\n",
    )


def writable_by_all(firm: Path) -> None:
    (firm / ".billstream").mkdir()
    (firm / ".billstream").chmod(0o777)


BROKEN: list[tuple[str, Callable[[Path], object], str, str]] = [
    ("settings", lambda firm: add(firm / "billstream.yaml", "zoen: UTC\n"), "failed", "did you mean 'zone'?"),
    ("directory", lambda firm: add(firm / "directory/people.yaml", "  - {id: x}\n"), "failed", "people.yaml"),
    ("contracts", lambda firm: swap(firm / "contracts/pavlik.yaml", "sink: json", "sink: fax"), "failed", "fax"),
    ("contracts", lambda firm: (firm / "contracts/pavlik.yaml").unlink(), "warning", "pavlik"),
    ("exchange_rates", lambda firm: add(firm / "exchange-rates.yaml", "nonsense: 1\n"), "failed", "nonsense"),
    ("data_folder", writable_by_all, "warning", "chmod o-w"),
    (
        "secrets",
        lambda firm: add(firm / "contracts/pavlik.yaml", "# password: hunter2hunter2\n"),
        "failed",
        "pavlik.yaml:",
    ),
    ("secrets", lambda firm: (firm / ".env").write_text("API_KEY=sk-abcdefghijklmnop123456\n"), "failed", ".env:1"),
    ("secrets", open_secret, "warning", "chmod 600"),
    (
        "sources",
        lambda firm: swap(
            firm / "billstream.yaml", "sinks:", "  costs: {kind: table, account: a, mapping: m.yaml}\nsinks:"
        ),
        "failed",
        "m.yaml",
    ),
    ("sinks", lambda firm: (firm / "drafts").write_text("in the way"), "failed", "drafts"),
    (
        "paper",
        lambda firm: add(firm / "billstream.yaml", "  brand: {kind: pdf, folder: p, paper: {logo: none.svg}}\n"),
        "failed",
        "none.svg",
    ),
    ("stores", broken_store, "failed", "rebuilt from the journal"),
    ("stores", old_store, "warning", "another version"),
]


@pytest.mark.parametrize(("check", "spoil", "state", "said"), BROKEN, ids=[f"{one[0]}-{one[2]}" for one in BROKEN])
def test_what_is_wrong_is_found_with_its_remedy(
    check: str, spoil: Callable[[Path], object], state: str, said: str, call: Call, firm: Path
) -> None:
    """One fault in the project: the check that is about it says so, with a remedy, and the exit code is not 0."""
    spoil(firm)
    answered = call("doctor", firm, "--json")
    found = checks(answered)[check]
    assert found["state"] == state, found
    assert found["fix"]
    assert said in found["found"] + found["fix"]
    assert answered.code != 0


def test_settings_that_cannot_be_read_do_not_hide_the_machine(call: Call, firm: Path) -> None:
    """What does not need them is checked all the same; the rest says what it waits for."""
    (firm / "billstream.yaml").write_text("zone: Europe/Berln\n")
    found = checks(call("doctor", firm, "--json"))
    assert (found["python"]["state"], found["memory"]["state"]) == ("ok", "ok")
    assert found["broker"]["found"] == "the settings have to be mended first"


def test_a_broker_that_does_not_answer_is_a_fault(call: Call, firm: Path) -> None:
    """A configured broker has to be there: exit code 69, and the checks behind it do not fail a second time."""
    add(firm / "billstream.yaml", "broker: {servers: '127.0.0.1:1'}\n")
    answered = call("doctor", firm, "--json")
    found = checks(answered)
    assert (answered.code, found["broker"]["state"]) == (69, "failed")
    assert (found["journal"]["state"], found["java"]["state"]) == ("skipped", "skipped")


def test_a_port_that_another_program_holds_is_a_fault(call: Call, firm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named with the setting that chooses another one."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen(1)
        monkeypatch.setenv("BILLSTREAM_HEALTH_PORT", str(other.getsockname()[1]))
        found = checks(call("doctor", firm, "--json"))["ports"]
    assert found["state"] == "failed"
    assert "health.port" in found["fix"]


class Healthy(BaseHTTPRequestHandler):
    """Answers every question as a worker does that is ready."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *said: object) -> None:
        """Say nothing."""


def test_the_worker_of_another_project_is_not_ours(call: Call, firm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing runs here, and a Billstream answers at the address of health: the port is taken, no more."""
    with HTTPServer(("127.0.0.1", 0), Healthy) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        monkeypatch.setenv("BILLSTREAM_HEALTH_PORT", str(server.server_port))
        alone = checks(call("doctor", firm, "--json"))
        monkeypatch.setenv("BILLSTREAM_BROKERS", "127.0.0.1:9")
        shared = checks(call("doctor", firm, "--json"))
        server.shutdown()
        thread.join()
    assert [alone[name]["state"] for name in ("ports", "worker", "conservation")] == ["warning", "skipped", "skipped"]
    assert "another project" in alone["ports"]["found"]
    assert (shared["ports"]["state"], shared["worker"]["state"]) == ("ok", "ok")


def test_who_runs_is_known_by_the_locks(call: Call, firm: Path) -> None:
    """A lock that a living program holds is a running worker; a file left behind by a dead one is not."""
    lock = firm / ".billstream/workers/03/lock"
    lock.parent.mkdir(parents=True)
    lock.touch()
    assert checks(call("doctor", firm, "--json"))["locks"]["found"] == "nothing runs in this project"
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert is_held(lock)
        assert checks(call("doctor", firm, "--json"))["locks"]["found"] == "running: worker 03"


def test_a_store_is_only_read(firm: Path, call: Call) -> None:
    """Looking at a store of another version does not empty it."""
    old_store(firm)
    path = firm / ".billstream/workers/01/books/0000.sqlite"
    call("doctor", firm)
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT fold_version FROM position").fetchall() == [("another version",)]
    connection.close()
    assert FOLD_VERSION != "another version"


def test_memory_is_what_the_kernel_calls_available(tmp_path: Path) -> None:
    """Free memory alone would be a false alarm on every machine with a cache."""
    (tmp_path / "meminfo").write_text("MemTotal: 900 kB\nMemFree: 10 kB\nMemAvailable:   700 kB\n")
    assert available_memory_bytes(tmp_path / "meminfo") == 700 * 1024
    assert available_memory_bytes(tmp_path / "none") is None


@pytest.fixture
def running(firm: Path, repository_root: Path, broker_cache: Path) -> Iterator[tuple[Path, int]]:
    """`billstream up` in the sample firm as a process, and the port of its health."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("BILLSTREAM_")}
    own = {"BILLSTREAM_HEALTH_PORT": str(port), "BILLSTREAM_CACHE": str(broker_cache)}
    environment = {**inherited, **own, "PYTHONPATH": str(repository_root)}
    command = [sys.executable, "-m", "billstream", "up", "--project", str(firm)]
    with (firm / "up.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=firm)
    try:
        yield firm, port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)


@pytest.mark.broker
def test_a_running_installation_is_well(running: tuple[Path, int], call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """Broker, topics, journal, clocks, worker and conservation are asked and answer; nothing is skipped but rates."""
    firm, port = running
    monkeypatch.setenv("BILLSTREAM_HEALTH_PORT", str(port))
    asked = ("broker", "topics", "journal", "clock_skew", "worker", "stores", "conservation")
    limit = time.monotonic() + START_SECONDS
    while any(checks(call("doctor", firm, "--json"))[name]["state"] != "ok" for name in asked):
        assert time.monotonic() < limit, (firm / "up.log").read_text()[-2000:]
    found = checks(call("doctor", firm, "--json"))
    assert {name: one for name, one in found.items() if one["state"] == "failed"} == {}
    assert found["locks"]["found"] == "running: the embedded broker, worker 01"
    assert found["ports"]["found"] == f"{port} is held by a running Billstream"
