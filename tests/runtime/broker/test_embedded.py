"""The embedded broker's promises, on the real one: kept records, one holder, clean ends, clear errors."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # it carries no types
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from runtime.broker import BrokerOptions, EmbeddedBroker, Progress, Step
from runtime.broker.embedded import LOCK_FILE
from runtime.broker.lock import acquire
from runtime.broker.ready import cluster_answering_at
from runtime.errors import InUse, Misconfigured, Unavailable
from runtime.kafka import KafkaConnection, TopicSpec, ensure_topics

pytestmark = pytest.mark.broker


@pytest.fixture
async def broker(tmp_path: Path, broker_cache: Path) -> AsyncIterator[EmbeddedBroker]:
    """A broker of this test alone, in a folder whose name holds what usually breaks; not started yet."""
    broker = EmbeddedBroker(tmp_path / "a folder, ü" / "broker", cache=broker_cache)
    yield broker
    await broker.stop()


async def write(servers: str, texts: list[bytes]) -> None:
    """Append records to the topic `kept` and wait for each acknowledgement."""
    await ensure_topics(KafkaConnection(bootstrap_servers=servers), [TopicSpec("kept", 1)])
    async with AIOKafkaProducer(bootstrap_servers=servers, acks="all", compression_type="zstd") as producer:
        for text in texts:
            await producer.send_and_wait("kept", text)


async def read(servers: str, count: int) -> list[bytes]:
    """The first records of the topic `kept`."""
    consumer = AIOKafkaConsumer(bootstrap_servers=servers, auto_offset_reset="earliest", enable_auto_commit=False)
    async with asyncio.timeout(30), consumer:
        consumer.assign([TopicPartition("kept", 0)])
        return [(await consumer.getone()).value for _ in range(count)]


async def test_records_survive_a_restart_and_a_kill(broker: EmbeddedBroker) -> None:
    """What was acknowledged is there after a clean stop and after kill -9, at the same address."""
    await broker.start()
    servers = broker.bootstrap_servers
    await write(servers, [b"1", b"2"])
    await broker.restart()
    assert broker.bootstrap_servers == servers
    await write(servers, [b"3"])
    await broker.kill()
    await broker.start()
    assert broker.bootstrap_servers == servers
    assert await read(servers, 3) == [b"1", b"2", b"3"]


async def test_the_steps_of_a_start_are_reported(tmp_path: Path, broker_cache: Path) -> None:
    """A command line can say what is going on; a second start has nothing to format."""
    steps: list[Step] = []

    def note(progress: Progress) -> None:
        if progress.step not in (Step.DOWNLOAD, Step.LEARN):
            steps.append(progress.step)

    async with EmbeddedBroker(tmp_path / "broker", cache=broker_cache, on_progress=note) as broker:
        await broker.restart()
    assert steps == [Step.FORMAT, Step.START, Step.READY, Step.START, Step.READY]


async def test_a_second_start_on_one_folder_is_refused(broker: EmbeddedBroker, broker_cache: Path) -> None:
    """From this process or another: one sentence, and the running broker does not notice."""
    await broker.start()
    second = EmbeddedBroker(broker.folder, cache=broker_cache)
    with pytest.raises(InUse, match="already running"):
        await second.start()
    code = (
        "import asyncio, sys; from pathlib import Path; from runtime.broker import EmbeddedBroker\n"
        "asyncio.run(EmbeddedBroker(Path(sys.argv[1]), cache=Path(sys.argv[2])).start())"
    )
    other = await asyncio.to_thread(run_python, code, broker.folder, broker_cache)
    assert other.returncode != 0
    assert "already running" in other.stderr
    await write(broker.bootstrap_servers, [b"still here"])


async def test_a_broker_whose_parent_was_killed_ends_and_its_folder_can_be_used(
    broker: EmbeddedBroker, broker_cache: Path
) -> None:
    """kill -9 of Billstream leaves no orphan for ever; the next start waits for the old broker's clean end."""
    code = (
        "import asyncio, sys; from pathlib import Path; from runtime.broker import EmbeddedBroker\n"
        "async def main():\n"
        "    broker = EmbeddedBroker(Path(sys.argv[1]), cache=Path(sys.argv[2]))\n"
        "    await broker.start()\n"
        "    print(broker.keeper_id, broker.bootstrap_servers, flush=True)\n"
        "    await broker.ended()\n"
        "asyncio.run(main())"
    )
    parent = start_python(code, broker.folder, broker_cache)
    assert parent.stdout is not None
    keeper_id, servers = (await asyncio.to_thread(parent.stdout.readline)).split()
    keeper = psutil.Process(int(keeper_id))
    (java,) = keeper.children()
    await write(servers, [b"kept"])
    java.suspend()
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    with pytest.raises(InUse):
        await acquire(broker.folder / LOCK_FILE, what="A broker", wait_seconds=0.3)
    java.resume()
    await broker.start()
    assert not keeper.is_running() or keeper.status() == psutil.STATUS_ZOMBIE
    assert await read(broker.bootstrap_servers, 1) == [b"kept"]


async def test_a_wanted_port_that_is_taken_is_named(tmp_path: Path, broker_cache: Path) -> None:
    """The sentence has the port, and the folder is free again afterwards."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        broker = EmbeddedBroker(tmp_path / "broker", cache=broker_cache, options=BrokerOptions(port=port))
        with pytest.raises(InUse, match=f"Port {port} "):
            await broker.start()
    await broker.start()
    assert broker.bootstrap_servers.endswith(f":{port}")
    await broker.stop()


async def test_an_open_port_is_not_ready() -> None:
    """Something that accepts connections and says nothing of Kafka's is not a broker that answers."""

    async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with server:
        assert await cluster_answering_at(server.sockets[0].getsockname()[1]) is None


async def test_a_broker_that_answers_names_its_cluster(kafka: str) -> None:
    """The id tells our broker from another one that took the port."""
    assert await cluster_answering_at(int(kafka.rsplit(":", 1)[1]))


async def test_a_full_disk_is_noticed_before_the_start(tmp_path: Path, broker_cache: Path) -> None:
    """Kafka would stop in the middle of something; we say how much is missing."""
    everything = shutil.disk_usage(tmp_path).total + 1
    options = BrokerOptions(free_bytes_min=everything)
    with pytest.raises(Unavailable, match="MiB left"):
        await EmbeddedBroker(tmp_path / "broker", cache=broker_cache, options=options).start()


async def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path, broker_cache: Path) -> None:
    """A file where the folder should be."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(Misconfigured, match="cannot be written"):
        await EmbeddedBroker(tmp_path / "file" / "broker", cache=broker_cache).start()


async def test_a_broker_that_dies_at_the_start_says_why(broker: EmbeddedBroker) -> None:
    """The error has the broker's last words, and the folder is not left locked."""
    await broker.start()
    await broker.stop()
    (broker.folder / "records" / "meta.properties").write_text("version=1\nnode.id=7\ncluster.id=someone-elses\n")
    with pytest.raises(Unavailable, match="ended while it started") as caught:
        await broker.start()
    assert "node" in caught.value.message.lower() or "node" in caught.value.detail.lower()
    assert not broker.running
    with pytest.raises(Unavailable):
        await broker.start()


async def test_a_broker_that_ends_by_itself_is_noticed(broker: EmbeddedBroker) -> None:
    """Supervision waits on `ended`, and a new start works."""
    await broker.start()
    ended = asyncio.create_task(broker.ended())
    for java in psutil.Process(broker.keeper_id).children():
        java.kill()
    assert await asyncio.wait_for(ended, 10) == 128 + signal.SIGKILL
    assert not broker.running
    await broker.start()
    assert broker.running


async def test_the_broker_listens_on_loopback_only_and_writes_only_into_its_folder(broker: EmbeddedBroker) -> None:
    """No socket on another address, no log on the terminal, no file handle elsewhere but in the cache and Java."""
    await broker.start()
    (java,) = psutil.Process(broker.keeper_id).children()
    listening = {one.laddr.ip for one in java.net_connections() if one.status == psutil.CONN_LISTEN}
    assert {address.removeprefix("::ffff:") for address in listening} == {"127.0.0.1"}
    written = [Path(file.path) for file in java.open_files() if file.mode not in {"r", "rt"}]
    assert written
    assert all(path.is_relative_to(broker.folder) for path in written)


async def test_ctrl_c_in_the_terminal_does_not_reach_the_broker(broker: EmbeddedBroker) -> None:
    """A terminal signals the whole group of its program; the broker is in another, and Billstream stops it in order."""
    await broker.start()
    (java,) = psutil.Process(broker.keeper_id).children()
    assert os.getpgid(java.pid) == broker.keeper_id != os.getpgid(0)


def run_python(code: str, *arguments: Path) -> "subprocess.CompletedProcess[str]":
    """Run code in another process to its end."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=checkout(), check=False)


def start_python(code: str, *arguments: Path) -> "subprocess.Popen[str]":
    """Start code in another process."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=checkout(), env=dict(os.environ))


def checkout() -> Path:
    """The folder our rooms can be imported from."""
    return Path(__file__).resolve().parents[3]
