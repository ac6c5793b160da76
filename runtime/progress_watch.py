"""Health by progress: work that waits and does not move is unhealthy, idleness is not; operations section 13."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Stall:
    """A named stream of work that stands still: since when, and how much waits. `silent` means nobody reported."""

    name: str
    waiting: int
    seconds: float
    silent: bool

    def __str__(self) -> str:
        if self.silent:
            return f"{self.name} has not been reported for {self.seconds:.0f} s"
        return f"{self.name} has {self.waiting} waiting and did not move for {self.seconds:.0f} s"


@dataclass(frozen=True)
class _Seen:
    position: int
    end: int
    moved_at_seconds: float
    reported_at_seconds: float


class ProgressWatch:
    """Judges positions that others report. Pure: every call carries the time, in seconds of one monotonic clock."""

    def __init__(self, *, stall_limit_seconds: float) -> None:
        self._stall_limit_seconds = stall_limit_seconds
        self._seen: dict[str, _Seen] = {}

    def report(self, name: str, *, position: int, end: int, now_seconds: float) -> None:
        """Tell where a stream of work stands: `position` is the next to do, `end` the one after the last.

        Time without work does not count: the clock of a stall starts when work first waits at a position.
        """
        before = self._seen.get(name)
        stood_still = before is not None and before.position == position and before.position < before.end
        moved_at_seconds = before.moved_at_seconds if before is not None and stood_still else now_seconds
        self._seen[name] = _Seen(position, end, moved_at_seconds, now_seconds)

    def forget(self, name: str) -> None:
        """The stream is no longer ours, for example a partition that was taken away."""
        self._seen.pop(name, None)

    def waiting(self) -> int:
        """How much waits in all streams together."""
        return sum(max(0, seen.end - seen.position) for seen in self._seen.values())

    def stalls(self, now_seconds: float) -> tuple[Stall, ...]:
        """Streams that stood still, or were not reported, for longer than the limit; empty when all is well."""
        found = []
        for name, seen in sorted(self._seen.items()):
            waiting = max(0, seen.end - seen.position)
            silent_seconds = now_seconds - seen.reported_at_seconds
            still_seconds = now_seconds - seen.moved_at_seconds
            if silent_seconds > self._stall_limit_seconds:
                found.append(Stall(name, waiting, silent_seconds, silent=True))
            elif waiting and still_seconds > self._stall_limit_seconds:
                found.append(Stall(name, waiting, still_seconds, silent=False))
        return tuple(found)
