"""Stock Faust asked for exactly once: what it reads from one partition it writes into another one, and into a topic
that nobody in this app reads.
"""

import faust

from tests.streams.engine.faults.programs.stock import app_for, given, raw, run, say

options = given()
app = app_for(options)
read_by_us, read_by_others = raw(app, options.first), raw(app, options.second)


@app.agent(raw(app, options.source), name="passes")
async def passes(stream: faust.StreamT[bytes]) -> None:
    """From partition 0 to partition 1, and out."""
    async for value in stream:
        await read_by_us.send(value=value, partition=1)
        await read_by_others.send(value=value, partition=0)
        say(event="passed", value=value.decode())


@app.agent(read_by_us, name="reads")
async def reads(stream: faust.StreamT[bytes]) -> None:
    """Its own reader makes the topic one of those that take part in transactions."""
    async for value in stream:
        say(event="read", value=value.decode())


if __name__ == "__main__":
    run(app, "--without-web")
