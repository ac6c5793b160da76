"""Leaving a broker that does not answer the goodbye of an encrypted connection."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trustme
from aiokafka.client import AIOKafkaClient
from aiokafka.conn import AIOKafkaConnection

from runtime.kafka.closing import close_in_time


@pytest.fixture
async def deaf(tmp_path: Path) -> AsyncIterator[tuple[int, ssl.SSLContext]]:
    """The port of a server that greets, encrypted, and then never reads again; and what a client trusts."""
    authority = trustme.CA()
    ours, theirs = ssl.create_default_context(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.configure_trust(ours)
    authority.issue_cert("127.0.0.1").configure_cert(theirs)
    talks: list[asyncio.StreamWriter] = []

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.pause_reading()  # type: ignore[attr-defined]  # a transport that reads
        talks.append(writer)

    server = await asyncio.start_server(greet, "127.0.0.1", 0, ssl=theirs)
    yield server.sockets[0].getsockname()[1], ours
    for writer in talks:
        writer.transport.abort()
    server.close()


async def test_a_goodbye_without_an_answer_is_not_waited_for(
    deaf: tuple[int, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client waits half a minute by itself; limited, it has left when the limit is over."""
    port, context = deaf

    async def nothing(connection: AIOKafkaConnection) -> None:
        """Versions are not asked for: nobody would answer."""

    monkeypatch.setattr(AIOKafkaConnection, "_do_version_lookup", nothing)
    client = AIOKafkaClient(security_protocol="SSL", ssl_context=context)
    talk = AIOKafkaConnection("127.0.0.1", port, security_protocol="SSL", ssl_context=context)
    await talk.connect()
    client._conns["one"] = talk
    unlimited = asyncio.ensure_future(client.close())
    await asyncio.wait({unlimited}, timeout=0.5)
    assert not unlimited.done(), "the server answered the goodbye, so this test shows nothing"
    close_in_time(client, limit_seconds=0.1)
    await asyncio.wait_for(client.close(), timeout=5)
    unlimited.cancel()
    await asyncio.wait({unlimited})
