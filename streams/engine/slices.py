"""Work on the event loop in slices of time: one partition's flood lets the others, heartbeats and probes through."""

import asyncio

SLICE_SECONDS = 0.01
"""How long one batch may keep the loop. A record of another partition waits so long a few times on its way."""


class Slices:
    """The work of one batch. Ask `is_over` after each record, and `rest` when it is; time is that of the loop."""

    def __init__(self) -> None:
        self._time = asyncio.get_running_loop().time
        self._began_seconds = self._time()
        self._worked_seconds = 0.0

    def is_over(self) -> bool:
        """Whether it is somebody else's turn."""
        return self._time() - self._began_seconds >= SLICE_SECONDS

    async def rest(self) -> None:
        """Let everybody else have a turn."""
        self._worked_seconds += self._time() - self._began_seconds
        await asyncio.sleep(0)
        self._began_seconds = self._time()

    @property
    def worked_seconds(self) -> float:
        """Time of all slices so far, without the rests."""
        return self._worked_seconds + self._time() - self._began_seconds
