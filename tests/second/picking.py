"""What all clauses of generated firms are picked with: names, days near the edges of a period, rows that change."""

from datetime import date, timedelta
from random import Random

from schemas.period import Period

Clauses = dict[str, object]

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia")
PEOPLE = ("ana", "bo", "cy", "kim", "nobody")
ITEMS = ("Development", "Meetings", "")
PROJECTS = ("alpha", "beta", "")
TASKS = ("", "review")
TAGS = ((), (), (), ("bugfix",), ("emergency",), ("bugfix", "emergency"))


def day_near(random: Random, period: Period) -> str:
    """A date in the period or just beside it."""
    return str(period.start + timedelta(days=random.choice([-5, -1, 0, 3, 10, 27, 30, 31])))


def day_within(random: Random, period: Period) -> date:
    """A date on which something may change: in the period, or some days before it."""
    return period.start + timedelta(days=random.randint(-12, (period.end - period.start).days - 1))


def changed_on(row: Clauses, day: date, **change: object) -> list[Clauses]:
    """A row that has other terms from a day on."""
    return [row | {"to": str(day)}, row | {"from": str(day)} | change]


def away(row: Clauses, day: date, days: int) -> list[Clauses]:
    """A row that is not valid for some days."""
    return [row | {"to": str(day)}, row | {"from": str(day + timedelta(days=days))}]


def maybe_changed(random: Random, period: Period, row: Clauses, **change: object) -> list[Clauses]:
    """A row that seldom changes within the period."""
    if random.random() < 0.75:
        return [row]
    return changed_on(row, day_within(random, period), **change)
