"""The fold's open transaction: batches share it for a while, and it is kept only once all that they caused is
acknowledged (rule 1).
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, suppress

from books.effects import ChangedHours
from books.stores.port import Mark, Rows, Store
from runtime.failpoints import failpoint
from schemas.errors import BillstreamError
from streams.engine.batch import Settling
from streams.engine.errors import OwnershipLost, PublishUnknown

COMMIT_SECONDS = 0.5
"""How long batches share a transaction. After a crash at most this much is applied again, with the same outputs."""
GIVEN_UP_SECONDS = 5.0
"""How long the last outputs of a partition that is given up are waited for; later they are applied again."""

PostHours = Callable[[ChangedHours, Rows], Awaitable[list[Settling]]]


class SharedTransaction:
    """The rows of a partition between two commits. `next_offset` is where they stand.

    The `lock` is held by whoever works on it. `failure` is what a commit after the last batch failed with: the owner
    must stop with it.
    """

    def __init__(self, store: Store, post_hours: PostHours, on_rolled_back: Callable[[], None]) -> None:
        self.next_offset = store.position.next_offset
        self.lock = asyncio.Lock()
        self.failure: BaseException | None = None
        self._store = store
        self._post_hours = post_hours
        self._on_rolled_back = on_rolled_back
        self._open: AbstractContextManager[Rows] | None = None
        self._began_seconds = 0.0
        self._began_offset = 0
        # Outputs of the transaction that are not acknowledged yet; one that never will be breaks it for good.
        self._on_their_way: list[Settling] = []
        self._is_broken = False
        # Running hours are absolute, so they are published once, at the end.
        self._hours: ChangedHours = {}
        self._alarm: asyncio.Task[None] | None = None

    @property
    def rows(self) -> Rows:
        """The rows as they are now."""
        return self._store.rows

    def begin(self, end_offset: int) -> Rows:
        """The rows, to be changed up to this offset; a new transaction if none is open."""
        if self._open is None:
            self._open = self._store.transaction(self.next_offset, max(self.next_offset, end_offset))
            self._began_seconds, self._began_offset = _seconds(), self.next_offset
            return self._open.__enter__()
        return self._store.rows

    def extend(self, end_offset: int, mark: Mark) -> None:
        """The rows reflect the journal up to here; the mark is the last record before."""
        if end_offset >= self.next_offset:
            self.next_offset = end_offset
            self._store.extend(end_offset, mark)

    def wait_for(self, settling: Settling) -> None:
        """Nothing is kept before this is acknowledged."""
        self._on_their_way.append(settling)

    def break_off(self) -> None:
        """Some output may never arrive: nothing of it will be kept."""
        self._is_broken = True

    def changed(self, hours: ChangedHours) -> None:
        """Running hours that a batch changed."""
        self._hours.update(hours)

    async def commit_when_due(self) -> None:
        """Commit now, or soon if nothing comes: the disk is asked a few times a second, not for each batch."""
        if _seconds() - self._began_seconds >= COMMIT_SECONDS:
            await self.commit()
        elif self._alarm is None:
            self._alarm = asyncio.create_task(self._commit_later())

    async def _commit_later(self) -> None:
        """For the last batches before a silence; under load each commit comes with a batch."""
        await asyncio.sleep(COMMIT_SECONDS)
        async with self.lock:
            try:
                if self._open is not None and not self._is_broken:
                    await self.commit()
            except (BillstreamError, OwnershipLost, PublishUnknown) as error:
                self.roll_back(error)
                self.failure = error
            finally:
                self._alarm = None  # Not before: who gives the partition up must not commit beside us.

    async def commit(self) -> None:
        """Keep the rows once everything that they caused is acknowledged, the hours they changed last."""
        if self._open is None:
            return
        self._on_their_way += await self._post_hours(self._hours, self._store.rows)
        for settling in self._on_their_way:
            await asyncio.shield(settling)
        failpoint("fold_after_publish")
        ended, self._open = self._open, None
        self._on_their_way.clear()
        self._hours.clear()
        ended.__exit__(None, None, None)
        failpoint("fold_after_commit")

    def roll_back(self, error: BaseException) -> None:
        """Cancelled, refused or failed: rows go back to the last commit."""
        self._on_rolled_back()
        for settling in self._on_their_way:
            settling.cancel()
        self._on_their_way.clear()
        self._hours.clear()
        ended, self._open = self._open, None
        if ended is not None:
            self.next_offset = self._began_offset
            with suppress(type(error)):
                ended.__exit__(type(error), error, error.__traceback__)

    async def give_up(self) -> None:
        """Commit what will be acknowledged soon, undo the rest. Raises what the commit failed with."""
        if self._alarm is not None:
            self._alarm.cancel()
            await asyncio.wait({self._alarm})
        try:
            if not self._is_broken:
                async with asyncio.timeout(GIVEN_UP_SECONDS):
                    await self.commit()
        finally:
            self.roll_back(asyncio.CancelledError())


def _seconds() -> float:
    return asyncio.get_running_loop().time()
