"""Stock Faust whose settings say that there is no web server."""

import faust

from tests.streams.engine.faults.programs.stock import app_for, given, raw, run, say

options = given()
app = app_for(options, web_enabled=False, web_port=options.port)
totals = app.Table("totals", default=int, partitions=2)


@app.agent(raw(app, options.source), name="counts")
async def counts(stream: faust.StreamT[bytes]) -> None:
    """Something to look at: what clients owe."""
    async for value in stream.noack():
        totals[value.decode()] += 120
        say(event="counted")


if __name__ == "__main__":
    run(app)
