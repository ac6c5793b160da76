"""Stock Faust: each record fills some rows of a table, of which the broker takes a few while a commit waits."""

import asyncio

import faust

from tests.streams.engine.faults.programs.refusing import take_only
from tests.streams.engine.faults.programs.stock import app_for, given, raw, run, say

options = given()
app = app_for(options, producer_max_request_size=16_000_000)
sums = app.Table("sums", default=str, partitions=2, key_type=str, value_type=str)


@app.agent(raw(app, options.source), name="fills")
async def fills(stream: faust.StreamT[bytes]) -> None:
    """So many characters in each row."""
    slowed = not options.requests
    async for value in stream:
        if not slowed:
            slowed = True
            slow_down()
        for number in range(options.rows):
            sums[str(number)] = "x" * int(value)
        say(event="filled")


def slow_down() -> None:
    """The first rows go when the client is asked to flush, as any commit does."""
    producer, asked = app.producer._producer, asyncio.Event()
    flush = producer.flush

    async def flush_and_say() -> None:
        asked.set()
        await flush()

    producer.flush = flush_and_say
    take_only(producer, options.requests, asked)


if __name__ == "__main__":
    run(app, "--without-web")
