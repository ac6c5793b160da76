"""Metrics and health over HTTP at an address of our own: /metrics, /livez, /readyz, /startupz; operations section 13.

The server runs on a thread and an event loop of its own. So it can say that the program's loop hangs, and a scrape does
not wait for a long batch. Checks run on the program's loop, where the things they look at live.
"""

import asyncio
import contextlib
import ipaddress
import json
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from aiohttp import web

from runtime.clock import Clock, SystemClock
from runtime.errors import InUse, MachineryError
from runtime.metrics import CONTENT_TYPE, Metrics

PULSE_SECONDS = 0.25
PULSE_AGE_SECONDS_MAX = 2.0
CHECK_TIMEOUT_SECONDS = 2.0
FINDINGS_TIMEOUT_SECONDS = 3.0
REQUESTS_AT_ONCE_MAX = 16
REQUEST_TIMEOUT_SECONDS = 5.0
REQUEST_BYTES_MAX = 1024
START_TIMEOUT_SECONDS = 10.0
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


@dataclass(frozen=True)
class Finding:
    """What a check found; `reason` is for the person who looks, also when all is well."""

    ok: bool
    reason: str = ""


Check = Callable[[], Awaitable[Finding]]


@dataclass(frozen=True)
class StartUp:
    """How far the start has come, in records; finished once `done` is told to be all there is."""

    finished: bool
    done: int = 0
    total: int = 0
    seconds: float = 0.0

    def summary(self) -> Mapping[str, bool | int | None]:
        """Percent and the estimated rest in seconds; the estimate is None before anything was done."""
        percent = 100 if self.finished else min(99, 100 * self.done // max(1, self.total))
        rest = None
        if self.finished:
            rest = 0
        elif self.done:
            rest = round(self.seconds * max(0, self.total - self.done) / self.done)
        return {"started": self.finished, "percent": percent, "estimate_seconds": rest}


class Health:
    """What the probes ask about. Everything but `alive` is used on the program's own loop."""

    def __init__(self, *, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._checks: dict[str, Check] = {}
        self._start_up = StartUp(finished=False)
        self._begun_seconds = self._clock.monotonic_seconds()
        self._pulse_seconds = self._begun_seconds

    def add_check(self, name: str, check: Check) -> None:
        """Ask this before saying ready; names are snake_case words such as `partitions` or `lag`."""
        self._checks[name] = check

    def starting(self, *, done: int, total: int) -> None:
        """Tell how many records of the recovery are applied."""
        elapsed_seconds = self._clock.monotonic_seconds() - self._begun_seconds
        self._start_up = StartUp(finished=False, done=done, total=total, seconds=elapsed_seconds)

    def started(self) -> None:
        """Tell that the recovery is done."""
        self._start_up = StartUp(finished=True)

    def start_up(self) -> StartUp:
        """How far the start has come."""
        return self._start_up

    def beat(self) -> None:
        """Tell that the program's loop answered just now."""
        self._pulse_seconds = self._clock.monotonic_seconds()

    def alive(self) -> Finding:
        """Whether the program's loop answered lately; asked from another thread."""
        age_seconds = self._clock.monotonic_seconds() - self._pulse_seconds
        if age_seconds <= PULSE_AGE_SECONDS_MAX:
            return Finding(ok=True)
        return Finding(ok=False, reason=f"the event loop did not answer for {age_seconds:.1f} s")

    async def findings(self) -> Mapping[str, Finding]:
        """What each check says; one that takes too long or raises one of our errors has failed."""
        names = list(self._checks)
        found = await asyncio.gather(*(self._ask(self._checks[name]) for name in names))
        return {"start_up": Finding(self._start_up.finished, "" if self._start_up.finished else "not finished")} | dict(
            zip(names, found, strict=True)
        )

    async def _ask(self, check: Check) -> Finding:
        try:
            async with asyncio.timeout(CHECK_TIMEOUT_SECONDS):
                return await check()
        except TimeoutError:
            return Finding(ok=False, reason=f"no answer within {CHECK_TIMEOUT_SECONDS:.0f} s")
        except MachineryError as error:
            return Finding(ok=False, reason=f"{error.message} [{error.code}]")


class HealthServer:
    """Serves one process's metrics and health; loopback unless told otherwise, port 0 for a free one."""

    def __init__(self, health: Health, metrics: Metrics, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self._health = health
        self._metrics = metrics
        self._host = host
        self._port = port
        self._program_loop: asyncio.AbstractEventLoop | None = None
        self._server_loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread: threading.Thread | None = None
        self._pulse: asyncio.Task[None] | None = None
        self._requests = 0

    @property
    def address(self) -> str:
        """`http://host:port` once started."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}"

    async def start(self) -> None:
        """Listen and return; raises InUse when the port is taken."""
        self._program_loop = asyncio.get_running_loop()
        listening: asyncio.Future[int] = self._program_loop.create_future()
        self._thread = threading.Thread(target=self._run, args=(listening,), name="health", daemon=True)
        self._thread.start()
        try:
            async with asyncio.timeout(START_TIMEOUT_SECONDS):
                self._port = await listening
        except OSError as error:
            await asyncio.to_thread(self._thread.join, START_TIMEOUT_SECONDS)
            self._thread = None
            raise InUse(
                "health-port-taken",
                f"The address {self._host}:{self._port} for metrics and health cannot be used: {error.strerror}.",
                "Choose another port in the settings, or 0 for a free one.",
                detail=repr(error),
            ) from error
        self._pulse = asyncio.create_task(self._beat())

    async def stop(self) -> None:
        """Stop listening; harmless when it never started."""
        if self._pulse is not None:
            self._pulse.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._pulse
            self._pulse = None
        if self._thread is not None and self._server_loop is not None and self._stop is not None:
            self._server_loop.call_soon_threadsafe(self._stop.set)
            await asyncio.to_thread(self._thread.join, START_TIMEOUT_SECONDS)
            self._thread = None

    async def _beat(self) -> None:
        while True:
            self._health.beat()
            await asyncio.sleep(PULSE_SECONDS)

    def _run(self, listening: "asyncio.Future[int]") -> None:
        asyncio.run(self._serve(listening))

    async def _serve(self, listening: "asyncio.Future[int]") -> None:
        assert self._program_loop is not None
        self._server_loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        runner = web.AppRunner(
            self._application(),
            access_log=None,
            handle_signals=False,
            keepalive_timeout=REQUEST_TIMEOUT_SECONDS,
            max_line_size=REQUEST_BYTES_MAX,
            shutdown_timeout=1.0,
        )
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self._port, backlog=REQUESTS_AT_ONCE_MAX).start()
        except OSError as error:
            await runner.cleanup()
            self._program_loop.call_soon_threadsafe(listening.set_exception, error)
            return
        self._program_loop.call_soon_threadsafe(listening.set_result, int(runner.addresses[0][1]))
        await self._stop.wait()
        await runner.cleanup()

    def _application(self) -> web.Application:
        application = web.Application(client_max_size=REQUEST_BYTES_MAX, middlewares=[self._guard])
        application.add_routes(
            [
                web.get("/metrics", self._serve_metrics),
                web.get("/livez", self._serve_alive),
                web.get("/readyz", self._serve_ready),
                web.get("/startupz", self._serve_start_up),
            ]
        )
        return application

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        if not self._host_is_meant(request.host):
            # A web page that points its own name at loopback must not read what is served here.
            return _answer(421, {"error": "this address is not served here"})
        if self._requests >= REQUESTS_AT_ONCE_MAX:
            return _answer(503, {"error": "too many requests at once"})
        self._requests += 1
        try:
            async with asyncio.timeout(REQUEST_TIMEOUT_SECONDS):
                return await handler(request)
        except TimeoutError:
            return _answer(503, {"error": "no answer in time"})
        except web.HTTPException as refusal:
            return _answer(refusal.status, {"error": refusal.reason})
        finally:
            self._requests -= 1

    def _host_is_meant(self, host: str) -> bool:
        if not _is_loopback(self._host):
            return True
        name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
        return _is_loopback(name.strip("[]"))

    async def _serve_metrics(self, _request: web.Request) -> web.Response:
        return web.Response(body=self._metrics.exposition(), headers={**_HEADERS, "Content-Type": CONTENT_TYPE})

    async def _serve_alive(self, _request: web.Request) -> web.Response:
        finding = self._health.alive()
        return _answer(200 if finding.ok else 503, {"alive": finding.ok, "reason": finding.reason})

    async def _serve_start_up(self, _request: web.Request) -> web.Response:
        start_up = self._health.start_up()
        return _answer(200 if start_up.finished else 503, start_up.summary())

    async def _serve_ready(self, _request: web.Request) -> web.Response:
        findings = await self._findings()
        ready = all(finding.ok for finding in findings.values())
        checks = {name: {"ok": finding.ok, "reason": finding.reason} for name, finding in findings.items()}
        return _answer(200 if ready else 503, {"ready": ready, "checks": checks})

    async def _findings(self) -> Mapping[str, Finding]:
        """Ask on the program's loop; when that hangs, say so instead of hanging too."""
        assert self._program_loop is not None
        asked = asyncio.run_coroutine_threadsafe(self._health.findings(), self._program_loop)
        try:
            async with asyncio.timeout(FINDINGS_TIMEOUT_SECONDS):
                return await asyncio.wrap_future(asked)
        except TimeoutError:
            return {"event_loop": Finding(ok=False, reason="the event loop did not answer")}


def _answer(status: int, content: Mapping[str, object]) -> web.Response:
    body = json.dumps(content).encode() + b"\n"
    return web.Response(status=status, body=body, headers={**_HEADERS, "Content-Type": "application/json"})


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
