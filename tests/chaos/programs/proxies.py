"""Stands between workers and brokers: passes everything on until it is told to cut or to stall the way to a broker.

Arguments: pairs `listening port:broker's port`. Lines of its input: `cut N`, `stall N`, `open N`, N from 1.
"""

import asyncio
import sys
from dataclasses import dataclass, field

CHUNK_BYTES = 256 * 1024
LOOPBACK = "127.0.0.1"


@dataclass
class Way:
    """The way to one broker and the connections that are on it."""

    target_port: int
    flows: asyncio.Event = field(default_factory=asyncio.Event)
    refuses: bool = False
    writers: set[asyncio.StreamWriter] = field(default_factory=set)

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A client has come."""
        try:
            if self.refuses:
                raise ConnectionRefusedError
            there, back = await asyncio.open_connection(LOOPBACK, self.target_port)
        except OSError:
            writer.transport.abort()
            return
        self.writers |= {writer, back}
        await asyncio.gather(self.passed_on(reader, back), self.passed_on(there, writer))
        self.writers -= {writer, back}

    async def passed_on(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        """One direction, until either end is gone."""
        try:
            while chunk := await source.read(CHUNK_BYTES):
                await self.flows.wait()
                sink.write(chunk)
                await sink.drain()
        except OSError:
            sink.transport.abort()
        else:
            sink.close()

    def told(self, word: str) -> None:
        """Cut: every connection breaks and none is made. Stall: bytes wait, as if the cable were pulled."""
        self.refuses = word == "cut"
        if word == "stall":
            self.flows.clear()
        else:
            self.flows.set()
        if self.refuses:
            for writer in self.writers:
                writer.transport.abort()


async def main() -> None:
    """Until the input ends, which it does when whoever started us dies."""
    ways = []
    for pair in sys.argv[1:]:
        listening, target = pair.split(":")
        way = Way(int(target))
        way.flows.set()
        ways.append(way)
        await asyncio.start_server(way.connected, LOOPBACK, int(listening), limit=CHUNK_BYTES)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while line := await asyncio.to_thread(sys.stdin.readline):
        word, number = line.split()
        ways[int(number) - 1].told(word)


if __name__ == "__main__":
    asyncio.run(main())
