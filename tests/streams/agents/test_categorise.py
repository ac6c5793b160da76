"""The `categorise` agent: a decider that fails stops no worker and loses no request (port of deciders, rule 10)."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from aiokafka import ConsumerRecord

from books.testing import BOOK, TENANT, Story, entry
from runtime.clock import SimulatedClock
from schemas.codec import decode, encode
from schemas.errors import BillstreamError, ConfigurationError, Rejected, Retryable, SignInNeeded
from schemas.inputs import Category, Decision, DecisionRank
from schemas.outputs import DeadLetter
from schemas.work import DecideEntry, DeliverDocument
from streams.agents.categorise import Asked, CategoriseHandler, CategoriseSettings, Patience, decide_patiently
from streams.deciding.port import Verdict
from streams.engine.batch import Batch, Settling, settled
from streams.engine.publisher import Outgoing
from streams.topics import DEAD_LETTERS, RESULTS, WORK


class Line:
    """Keeps what is published."""

    def __init__(self) -> None:
        self.published: list[Outgoing] = []

    async def publish(self, outgoing: Sequence[Outgoing]) -> None:
        """See `Publisher`."""
        self.published += outgoing

    async def post(self, outgoing: Sequence[Outgoing]) -> Settling:
        """See `Publisher`."""
        await self.publish(outgoing)
        return settled()

    def decided(self) -> list[str]:
        """The entries of the decisions."""
        found = [decode(one.value) for one in self.published if one.topic == RESULTS]
        return [one.entry_id for one in found if isinstance(one, Decision)]

    def letters(self) -> list[DeadLetter]:
        """The dead letters."""
        found = [decode(one.value) for one in self.published if one.topic == DEAD_LETTERS]
        return [one for one in found if isinstance(one, DeadLetter)]


class Moody:
    """Decides everything, but fails first as told, and never takes a text with `bad` in it."""

    name, version = "moody", 1

    def __init__(self, *faults: BillstreamError) -> None:
        self.faults = list(faults)
        self.calls = 0

    async def decide(self, requests: Sequence[DecideEntry]) -> Sequence[Verdict]:
        """See `Decider`."""
        self.calls += 1
        if self.faults:
            raise self.faults.pop(0)
        if any("bad" in request.description for request in requests):
            raise Rejected("text_refused", "The text is refused.")
        return [Verdict(DecisionRank.OFFLINE, Category.BILLABLE, Decimal(1), ()) for _ in requests]


class Gone:
    """A decider that is not there today."""

    name, version = "gone", 1

    async def decide(self, requests: Sequence[DecideEntry]) -> Sequence[Verdict]:
        """See `Decider`."""
        raise Retryable("decider_down", "The decider is down.")


@pytest.fixture
def clock() -> SimulatedClock:
    """Noon."""
    return SimulatedClock(datetime(2026, 11, 2, 12, tzinfo=UTC))


@pytest.fixture
def line() -> Line:
    """Nothing published yet."""
    return Line()


@pytest.fixture
def work() -> list[DecideEntry]:
    """Seven requests; the fifth has a text that no decider takes."""
    asked: list[DecideEntry] = []

    def ask(request: DecideEntry | DeliverDocument) -> None:
        if isinstance(request, DecideEntry):
            asked.append(request)

    story = Story(ask).begin()
    for day in range(1, 8):
        story.say(entry(f"e{day}", f"2026-10-{day:02d}T09:00", description="bad text" if day == 5 else f"Work {day}"))
    return asked


def batch(requests: Sequence[DecideEntry]) -> Batch:
    """The requests as records of `work`."""
    values = [encode(request) for request in requests]
    records = [
        ConsumerRecord(WORK, 0, offset, 1_790_000_000_000, 0, None, value, 0, 0, len(value), ())
        for offset, value in enumerate(values)
    ]
    return Batch(WORK, 0, records, len(values), len(values))


async def run(handler: CategoriseHandler, clock: SimulatedClock, requests: Sequence[DecideEntry]) -> float:
    """Process a batch while simulated time passes; the seconds that took."""
    working = asyncio.ensure_future(handler.process(batch(requests)))
    while not working.done():
        for _ in range(10):
            await asyncio.sleep(0)
        if not working.done():
            clock.advance(1)
    await (await working)
    return clock.monotonic_seconds()


def handler_of(decider: Moody | Gone, line: Line, clock: SimulatedClock) -> CategoriseHandler:
    """The agent with a decider."""
    return CategoriseHandler(CategoriseSettings(TENANT, BOOK, 1), line, decider, clock)  # type: ignore[arg-type]  # publishes to memory


async def test_a_decider_that_heals_is_asked_again(line: Line, clock: SimulatedClock, work: list[DecideEntry]) -> None:
    """Retryable: the same requests are asked again, not before the time that the other side named."""
    decider = Moody(Retryable("busy", "Busy."), Retryable("busy", "Busy.", after_seconds=7))
    seconds = await run(handler_of(decider, line, clock), clock, work[:3])
    assert line.decided() == [request.entry_id for request in work[:3]]
    assert (decider.calls, seconds) == (3, 1 + 7)


async def test_patience_ends_and_the_requests_stay_open(
    line: Line, clock: SimulatedClock, work: list[DecideEntry]
) -> None:
    """A decider that stays away gives no decision and no letter, and the worker goes on within a minute."""
    seconds = await run(handler_of(Gone(), line, clock), clock, work[:3])
    assert line.published == []
    assert 30 <= seconds <= 60
    await run(handler_of(Moody(), line, clock), clock, work[:3])
    assert len(line.decided()) == 3


class Hanging:
    """A decider that takes requests and never answers."""

    name, version = "hanging", 1

    async def decide(self, requests: Sequence[DecideEntry]) -> Sequence[Verdict]:
        """See `Decider`."""
        await asyncio.Event().wait()
        raise AssertionError("unreachable")


async def test_a_decider_that_hangs_holds_a_partition_for_its_patience_alone(
    clock: SimulatedClock, work: list[DecideEntry]
) -> None:
    """The call itself has a limit, not only the waits between calls; the requests stay open."""
    asked = [Asked(request, record) for request, record in zip(work, batch(work).records, strict=True)]
    async with asyncio.timeout(10):
        decided = await decide_patiently(asked, Hanging(), clock, Patience(total_seconds=0))
    assert [one for one, _ in decided.left] == asked
    assert (decided.verdicts, decided.refused) == ([], [])


async def test_a_sign_in_that_is_needed_is_not_waited_for(
    line: Line, clock: SimulatedClock, work: list[DecideEntry]
) -> None:
    """Only a person can answer that: the requests stay open at once."""
    seconds = await run(handler_of(Moody(SignInNeeded("key_refused", "No.")), line, clock), clock, work[:3])
    assert (line.published, seconds) == ([], 0)


async def test_one_bad_request_is_a_letter_and_the_others_are_decided(
    line: Line, clock: SimulatedClock, work: list[DecideEntry]
) -> None:
    """A request that is refused ends whole in `dead-letters`, with the reason; nothing else is lost over it."""
    await run(handler_of(Moody(), line, clock), clock, work)
    assert sorted(line.decided()) == sorted(request.entry_id for request in work if request is not work[4])
    assert [(letter.offset, letter.reason) for letter in line.letters()] == [(4, "text_refused")]


async def test_settings_that_cannot_work_stop_the_worker(
    line: Line, clock: SimulatedClock, work: list[DecideEntry]
) -> None:
    """What only the person who runs it can mend is not hidden behind open requests."""
    with pytest.raises(ConfigurationError):
        await run(handler_of(Moody(ConfigurationError("no_key", "No key.")), line, clock), clock, work)
    assert line.published == []
