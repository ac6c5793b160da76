"""The probes say what is the matter, also when the program hangs, and give nothing away to a web page."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime

import aiohttp
import pytest

from runtime.clock import Clock, SimulatedClock, SystemClock
from runtime.errors import InUse, Unavailable
from runtime.health import Finding, Health, HealthServer, StartUp
from runtime.metrics import Build, LabelValues, Metrics

BUILD = Build("1.2", "abc", "3.11")


@dataclass
class Answer:
    """What a probe got."""

    status: int
    headers: dict[str, str]
    text: str
    content: dict[str, object]


class Probe:
    """A running server and a client for it."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.health = Health(clock=clock)
        self.metrics = Metrics(LabelValues(sources=["csv"]), BUILD)
        self.server = HealthServer(self.health, self.metrics)

    async def get(self, path: str, *, host: str | None = None, method: str = "GET") -> Answer:
        """One request, with another Host header when asked."""
        headers = {"Host": host} if host else {}
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, self.server.address + path, headers=headers) as answer,
        ):
            is_json = answer.content_type == "application/json"
            content = await answer.json() if is_json else {}
            return Answer(answer.status, dict(answer.headers), await answer.text(), content)


@pytest.fixture
async def probe() -> AsyncIterator[Probe]:
    """A server on a free loopback port."""
    probe = Probe()
    await probe.server.start()
    yield probe
    await probe.server.stop()


async def test_metrics_are_served_as_text_that_is_not_guessed(probe: Probe) -> None:
    """A scraper gets the exposition format, a browser is told not to guess."""
    answer = await probe.get("/metrics")
    assert answer.status == 200
    assert 'billstream_entries_received_total{source="csv"} 0.0' in answer.text
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_ready_only_when_started_and_every_check_agrees(probe: Probe) -> None:
    """Each check has its cause in the answer, also those that are fine."""

    async def fine() -> Finding:
        return Finding(ok=True, reason="12 partitions")

    async def bad() -> Finding:
        return Finding(ok=False, reason="journal-0 has 1 waiting and did not move for 10 s")

    probe.health.add_check("partitions", fine)
    assert (await probe.get("/readyz")).status == 503
    probe.health.started()
    assert (await probe.get("/readyz")).status == 200
    probe.health.add_check("lag", bad)
    answer = await probe.get("/readyz")
    assert answer.status == 503
    assert answer.content == {
        "ready": False,
        "checks": {
            "start_up": {"ok": True, "reason": ""},
            "partitions": {"ok": True, "reason": "12 partitions"},
            "lag": {"ok": False, "reason": "journal-0 has 1 waiting and did not move for 10 s"},
        },
    }


async def test_a_check_that_raises_or_hangs_has_failed(probe: Probe, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others are still answered."""
    monkeypatch.setattr("runtime.health.CHECK_TIMEOUT_SECONDS", 0.1)

    async def raises() -> Finding:
        raise Unavailable("kafka-unreachable", "Kafka does not answer.")

    async def hangs() -> Finding:
        await asyncio.Event().wait()
        raise AssertionError

    probe.health.started()
    probe.health.add_check("kafka", raises)
    probe.health.add_check("store", hangs)
    checks = (await probe.get("/readyz")).content["checks"]
    assert isinstance(checks, dict)
    assert checks["kafka"] == {"ok": False, "reason": "Kafka does not answer. [kafka-unreachable]"}
    assert checks["store"]["ok"] is False
    assert checks["start_up"]["ok"] is True


async def test_a_hanging_program_is_not_alive_and_not_ready_and_still_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The probes come from another thread; the program's loop is blocked, as by a bug."""
    monkeypatch.setattr("runtime.health.FINDINGS_TIMEOUT_SECONDS", 0.1)
    clock = SimulatedClock(datetime(2026, 3, 2, tzinfo=UTC))
    probe = Probe(clock)
    begun, over = threading.Event(), threading.Event()

    async def program() -> None:
        await probe.server.start()
        assert (await probe.get("/livez")).status == 200
        begun.set()
        over.wait(30)
        while (await probe.get("/livez")).status != 200:  # each answer lets the loop run, and soon it says so
            pass
        await probe.server.stop()

    thread = asyncio.create_task(asyncio.to_thread(asyncio.run, program()))
    await asyncio.to_thread(begun.wait, 30)
    clock.advance(3)
    alive = await probe.get("/livez")
    assert alive.status == 503
    assert "did not answer" in str(alive.content["reason"])
    assert (await probe.get("/metrics")).status == 200
    ready = await probe.get("/readyz")
    assert ready.status == 503
    assert "event_loop" in str(ready.content["checks"])
    over.set()
    await thread


async def test_the_start_shows_how_far_it_is(probe: Probe) -> None:
    """Percent and an estimate, then done."""
    assert (await probe.get("/startupz")).content == {"started": False, "percent": 0, "estimate_seconds": None}
    probe.health.starting(done=500, total=1000)
    answer = await probe.get("/startupz")
    assert (answer.status, answer.content["percent"]) == (503, 50)
    probe.health.started()
    answer = await probe.get("/startupz")
    assert (answer.status, answer.content) == (200, {"started": True, "percent": 100, "estimate_seconds": 0})


@pytest.mark.parametrize(
    ("start_up", "percent", "estimate_seconds"),
    [
        (StartUp(finished=False, done=0, total=0), 0, None),
        (StartUp(finished=False, done=250, total=1000, seconds=10), 25, 30),
        (StartUp(finished=False, done=1000, total=1000, seconds=10), 99, 0),
    ],
)
def test_an_estimate_follows_the_speed_so_far(start_up: StartUp, percent: int, estimate_seconds: int | None) -> None:
    """A quarter in ten seconds leaves thirty; only the end is a hundred percent."""
    assert start_up.summary() == {"started": False, "percent": percent, "estimate_seconds": estimate_seconds}


def test_a_pulse_older_than_two_seconds_is_no_life() -> None:
    """Exactly the promise: the loop answered within two seconds."""
    clock = SimulatedClock(datetime(2026, 3, 2, tzinfo=UTC))
    health = Health(clock=clock)
    health.beat()
    clock.advance(2)
    assert health.alive().ok
    clock.advance(0.01)
    assert not health.alive().ok
    health.beat()
    assert health.alive().ok


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "10.0.0.1:9000"])
async def test_a_web_page_cannot_read_it_under_its_own_name(probe: Probe, host: str) -> None:
    """A name that somebody points at loopback is not one of ours."""
    answer = await probe.get("/metrics", host=host)
    assert answer.status == 421
    assert "billstream_" not in answer.text


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:1", "[::1]:80"])
async def test_names_of_this_machine_are_served(probe: Probe, host: str) -> None:
    """Every way to say loopback."""
    assert (await probe.get("/livez", host=host)).status == 200


@pytest.mark.parametrize(
    ("path", "method", "status"), [("/", "GET", 404), ("/livez", "POST", 405), ("/x/../livez", "GET", 200)]
)
async def test_nothing_else_is_served(probe: Probe, path: str, method: str, status: int) -> None:
    """Other paths and methods are refused, with the same careful headers."""
    answer = await probe.get(path, method=method)
    assert answer.status == status
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_an_endless_request_is_cut_off(probe: Probe) -> None:
    """A line longer than a kilobyte is not read to its end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(probe.server.address.rsplit(":", 1)[1]))
    writer.write(b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
    answer = await asyncio.wait_for(reader.read(), 10)
    assert answer.startswith((b"HTTP/1.0 400", b"HTTP/1.1 400"))
    writer.close()


async def test_a_taken_port_is_a_sentence() -> None:
    """The settings name the port, so the error does too."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = HealthServer(Health(clock=SystemClock()), Metrics(LabelValues(), BUILD), port=port)
        with pytest.raises(InUse, match=f":{port} "):
            await server.start()
        await server.stop()
