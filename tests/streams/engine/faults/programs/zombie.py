"""Stock Faust with a short session: it passes records on, and at one of them it waits, deaf, for the file `go`."""

import time
from pathlib import Path

import faust

from tests.streams.engine.faults.programs.stock import app_for, given, raw, run, say

options = given()
app = app_for(options, broker_session_timeout=6, broker_heartbeat_interval=1)
passed = raw(app, options.first)


@app.agent(raw(app, options.source), name="passes")
async def passes(stream: faust.StreamT[bytes]) -> None:
    """Every record once, with the name of this process."""
    async for value in stream:
        say(event="handling", value=value.decode())
        while options.waits and not (Path(options.folder) / "go").exists():
            time.sleep(0.001)  # noqa: ASYNC251  # deaf: nothing else may run
        await passed.send(key=options.name.encode(), value=value, partition=0)


if __name__ == "__main__":
    run(app, "--without-web")
