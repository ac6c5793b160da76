"""Guarded records side by side: what hangs holds up nothing but its lane, and no position passes it."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import pytest
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.consumer.subscription_state import Assignment

from schemas.errors import Rejected
from streams.engine.batch import Batch, BatchAgent, Settling, settled
from streams.engine.errors import EngineFault, OwnershipLost
from streams.engine.guard import GuardedAgent, RawRecord
from streams.engine.lanes import LaneLimits, Lanes, Turn
from streams.engine.publisher import Outgoing
from streams.engine.pump import Pump
from streams.engine.side_by_side import SETTLING_MAX, SideBySide
from streams.engine.thread import BatchConsumerThread, Bounds, Claim, Fetched

TOPIC = "errands"
Answer = TypeVar("Answer")
LIMITS = LaneLimits(at_once=2, held_bytes=1_000)


@dataclass
class Errands:
    """Does errands called `lane/thing/name`: each hangs until it is let go, unless its lane is `quick`."""

    began: list[str] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    letters: list[str] = field(default_factory=list)
    faults: dict[str, Exception] = field(default_factory=dict)
    _let_go: dict[str, asyncio.Event] = field(default_factory=dict)

    async def __call__(self, record: RawRecord) -> None:
        """See `GuardedHandler`."""
        name = (record.value or b"").decode()
        self.began.append(name)
        try:
            if not name.startswith("quick/"):
                await self._word_for(name).wait()
        except asyncio.CancelledError:
            self.cancelled.append(name)
            raise
        if name in self.faults:
            raise self.faults[name]
        self.done.append(name)

    def let_go(self, *names: str) -> None:
        """These hang no more."""
        for name in names:
            self._word_for(name).set()

    async def publish(self, outgoing: Sequence[Outgoing]) -> None:
        """See `Publisher`: dead letters."""
        self.letters += [one.value.decode() for one in outgoing]

    def _word_for(self, name: str) -> asyncio.Event:
        return self._let_go.setdefault(name, asyncio.Event())


def turn_of(record: RawRecord) -> Turn | None:
    """What is no errand is not ours."""
    lane, _, rest = (record.value or b"").decode().partition("/")
    return Turn(lane, rest.partition("/")[0]) if rest else None


@pytest.fixture
def errands() -> Errands:
    """Nothing asked yet."""
    return Errands()


@pytest.fixture
def lanes() -> Lanes:
    """Two at once in a lane, a thousand bytes in all."""
    return Lanes(LIMITS)


@pytest.fixture
def handler(errands: Errands, lanes: Lanes) -> SideBySide:
    """Errands in these lanes."""

    def letter(record: RawRecord, error: Exception) -> Outgoing:
        return Outgoing("letters", 0, None, record.value or b"")

    agent = GuardedAgent("errands", TOPIC, errands, letter, errands)  # type: ignore[arg-type]  # publishes to memory
    return SideBySide(agent, turn_of, lanes)


def records(names: Sequence[str], first_offset: int = 0) -> "list[ConsumerRecord[bytes | None, bytes | None]]":
    """Records of a partition, one for each name."""
    values = [name.encode() for name in names]
    return [
        ConsumerRecord(TOPIC, 0, offset, 1_790_000_000_000, 0, None, value, 0, 0, len(value), ())
        for offset, value in enumerate(values, first_offset)
    ]


def batch(*names: str) -> Batch:
    """A batch from the partition's beginning."""
    return Batch(TOPIC, 0, records(names), len(names), len(names))


async def rest() -> None:
    """Let everybody come as far as they can."""
    for _ in range(50):
        await asyncio.sleep(0)


async def begun(handler: SideBySide, *names: str) -> Settling:
    """Process a batch and see how far it comes by itself."""
    settling = await handler.process(batch(*names)) or settled()
    await rest()
    return settling


async def test_what_hangs_holds_up_no_other_lane(handler: SideBySide, errands: Errands) -> None:
    """All turns of a lane are taken by what hangs: other lanes go on, and the batch is settled when all is done."""
    stuck = [f"slow/{number}/a" for number in range(3)]
    settling = await begun(handler, *stuck, "other/1/a", "quick/1/a", "no errand")
    assert errands.began == [*stuck[:2], "other/1/a", "quick/1/a"]
    assert errands.done == ["quick/1/a"]
    errands.let_go(*stuck[:2])
    await rest()
    assert "slow/2/a" in errands.began
    assert not settling.done()
    errands.let_go("slow/2/a", "other/1/a")
    await settling


async def test_it_is_known_what_each_lane_holds(handler: SideBySide, errands: Errands, lanes: Lanes) -> None:
    """What waits and what is under way, until it ends, however it does; and how full all of them are."""
    settling = await begun(handler, "slow/1/a", "slow/2/a", "slow/3/a", "other/1/a", "quick/1/a")
    assert [lanes.held(name) for name in ("slow", "other", "quick", "nobody")] == [3, 1, 0, 0]
    assert lanes.held_ratio == (3 * len("slow/1/a") + len("other/1/a")) / LIMITS.held_bytes
    errands.let_go("slow/1/a")
    await rest()
    assert lanes.held("slow") == 2
    settling.cancel()
    await rest()
    assert (lanes.held("slow"), lanes.held("other"), lanes.held_ratio) == (0, 0, 0)


async def test_a_batch_without_errands_is_settled_at_once(handler: SideBySide) -> None:
    """Nothing is waited for."""
    assert await handler.process(batch("no errand", "nor this")) is None


async def test_work_on_one_thing_keeps_its_order_and_takes_one_turn(handler: SideBySide, errands: Errands) -> None:
    """Also over batches; and who waits for another on the same thing takes no turn from a third."""
    first = await begun(handler, "slow/1/a", "slow/1/b")
    second = await begun(handler, "slow/1/c", "slow/2/a")
    assert errands.began == ["slow/1/a", "slow/2/a"]
    for name in ("slow/1/a", "slow/1/b", "slow/1/c", "slow/2/a"):
        errands.let_go(name)
        await rest()
    assert errands.done == ["slow/1/a", "slow/1/b", "slow/1/c", "slow/2/a"]
    await asyncio.gather(first, second)


async def test_who_gives_up_its_place_lets_nobody_overtake(handler: SideBySide, errands: Errands) -> None:
    """Of three for one thing the second goes: the third still waits for the first."""
    first = await begun(handler, "slow/1/a")
    second = await begun(handler, "slow/1/b")
    third = await begun(handler, "slow/1/c")
    second.cancel()
    await rest()
    assert errands.began == ["slow/1/a"]
    errands.let_go("slow/1/a", "slow/1/c")
    await asyncio.gather(first, third)
    assert errands.done == ["slow/1/a", "slow/1/c"]


async def test_memory_is_bounded(handler: SideBySide, errands: Errands) -> None:
    """With a thousand bytes in hand nothing more is begun, until something ends."""
    large = [f"slow/{number}/{'x' * 493}" for number in range(3)]
    processing = asyncio.ensure_future(handler.process(batch(*large, "quick/1/a")))
    await rest()
    assert (errands.began, processing.done()) == (large[:2], False)
    errands.let_go(large[0])
    await rest()
    assert (errands.began, processing.done()) == (large, False)
    errands.let_go(large[1])
    await rest()
    assert (errands.done[-1], processing.done()) == ("quick/1/a", True)
    errands.let_go(large[2])
    await (await processing or settled())


async def test_who_waits_for_room_hears_of_a_failure(handler: SideBySide, errands: Errands) -> None:
    """The worker has to stop: what else is in hand may hang for minutes, and is given up."""
    large = [f"slow/{number}/{'x' * 490}" for number in range(2)]
    errands.faults["other/1/a"] = EngineFault("broken", "Broken.")
    settling = await begun(handler, *large, "other/1/a")
    processing = asyncio.ensure_future(handler.process(batch("slow/3/a")))
    await rest()
    errands.let_go("other/1/a")
    with pytest.raises(EngineFault):
        await processing
    with pytest.raises(EngineFault):
        await settling
    await rest()
    assert errands.cancelled == large


async def test_a_new_owner_hears_nothing_of_old_failures(handler: SideBySide, errands: Errands) -> None:
    """After another assignment the partition begins anew."""
    errands.faults["quick/1/a"] = OwnershipLost("rebalanced")
    with pytest.raises(OwnershipLost):
        await (await begun(handler, "quick/1/a"))
    await handler.assigned(0, None)
    large = [f"slow/{number}/{'x' * 990}" for number in range(2)]
    processing = asyncio.ensure_future(handler.process(batch(*large)))
    await rest()
    errands.let_go(*large)
    await (await processing or settled())


async def test_a_record_that_fails_is_a_letter_and_the_others_go_on(handler: SideBySide, errands: Errands) -> None:
    """Nothing is lost over it, and the batch is settled."""
    errands.faults["quick/1/a"] = Rejected("no", "No.")
    await (await begun(handler, "quick/1/a", "quick/2/a"))
    assert (errands.letters, errands.done) == (["quick/1/a"], ["quick/2/a"])


async def test_one_failure_ends_the_batch(handler: SideBySide, errands: Errands) -> None:
    """What stops the worker stops what was under way; waiting records never begin."""
    errands.faults["quick/1/a"] = EngineFault("broken", "Broken.")
    settling = await begun(handler, "slow/1/a", "slow/1/b", "quick/1/a")
    with pytest.raises(EngineFault):
        await settling
    await rest()
    assert (errands.began, errands.cancelled) == (["slow/1/a", "quick/1/a"], ["slow/1/a"])


@pytest.mark.parametrize("turns", [0, 50])
async def test_giving_up_a_batch_ends_its_records(turns: int, handler: SideBySide, errands: Errands) -> None:
    """When a partition is taken away, whether or not they began."""
    settling = await handler.process(batch("slow/1/a", "slow/1/b", "slow/2/a")) or settled()
    for _ in range(turns):
        await asyncio.sleep(0)
    settling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await settling
    assert len(errands.cancelled) == len(errands.began)
    again = await begun(handler, "slow/1/a")
    errands.let_go("slow/1/a")
    await again
    assert errands.done == ["slow/1/a"]


async def test_memory_that_was_given_up_is_free_again(handler: SideBySide, errands: Errands) -> None:
    """A cancelled wait for room leaves nothing behind."""
    large = [f"slow/{number}/{'x' * 490}" for number in range(4)]
    processing = asyncio.ensure_future(handler.process(batch(*large)))
    await rest()
    processing.cancel()
    await asyncio.wait({processing})
    await rest()
    await (await begun(handler, "quick/1/a"))
    assert errands.done == ["quick/1/a"]


class Fetches(BatchConsumerThread):
    """A consumer's thread that hands out what it is given, one fetch after the other."""

    def __init__(self) -> None:
        self.fetches: asyncio.Queue[Fetched] = asyncio.Queue()
        self._end = 0

    def give(self, *names: str) -> None:
        """A fetch with these records."""
        self._end += len(names)
        self.fetches.put_nowait(Fetched(records(names, self._end - len(names)), self._end, self._end))

    async def run_here(self, coroutine: Coroutine[object, object, Answer]) -> Answer:
        """See the product's."""
        return await coroutine

    def owns(self, claim: Claim) -> bool:
        """See the product's."""
        return True

    def highwater_of(self, claim: Claim) -> int | None:
        """See the product's."""
        return self._end

    async def bounds_here(self, claim: Claim) -> Bounds:
        """See the product's."""
        return Bounds(0, self._end, None)

    async def seek_here(self, claim: Claim, offset: int) -> None:
        """See the product's."""

    async def fetch_here(self, claim: Claim, position: int, records_max: int) -> Fetched:
        """See the product's."""
        return await self.fetches.get()


@asynccontextmanager
async def pumping(handler: SideBySide) -> "AsyncIterator[tuple[Pump, Fetches, asyncio.Task[None]]]":
    """A pump on a partition of errands."""
    fetches, place = Fetches(), TopicPartition(TOPIC, 0)
    agent = BatchAgent("errands", TOPIC, handler, 500, SETTLING_MAX)
    pump = Pump(fetches, agent, Claim(place, Assignment([place]), 1))
    task = asyncio.ensure_future(pump.run())
    yield pump, fetches, task
    task.cancel()
    await asyncio.wait({task})


async def test_no_position_passes_a_record_in_hand(handler: SideBySide, errands: Errands) -> None:
    """Hundreds of fetches behind one that hangs are done; the position waits for it, and then is at the end."""
    async with pumping(handler) as (pump, fetches, _):
        fetches.give("quick/0/a")
        fetches.give("slow/1/a")
        for number in range(300):
            fetches.give(f"quick/{number}/b", "no errand")
        fetches.give("slow/2/a")
        fetches.give("no errand")
        while len(errands.done) < 301 or len(errands.began) < 303:
            await rest()
        assert pump.position == 1
        errands.let_go("slow/1/a")
        await rest()
        assert pump.position == 602
        errands.let_go("slow/2/a")
        await rest()
        assert pump.position == 604


async def test_a_failure_behind_one_that_hangs_ends_the_partition(handler: SideBySide, errands: Errands) -> None:
    """Nobody waits until what hangs has ended, and it is given up."""
    errands.faults["quick/1/a"] = EngineFault("broken", "Broken.")
    async with pumping(handler) as (pump, fetches, task):
        fetches.give("slow/1/a")
        fetches.give("quick/1/a")
        fetches.give("no errand")
        with pytest.raises(EngineFault):
            await task
    assert (pump.position, errands.cancelled) == (0, ["slow/1/a"])


async def test_a_stop_waits_for_what_hangs_no_longer_than_allowed(
    handler: SideBySide, errands: Errands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then it is cancelled, and the position is where it was."""
    monkeypatch.setattr("streams.engine.pump.CANCEL_SECONDS", 0.05)
    async with pumping(handler) as (pump, fetches, task):
        fetches.give("slow/1/a")
        fetches.give("quick/1/a")
        await rest()
        await pump.stop(task, 0.01)
    assert (pump.position, errands.done, errands.cancelled) == (0, ["quick/1/a"], ["slow/1/a"])
