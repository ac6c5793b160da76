"""A pytest plugin that collects once and forks: first to see which statements each test reaches, then for each change.

A fork runs the tests that reach the changed statement, those that noticed changes of this function before and short
ones first, and ends at the first that fails. Forks begin with cold caches, as the collecting process runs no test.
"""

import gc
import json
import mmap
import os
import resource
import signal
import struct
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import _lru_cache_wrapper, partial
from time import monotonic, process_time
from typing import Literal

import pytest

from tests.mutation.changes import Change, Place

_NOTICED, _NOT_NOTICED, _BROKEN = 1, 0, 2
_CONTROLS = 5
"""So many functions are replaced by themselves before any is changed: nobody may notice."""
_MEMORY_BYTES_MAX = 4 << 30
_WAIT_SECONDS_MAX = 120
_Step = Literal["setup", "call", "teardown"]


class Verdict(StrEnum):
    """What became of a change."""

    KILLED = "killed"
    TIMEOUT = "timeout"
    SURVIVED = "survived"
    NO_TEST = "no test"


@dataclass(frozen=True)
class Tried:
    """A change with its verdict, and the test that noticed it."""

    change: Change
    verdict: Verdict
    test: str


@dataclass
class Trial:
    """Changes to try in so many processes; `budget_seconds` is the longest that the tests of one change may take.

    After `minutes`, if they are not 0, no further change is tried.

    Each verdict is handed to `note` when it is known, so that a run of an hour is not lost when it is stopped.
    """

    changes: Sequence[Change]
    jobs: int
    budget_seconds: float
    minutes: float
    note: Callable[[Tried], None]
    tried: list[Tried] = field(default_factory=list)
    _items: list[pytest.Item] = field(default_factory=list)
    _seconds: list[float] = field(default_factory=list)
    _reaching: dict[Place, list[int]] = field(default_factory=dict)
    _reached: dict[int, Counter[str]] = field(default_factory=dict)
    _noticing: defaultdict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    _memos: list["_lru_cache_wrapper[object]"] = field(default_factory=list)

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Instead of running the tests: see what each reaches, then try the changes."""
        self._items = session.items
        self._memos = _memos()
        self._forget()
        gc.collect()
        gc.freeze()
        self._see()
        self._check_controls()
        self._try()
        return True

    def _forget(self) -> None:
        """Empty every memo, so that what a test reaches does not depend on the tests before it."""
        for memo in self._memos:
            memo.cache_clear()

    def _see(self) -> None:
        """Learn for each test how long it takes and which places it reaches; each must pass."""
        places = sorted({one.place for one in self.changes})
        self._seconds = [0.0] * len(self._items)
        self._reaching = {place: [] for place in places}
        files = sorted({item.path for item in self._items})
        running = []
        for job in range(self.jobs):
            reader, writer = os.pipe()
            mine = [number for number, item in enumerate(self._items) if files.index(item.path) % self.jobs == job]
            pid = os.fork()
            if not pid:
                self._observed(mine, places, writer)
            os.close(writer)
            running.append((pid, reader))
        for pid, reader in running:
            with os.fdopen(reader) as answers:
                for line in answers:
                    number, seconds, reached = json.loads(line)
                    self._seconds[number] = seconds
                    self._reached[number] = Counter(places[place].module for place in reached)
                    for place in reached:
                        self._reaching[places[place]].append(number)
            assert os.waitpid(pid, 0)[1] == 0, "a test fails without any change"

    def _observed(self, numbers: Sequence[int], places: Sequence[Place], writer: int) -> None:
        """In a fork: run these tests and say for each what it takes and reaches."""
        reached: set[int] = set()
        indices = {place: number for number, place in enumerate(places)}
        for function in {one.function.name: one.function for one in self.changes}.values():
            function.observe(reached.add, indices)
        _quiet(1)
        with os.fdopen(writer, "w") as answers:
            for position, number in enumerate(numbers):
                self._forget()
                reached.clear()
                before = process_time()
                following = self._items[numbers[position + 1]] if position + 1 < len(numbers) else None
                if not _passes(self._items[number], following):
                    os.write(2, f"fails without any change: {self._items[number].nodeid}\n".encode())
                    answers.flush()
                    os._exit(1)
                answers.write(json.dumps([number, process_time() - before, sorted(reached)]) + "\n")
        os._exit(0)

    def _check_controls(self) -> None:
        """A verdict means something only if what is not changed is not noticed."""
        shared = mmap.mmap(-1, 4)
        reached = [one for one in self.changes if self._reaching[one.place]]
        for change in reached[:: max(1, len(reached) // _CONTROLS)][:_CONTROLS]:
            function, tests = change.function, self._tests_for(change)
            pid = os.fork()
            if not pid:
                self._changed(partial(function.become, function.tree), tests, shared, 0)
            code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            assert code == _NOT_NOTICED, f"{function.name} is noticed as it is: {code}"

    def _try(self) -> None:
        """Fork for each change that a test reaches, `jobs` at a time."""
        shared = mmap.mmap(-1, 4 * max(1, len(self.changes)))
        running: dict[int, int] = {}
        end = monotonic() + self.minutes * 60
        for index, change in enumerate(self.changes):
            if self.minutes and monotonic() > end:
                break
            tests = self._tests_for(change)
            if not tests:
                self._note(change, Verdict.NO_TEST, -1)
                continue
            pid = os.fork()
            if not pid:
                self._changed(change.apply, tests, shared, index)
            running[pid] = index
            if len(running) == self.jobs:
                self._wait(running, shared)
        while running:
            self._wait(running, shared)

    def _tests_for(self, change: Change) -> list[int]:
        """Those that reach the place, in the order in which they are likely to notice soon.

        First those that noticed changes of this function, then those that see most of its module in their time; of a
        test with many rows each further row counts less, so that all kinds of tests have their turn.
        """
        noticed, seconds, module = self._noticing[change.function.name], self._seconds, change.function.module
        costs = {one: seconds[one] / self._reached[one][module] for one in self._reaching[change.place]}
        rows: Counter[str] = Counter()
        for one in sorted(costs, key=costs.__getitem__):
            name = self._items[one].nodeid.partition("[")[0]
            rows[name] += 1
            costs[one] *= rows[name]
        tests = sorted(costs, key=lambda one: (-noticed[one] / (seconds[one] + 0.01), costs[one]))
        spent = 0.0
        for position, one in enumerate(tests):
            spent += self._seconds[one]
            if position and spent > self.budget_seconds:
                return tests[:position]
        return tests

    def _changed(self, change: Callable[[], None], tests: Sequence[int], shared: mmap.mmap, index: int) -> None:
        """In a fork: make the change and run tests until one fails."""
        gc.disable()
        _quiet(1, 2)
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES_MAX, _MEMORY_BYTES_MAX))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        signal.alarm(_WAIT_SECONDS_MAX)
        if pytest.CallInfo.from_call(change, when="setup").excinfo is not None:
            os._exit(_BROKEN)
        for position, number in enumerate(tests):
            struct.pack_into("=i", shared, 4 * index, number)
            signal.setitimer(signal.ITIMER_PROF, 1 + 10 * self._seconds[number])
            following = self._items[tests[position + 1]] if position + 1 < len(tests) else None
            if not _passes(self._items[number], following):
                os._exit(_NOTICED)
        os._exit(_NOT_NOTICED)

    def _wait(self, running: dict[int, int], shared: mmap.mmap) -> None:
        pid, status = os.wait()
        index = running.pop(pid)
        change = self.changes[index]
        code = os.waitstatus_to_exitcode(status)
        test: int = struct.unpack_from("=i", shared, 4 * index)[0]
        assert code != _BROKEN, f"{change.name} cannot be made: {change.shown()}"
        if code == _NOT_NOTICED:
            self._note(change, Verdict.SURVIVED, -1)
        else:
            self._noticing[change.function.name][test] += 1
            self._note(change, Verdict.KILLED if code == _NOTICED else Verdict.TIMEOUT, test)

    def _note(self, change: Change, verdict: Verdict, test: int) -> None:
        self.tried.append(Tried(change, verdict, self._items[test].nodeid if test >= 0 else ""))
        self.note(self.tried[-1])


def _passes(item: pytest.Item, following: pytest.Item | None) -> bool:
    """Run a test as pytest does, up to what fails."""
    hook = item.config.hook
    steps: dict[_Step, Callable[[], object]] = {
        "setup": lambda: hook.pytest_runtest_setup(item=item),
        "call": lambda: hook.pytest_runtest_call(item=item),
        "teardown": lambda: hook.pytest_runtest_teardown(item=item, nextitem=following),
    }
    for name, step in steps.items():
        done = pytest.CallInfo.from_call(step, when=name)
        if done.excinfo is not None:
            return False
        hook.pytest_runtest_makereport(item=item, call=done)
    return True


def _memos() -> list["_lru_cache_wrapper[object]"]:
    """What remembers answers in the rooms under test."""
    rooms = ("billing", "schemas", "books", "test")
    found = [one for one in gc.get_objects() if isinstance(one, _lru_cache_wrapper)]
    return [one for one in found if str(getattr(one, "__module__", "")).startswith(rooms)]


def _quiet(*descriptors: int) -> None:
    """What a test prints goes nowhere; a fork that breaks says so by its exit code."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for one in descriptors:
        os.dup2(nowhere, one)
