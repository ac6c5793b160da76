"""What the client is told of a group's offsets, by coordinators that answer and by one that still loads."""

import asyncio
from collections.abc import Sequence

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.errors import GroupAuthorizationFailedError
from aiokafka.protocol.api import Response
from aiokafka.protocol.commit import OffsetFetchResponse_v1, OffsetFetchResponse_v3

from streams.engine.thread import demand_loaded_offsets

PLACE = TopicPartition("journal", 0)
FOUND = OffsetFetchResponse_v3(0, [("journal", [(0, 7, "", 0)])], 0)
LOADING, NOT_MINE, FORBIDDEN = (OffsetFetchResponse_v3(0, [], code) for code in (14, 16, 30))


class ScriptedCoordinator(GroupCoordinator):  # type: ignore[misc]  # aiokafka carries no types
    """The client's own reading of offsets; what the broker answers is given."""

    def __init__(self, answers: Sequence[Response]) -> None:
        self.group_id = "fold"
        self._retry_backoff_ms = 1
        self._closing = asyncio.get_running_loop().create_future()
        self.answers = list(answers)
        self.searches = 0

    async def ensure_coordinator_known(self) -> None:
        """It is known."""

    def coordinator_dead(self) -> None:
        """It has to be found again."""
        self.searches += 1

    async def _send_req(self, request: object) -> Response:
        return self.answers.pop(0)


async def offset_of(coordinator: ScriptedCoordinator) -> int | None:
    """The offset the group is said to be at."""
    found = await coordinator.fetch_committed_offsets([PLACE])
    return int(found[PLACE].offset) if PLACE in found else None


async def test_the_client_takes_a_loading_coordinator_for_an_empty_group() -> None:
    """The fault, in aiokafka as it is: the error of the whole answer is not looked at. When this fails the client has
    mended it, and `demand_loaded_offsets` can go.
    """
    assert await offset_of(ScriptedCoordinator([LOADING, FOUND])) is None


@pytest.mark.parametrize(("refusal", "searches"), [(LOADING, 0), (NOT_MINE, 1)])
async def test_a_coordinator_that_still_loads_is_asked_again(refusal: Response, searches: int) -> None:
    """The offset is what it says once it knows; another coordinator is looked for when it says it is not the one."""
    coordinator = ScriptedCoordinator([refusal, refusal, FOUND])
    demand_loaded_offsets(coordinator)
    assert await offset_of(coordinator) == 7
    assert coordinator.searches == 2 * searches


async def test_an_answer_that_time_does_not_heal_is_an_error() -> None:
    """Who may not read a group's offsets hears that, and does not begin at the beginning."""
    coordinator = ScriptedCoordinator([FORBIDDEN])
    demand_loaded_offsets(coordinator)
    with pytest.raises(GroupAuthorizationFailedError):
        await offset_of(coordinator)


@pytest.mark.parametrize(
    "answer", [OffsetFetchResponse_v1([("journal", [(0, -1, "", 0)])]), OffsetFetchResponse_v3(0, [], 0)]
)
async def test_a_group_that_never_committed_has_no_offset(answer: Response) -> None:
    """An answer without an error is an answer, also of a broker whose answers have no place for one."""
    coordinator = ScriptedCoordinator([answer])
    demand_loaded_offsets(coordinator)
    assert await offset_of(coordinator) is None
