"""Four agents of stock Faust, each of which fails at a record: by raising, in a batch, before it, at a table."""

import faust

from tests.streams.engine.faults.programs.stock import app_for, given, raw, run, say

options = given()
app = app_for(options)
bold = app.Table("bold", default=int, partitions=2)
partitioned = app.Table("partitioned", default=int, partitions=2, use_partitioner=True)


@app.agent(raw(app, options.source), name="raises")
async def raises(stream: faust.StreamT[bytes]) -> None:
    """One event at a time; a word is not a number."""
    async for value in stream:
        say(event="raises", done=int(value))


@app.agent(raw(app, options.first), name="takes")
async def takes(stream: faust.StreamT[bytes]) -> None:
    """A batch at a time; it ends with the first word."""
    async for values in stream.take(3, within=60):
        say(event="takes", done=sum(int(value) for value in values))


@app.agent(app.topic(options.second, value_type=int, value_serializer="json"), name="decodes")
async def decodes(stream: faust.StreamT[int]) -> None:
    """Faust decodes; the agent never sees what it cannot."""
    async for value in stream:
        say(event="decodes", done=value)


@app.agent(raw(app, options.late), name="writes")
async def writes(stream: faust.StreamT[bytes]) -> None:
    """A batch at a time, each record to two tables."""
    async for values in stream.take(2, within=60):
        for value in values:
            partitioned[value.decode()] += 1
            say(event="writes", done="partitioned")
            try:
                bold[value.decode()] += 1
            except Exception as error:
                say(event="writes", failed=str(error))
                raise
            say(event="writes", done="bold")


if __name__ == "__main__":
    run(app, "--without-web")
