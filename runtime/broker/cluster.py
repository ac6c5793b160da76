"""Several embedded brokers as one cluster on this machine: for trials of what a real cluster does when parts of it die.

Each broker is a controller, too; topics have three copies, and a record counts when two brokers have it.
"""

import asyncio
import json
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from runtime.broker.embedded import BrokerOptions, EmbeddedBroker
from runtime.broker.ports import free_ports
from runtime.broker.properties import LOOPBACK, RECORDS_FOLDER, Ports, Seat
from runtime.broker.state import cluster_id_of

_PORTS_EACH = 4
_QUORUM_FILE = Path(RECORDS_FOLDER) / "__cluster_metadata-0" / "quorum-state"


class EmbeddedCluster:
    """Brokers on free ports, each in a folder of its own below one; `nodes` may be killed and started one by one.

    Clients may be led through something in between (a proxy, say): it listens on `advertised_ports` and passes on to
    `broker_ports`. Without that both are the same.
    """

    def __init__(
        self,
        folder: Path,
        *,
        size: int = 3,
        cache: Path | None = None,
        options: BrokerOptions | None = None,
        through: bool = False,
    ) -> None:
        """`through`: clients are advertised other ports than those where the brokers listen."""
        taken = free_ports(size * _PORTS_EACH)
        self.broker_ports, controllers, peers, others = (taken[start::_PORTS_EACH] for start in range(_PORTS_EACH))
        self.advertised_ports = others if through else self.broker_ports
        voters = tuple(enumerate(controllers, start=1))
        self.nodes = tuple(
            EmbeddedBroker(
                folder / f"node-{node_id}",
                cache=cache or folder.absolute().parent / "cache",
                options=options,
                seat=Seat(
                    node_id=node_id,
                    cluster_id=cluster_id_of(folder),
                    ports=Ports(self.broker_ports[node_id - 1], controller),
                    peers_port=peers[node_id - 1],
                    advertised_port=self.advertised_ports[node_id - 1],
                    voters=voters,
                ),
            )
            for node_id, controller in voters
        )

    @property
    def bootstrap_servers(self) -> str:
        """The addresses for clients."""
        return ",".join(f"{LOOPBACK}:{port}" for port in self.advertised_ports)

    @property
    def controller(self) -> int:
        """Number (from 0) of the node that leads the controllers, as the nodes last wrote down; 0 when none has."""
        terms: list[tuple[int, int]] = []
        for node in self.nodes:
            with suppress(OSError, ValueError, KeyError):
                written = json.loads((node.folder / _QUORUM_FILE).read_bytes())
                terms.append((int(written["leaderEpoch"]), int(written["leaderId"])))
        return max((leader for _, leader in sorted(terms)[-1:]), default=1) - 1 if terms else 0

    async def start(self) -> None:
        """Start all nodes side by side: none answers before most are there. Raises as `EmbeddedBroker.start`."""
        try:
            async with asyncio.TaskGroup() as starting:
                for node in self.nodes:
                    starting.create_task(node.start())
        except BaseException:
            await self.kill()
            raise

    async def stop(self) -> None:
        """Stop all nodes cleanly; the last ones, who cannot hand over any more, by force after their time limit."""
        await asyncio.gather(*(node.stop() for node in self.nodes))

    async def kill(self) -> None:
        """End all nodes at once, as a power cut would."""
        await asyncio.gather(*(node.kill() for node in self.nodes))

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()
