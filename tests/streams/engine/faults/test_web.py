"""Stock Faust's web server: on though the settings say off, open to everybody, and in each other's way. The test fails
once Faust mends that: then `enable_web` in `create_app` can go.
"""

import asyncio
import socket
import urllib.request
from typing import TYPE_CHECKING

import faust
import psutil  # type: ignore[import-untyped]  # ships no annotations
import pytest

if TYPE_CHECKING:
    from tests.streams.engine.conftest import Rig


def test_its_own_address_is_everybodys() -> None:
    """Whoever sets nothing listens on all networks of the machine, always on the same port, and shows tables."""
    conf = faust.App("stock").conf
    assert (conf.web_bind, conf.web_port, conf.web_tables_enabled) == ("0.0.0.0", 6066, True)


def looked_at(address: str) -> bytes:
    """What anybody gets."""
    with urllib.request.urlopen(address) as answer:
        return bytes(answer.read())


@pytest.mark.broker
async def test_the_web_server_is_on_though_it_was_switched_off(rig: "Rig") -> None:
    """The setting is overruled by Faust's command line; tables are shown without a login; a second worker dies."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    worker = rig.stock("web", port=port)

    async def listening() -> bool:
        places = psutil.Process(worker.process.pid).net_connections("inet")
        return (psutil.CONN_LISTEN, "0.0.0.0", port) in {(at.status, at.laddr.ip, at.laddr.port) for at in places}

    await rig.until(listening, "no web server")
    assert b"totals" in await asyncio.to_thread(looked_at, f"http://127.0.0.1:{port}/table/")
    second = rig.stock("web", folder="second", port=port)
    assert await second.ended() != 0
    assert "address already in use" in second.errors.read_text()
    assert worker.process.poll() is None
