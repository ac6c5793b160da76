"""Ordinary Faust agents, made safe: acknowledged by hand and last, one record at a time, failures to dead letters.

An agent that raises has already lost its event in stock Faust. Here a record that fails goes whole to `dead-letters`,
that is acknowledged by the broker, and only then the record is; if even that fails the worker stops and reads it again.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import faust
from faust.types import EventT
from mode.supervisors import CrashingSupervisor

from schemas.errors import ConfigurationError, OutcomeUnknown, Retryable
from streams.engine.errors import EngineFault, OwnershipLost
from streams.engine.publisher import Outgoing, Publisher


@dataclass(frozen=True, slots=True)
class RawRecord:
    """A record as it stood in its topic; nothing is decoded before the guard holds it."""

    topic: str
    partition: int
    offset: int
    timestamp_milliseconds: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]


class GuardedHandler(Protocol):
    """Decodes and does one record; when it returns, everything that must outlive the record is acknowledged."""

    async def __call__(self, record: RawRecord) -> None:
        """Raise what fails: Retryable is tried again, `STOPS_THE_WORKER` stops it, the rest makes a dead letter."""


STOPS_THE_WORKER = (AssertionError, ConfigurationError, OutcomeUnknown, OwnershipLost, EngineFault)
"""Not the record's fault: our own bug, our settings, a broker that does not answer. The record is read again."""

RETRIES_MAX = 5
RETRY_WAIT_SECONDS_MAX = 30

DeadLetterMaker = Callable[[RawRecord, Exception], Outgoing]


@dataclass(frozen=True, slots=True)
class GuardedAgent:
    """What the guard needs to know about an ordinary agent."""

    name: str
    topic: str
    handler: GuardedHandler
    dead_letter: DeadLetterMaker
    publisher: Publisher


def install_guarded_agent(app: faust.App, agent: GuardedAgent) -> None:
    """Install an ordinary agent on a topic that exists. Raises ValueError if the name is taken.

    Inside the handler, tables may be read and written: it runs within the iteration of the stream.
    """
    if agent.name in app.agents:
        raise ValueError(f"there is an agent {agent.name} already")
    source = app.topic(
        agent.topic,
        key_type=bytes,
        key_serializer="raw",
        value_type=bytes,
        value_serializer="raw",
        allow_empty=True,
        internal=False,
    )

    async def guarded(stream: faust.StreamT[bytes]) -> None:
        events = stream.noack().events()
        async for event in events:
            await settle(agent, raw_record(event))
            await stream.ack(event)

    app.agent(source, name=agent.name, concurrency=1, supervisor_strategy=CrashingSupervisor)(guarded)


async def settle(agent: GuardedAgent, record: RawRecord) -> None:
    """Return when the record is done or its dead letter is acknowledged; raise when neither could be had."""
    try:
        await _try_again(agent.handler, record)
    except STOPS_THE_WORKER:
        raise
    except Exception as error:  # noqa: BLE001  # the one place where records are supervised: nothing may be dropped
        await agent.publisher.publish([agent.dead_letter(record, error)])


async def _try_again(handler: GuardedHandler, record: RawRecord) -> None:
    """Call the handler again while it asks for that; the last refusal comes out as it is."""
    for attempt in range(RETRIES_MAX):
        try:
            return await handler(record)
        except Retryable as refusal:
            # No jitter: a few records at a time, so nobody storms.
            await asyncio.sleep(min(max(refusal.after_seconds, 2**attempt), RETRY_WAIT_SECONDS_MAX))
    return await handler(record)


def raw_record(event: EventT[bytes]) -> RawRecord:
    """The record as bytes, with its place."""
    message = event.message
    return RawRecord(
        topic=message.topic,
        partition=message.partition,
        offset=message.offset,
        timestamp_milliseconds=round(message.timestamp * 1000),
        key=message.key,
        value=message.value,
        headers=_headers(message.headers),
    )


def _headers(headers: Mapping[str, bytes] | list[tuple[str, bytes]] | None) -> tuple[tuple[str, bytes], ...]:
    if not headers:
        return ()
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    return tuple((name, value) for name, value in pairs)
