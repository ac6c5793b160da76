"""The pace of a back-fill, by a clock that the test moves."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from runtime.clock import SimulatedClock
from streams.pacing import IDLE_SECONDS, LOOK_SECONDS, LiveLag, Pace, PaceLimits, Place, Standing, Waited

PLACE = ("billstream-fold", "journal", 0)
OTHER = ("billstream-fold", "journal", 1)


class Workers:
    """What the workers have done, as the test says."""

    def __init__(self) -> None:
        self.clock = SimulatedClock(datetime(2026, 11, 2, tzinfo=UTC))
        self.standings: dict[Place, Standing] = {PLACE: Standing(0, 0), OTHER: Standing(10, 10)}
        self.looks: list[Waited] = []

    async def look(self) -> Mapping[Place, Standing]:
        """See `Look`."""
        return dict(self.standings)

    def pace(self, **limits: float) -> Pace:
        """A back-fill's pace over them."""
        return Pace(self.look, self.clock, PaceLimits(**limits), self.looks.append)  # type: ignore[arg-type]

    async def pass_time(self, seconds: float) -> None:
        """Move the clock in steps, so that whoever sleeps looks as often as in real time."""
        for _ in range(round(seconds / LOOK_SECONDS)):
            self.clock.advance(LOOK_SECONDS)
            for _ in range(5):
                await asyncio.sleep(0)

    async def begun(self, pace: Pace) -> "asyncio.Task[None]":
        """A turn that was asked for."""
        turn = asyncio.create_task(pace.turn())
        for _ in range(5):
            await asyncio.sleep(0)
        return turn


@pytest.fixture
def workers() -> Workers:
    """Two partitions without anything to do."""
    return Workers()


def test_the_lag_is_the_age_of_what_is_not_done() -> None:
    """It grows while nothing is done, follows the oldest record that waits, and is 0 when all is done."""
    lag = LiveLag()
    assert lag.see(100, {PLACE: Standing(5, 5)}) == 0
    assert lag.see(101, {PLACE: Standing(5, 8)}) == 0
    assert lag.see(103, {PLACE: Standing(5, 9)}) == 2
    assert lag.see(104, {PLACE: Standing(8, 9)}) == 1
    assert lag.see(105, {PLACE: Standing(8, 9), OTHER: Standing(None, 99)}) == 2
    assert lag.see(106, {PLACE: Standing(9, 9)}) == 0


async def test_a_back_fill_goes_on_while_live_work_is_at_its_end(workers: Workers) -> None:
    """Nobody waits for nothing."""
    await asyncio.wait_for(workers.pace().turn(), 5)
    assert workers.looks == [Waited(0.0, 0.0)]


async def test_a_back_fill_waits_while_live_work_is_two_seconds_behind(workers: Workers) -> None:
    """Any partition's lag above the limit stops it, also another book's; at half of the limit it goes on."""
    pace = workers.pace()
    await pace.turn()
    workers.standings[OTHER] = Standing(10, 11)
    await pace.turn()
    await workers.pass_time(2.4)
    workers.standings[OTHER] = Standing(10, 40)
    turn = await workers.begun(pace)
    await workers.pass_time(1.4)
    assert not turn.done()
    workers.standings[OTHER] = Standing(11, 40)
    await workers.pass_time(0.4)
    assert not turn.done(), "the next one waits for 1.8 s, and it goes on at one"
    workers.standings[OTHER] = Standing(40, 40)
    await workers.pass_time(0.4)
    assert turn.done()
    assert max(one.live_lag_seconds for one in workers.looks) > 2
    assert sum(one.waited_seconds for one in workers.looks) == pytest.approx(2.2, abs=0.5)


async def test_a_back_fill_is_never_far_ahead(workers: Workers) -> None:
    """What is on its way is bounded before any lag is seen, so that the lag does not come after the fact."""
    pace = workers.pace(ahead_records=3_000)
    workers.standings[PLACE] = Standing(0, 3_000)
    turn = await workers.begun(pace)
    assert not turn.done()
    workers.standings[PLACE] = Standing(1, 3_000)
    await workers.pass_time(0.2)
    assert turn.done()


async def test_where_nobody_works_nothing_is_waited_for(workers: Workers) -> None:
    """Without a worker the entries only lie in their topic; once one works, the back-fill keeps its pace again."""
    pace = workers.pace()
    workers.standings[PLACE] = Standing(0, 9_000)
    turn = await workers.begun(pace)
    await workers.pass_time(IDLE_SECONDS - 1)
    assert not turn.done()
    await workers.pass_time(1.2)
    assert turn.done()
    await asyncio.wait_for(pace.turn(), 5)
    workers.standings[PLACE] = Standing(1, 9_000)
    turn = await workers.begun(pace)
    assert not turn.done()
    turn.cancel()


async def test_a_group_that_never_began_holds_nobody_up(workers: Workers) -> None:
    """A new installation has no group yet."""
    workers.standings = {PLACE: Standing(None, 1_000_000)}
    await asyncio.wait_for(workers.pace().turn(), 5)
