"""Running an app in this process: own uvloop, no command line of Faust, no web server, honest exit codes.

SIGTERM or SIGINT finishes the batch in flight, commits, leaves the group and exits 0; a second one exits at once.
A handler's error exits 1 without committing it.
"""

import asyncio
import faulthandler
import gc
import logging
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Sequence

import uvloop
from aiokafka.errors import KafkaError

from schemas.errors import BillstreamError
from streams.engine.app import EngineApp

log = logging.getLogger(__name__)

EXIT_OK = 0
EXIT_CRASHED = 1
STOP_LIMIT_SECONDS = 25.0
COLLECT_AFTER_OBJECTS = 50_000
"""Records and rows hold no cycles, and a look for cycles among all that are kept took a fifth of a worker's time."""
THREAD_TURN_SECONDS = 0.001
"""Each consumer has a thread that passes records on; Python's 5 ms would let it wait that long at every step."""

MakeApp = Callable[[], Awaitable[EngineApp]]
MakeApps = Callable[[], Awaitable[Sequence[EngineApp]]]


def run_worker(make_app: MakeApp) -> int:
    """Make the app inside a fresh event loop, run it until it is told to stop, return the exit code.

    `make_app` is awaited in the loop; it creates the app and installs its agents.
    """

    async def alone() -> Sequence[EngineApp]:
        return (await make_app(),)

    return run_workers(alone)


def run_workers(make_apps: MakeApps) -> int:
    """As `run_worker` for several apps, each a consumer group of its own; when one ends, all do."""
    _prepare_interpreter()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(make_apps))


def _prepare_interpreter() -> None:
    """What is imported stays; the rest is collected rarely, and threads take turns quickly."""
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER_OBJECTS, 20, 50)
    sys.setswitchinterval(THREAD_TURN_SECONDS)
    # The consumers' threads make their loops by the policy.
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())


async def _serve(make_apps: MakeApps) -> int:
    told = asyncio.Event()
    _watch_signals(told)
    apps = await make_apps()
    ends = [asyncio.ensure_future(told.wait()), *(asyncio.ensure_future(app.wait_until_stopped()) for app in apps)]
    starts = [asyncio.ensure_future(app.start()) for app in apps]
    starting = asyncio.gather(*starts, return_exceptions=False)
    try:
        await asyncio.wait([starting, *ends], return_when=asyncio.FIRST_COMPLETED)
        if starting.done() and starting.exception() is None:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for end in ends:
            end.cancel()
    _exit_later(EXIT_CRASHED)
    codes = await asyncio.gather(*(_finish(app, start) for app, start in zip(apps, starts, strict=True)))
    return max(codes, default=EXIT_OK)


async def _finish(app: EngineApp, starting: "asyncio.Future[None]") -> int:
    """Stop whatever was started; the code says whether it was a crash."""
    start_error = starting.exception() if starting.done() and not starting.cancelled() else None
    crash = start_error or app.crash_reason
    if crash is not None:
        log.critical("The worker stops because of an error.", exc_info=crash)
    try:
        await app.stop()
    except (BillstreamError, KafkaError) as error:
        # What could not be acknowledged was not committed either; the next start reads it again.
        log.critical("The worker could not end in peace.", exc_info=error)
        crash = crash or error
    if not starting.done():
        starting.cancel()
        await asyncio.wait({starting})
    crash = crash or app.crash_reason
    return EXIT_OK if crash is None else EXIT_CRASHED


def _watch_signals(told: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()

    def on_signal() -> None:
        if told.is_set():
            os._exit(EXIT_CRASHED)
        told.set()
        _exit_later(EXIT_CRASHED)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)


def _exit_later(code: int) -> None:
    """A thread of its own, because what hangs may be the loop; at least once makes this end safe."""
    timer = threading.Timer(STOP_LIMIT_SECONDS, _exit_unfinished, [asyncio.get_running_loop(), code])
    timer.daemon = True
    timer.start()


def _exit_unfinished(loop: asyncio.AbstractEventLoop, code: int) -> None:
    """End at once, and leave word of what was waited for: tasks of the loop, and where each thread stands."""
    waiting = sorted({getattr(task.get_coro(), "__qualname__", task.get_name()) for task in asyncio.all_tasks(loop)})
    log.critical(
        "The worker did not end within %.0f s of being told to and is ended; what it did is done again."
        " Still under way: %s.",
        STOP_LIMIT_SECONDS,
        ", ".join(waiting) or "no task",
    )
    faulthandler.dump_traceback(all_threads=True)
    os._exit(code)
