"""The plain month of the sample firm: who works on what and when, by dice with a fixed seed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import TypeVar

from billstream.demo.people import Engagement, Worker
from billstream.demo.texts import VAGUE, Job

MONTH = tuple(date(2026, 10, 1) + timedelta(days=day) for day in range(31))
T = TypeVar("T")


@dataclass(frozen=True)
class Timed:
    """One row before it gets the form of an export; clock times are local, as the products write them."""

    worker: Worker
    client: str
    project: str
    task: str
    note: str
    start: datetime
    minutes: int
    seconds: int = 0
    tags: tuple[str, ...] = ()
    billable: bool = True
    running: bool = False
    elapsed_seconds: int | None = None

    @property
    def worked_seconds(self) -> int:
        """Elapsed time; on the day clocks change it is not the difference of the clock times."""
        return self.minutes * 60 + self.seconds if self.elapsed_seconds is None else self.elapsed_seconds

    @property
    def end(self) -> datetime:
        """The clock time it stopped at."""
        return self.start + timedelta(minutes=self.minutes, seconds=self.seconds)


class Dice:
    """Chance with a fixed seed; only `random()`, whose sequence Python promises to keep."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def below(self, limit: int) -> int:
        """A whole number from 0 up to, not including, `limit`."""
        return int(self._random.random() * limit)

    def pick(self, values: Sequence[T]) -> T:
        """One of the values."""
        return values[self.below(len(values))]

    def percent(self, share: int) -> bool:
        """True in `share` of 100 cases."""
        return self.below(100) < share


def month_of(workers: Iterable[Worker], seed: int) -> list[Timed]:
    """The plain month of a team: every working day of every person, in order of start."""
    rows: list[Timed] = []
    for number, worker in enumerate(workers):
        dice = Dice(seed + number)
        for day in MONTH:
            if str(day.weekday()) in worker.weekdays and not dice.percent(4):
                rows += _day(worker, day, dice)
    return sorted(rows, key=lambda row: (row.start, row.worker.name))


def _day(worker: Worker, day: date, dice: Dice) -> list[Timed]:
    """A person's day in blocks with a lunch gap."""
    at = datetime(day.year, day.month, day.day, 8, 30) + timedelta(minutes=dice.below(45))  # noqa: DTZ001
    left = worker.minutes_a_day + dice.below(41) - 20
    rows: list[Timed] = []
    for index in range(worker.entries_a_day):
        last = index == worker.entries_a_day - 1
        share = left if last else left // (worker.entries_a_day - index) + dice.below(31) - 15
        minutes = max(6, min(share, left))
        left -= minutes
        engagement = _engagement(worker, dice)
        job = _job(worker, engagement, dice)
        note = dice.pick(VAGUE) if dice.percent(5) else dice.pick(job.notes)
        rows.append(
            Timed(
                worker,
                engagement.client,
                engagement.project,
                job.task,
                note,
                at,
                minutes,
                dice.below(60),
                job.tags,
                job.billable and not dice.percent(3),
            )
        )
        at += timedelta(minutes=minutes + (45 if index == 0 else 5 + dice.below(15)))
    return rows


def _engagement(worker: Worker, dice: Dice) -> Engagement:
    ticket = dice.below(100)
    for engagement, share in worker.shares:
        if ticket < share:
            return engagement
        ticket -= share
    return worker.shares[-1][0]


def _job(worker: Worker, engagement: Engagement, dice: Dice) -> Job:
    own = [engagement.jobs[index] for index in worker.jobs if index < len(engagement.jobs)]
    return dice.pick(own or engagement.jobs)
