"""Stock Faust with a topic that is there and one that comes later; it says when its own client knows the second."""

import faust

from tests.streams.engine.faults.programs.stock import app_for, given, raw, run, say

options = given()
app = app_for(options, consumer_metadata_max_age_ms=options.look_milliseconds)


@app.agent(raw(app, options.source), name="early")
async def early(stream: faust.StreamT[bytes]) -> None:
    """Its topic is there."""
    async for value in stream:
        say(event="early", value=value.decode())


@app.agent(raw(app, options.late), name="late")
async def late(stream: faust.StreamT[bytes]) -> None:
    """Its topic comes later."""
    async for value in stream:
        say(event="late", value=value.decode())


@app.timer(interval=0.2)
async def look() -> None:
    """Say what the consumer's client knows, and what was given to it."""
    consumer = app.consumer._thread._ensure_consumer()
    known = consumer._client.cluster.partitions_for_topic(options.late)
    assigned = [tp for tp in consumer.assignment() if tp.topic == options.late]
    say(event="looked", known=len(known or ()), assigned=len(assigned))


if __name__ == "__main__":
    run(app, "--without-web")
