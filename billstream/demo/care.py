"""The care team's own list of the sample firm, as JSON lines: what retainers, prepaid hours and fixed prices are for.

It begins in August, because hours that roll over come from somewhere.
"""

import json
from collections.abc import Iterator
from datetime import date, timedelta

from billstream.demo.days import Dice

SEED = 20_261_400
LENA, OSKAR = "Lena Vogt", "Oskar Nyström"
Row = dict[str, str | int | list[str]]

BOOKING = (
    "calendar shows yesterday's prices after midnight",
    "e-bike batteries as an extra, with a deposit",
    "mail to guests when a bike is late",
    "update of the payment module, tested with two cards",
    "slow search on Saturdays: index on station and day",
)
HUB = (
    "mapping of the sensor feed, second vendor",
    "retry of failed batches, with a pause that grows",
    "schema of the measurements table, review with Ingrid",
    "dead rows of the night run, 12 of 40,000",
)
STAGE = (
    "seat map: boxes left and right",
    "price groups with reductions, first pass",
    "click dummy for the box office, walked through with the ushers",
    "accessibility of the seat map with a screen reader",
)
REGISTRY = (
    "deeds index moved, checked by count and hash",
    "permissions of the clerks on the new server",
    "dry run of the move with Ms Varga",
)


def care_rows() -> list[Row]:
    """All lines, in order of date and id."""
    rows = [*_alpenrad(), *_solberg(), *_lumen(), *_varga()]
    return sorted(rows, key=lambda row: (str(row["date"]), str(row["id"])))


def care_lines() -> str:
    """The lines as a file."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in care_rows())


def _row(number: str, day: date, person: str, client: str, project: str, hours: str, text: str, **more: object) -> Row:
    row: Row = {
        "id": number,
        "date": day.isoformat(),
        "person": person,
        "client": client,
        "project": project,
        "hours": hours,
        "description": text,
    }
    return {**row, **{name: value for name, value in more.items() if isinstance(value, str | int | list)}}


def _workdays(first: date, end: date) -> Iterator[date]:
    days = (first + timedelta(days=number) for number in range((end - first).days))
    return (day for day in days if day.weekday() < 5)


def _alpenrad() -> Iterator[Row]:
    """A quiet August, a middling September, and an October with two emergencies."""
    dice = Dice(SEED)
    hours = {8: ("1.50", "2.00", "1.25"), 9: ("2.25", "1.75", "3.00"), 10: ("2.50", "3.25", "1.75")}
    client = ("Alpenrad Verleih GmbH", "Booking system")
    for day in _workdays(date(2026, 8, 3), date(2026, 10, 31)):
        if dice.percent(44):
            person = OSKAR if dice.percent(35) else LENA
            yield _row(f"ar-{day:%m%d}", day, person, *client, dice.pick(hours[day.month]), dice.pick(BOOKING))
    for day, text in (
        (date(2026, 10, 10), "payments down, fixed by noon"),
        (date(2026, 10, 24), "ransom mail, checked"),
    ):
        yield _row(f"ar-{day:%m%d}-e", day, LENA, *client, "3.50", text, tags=["emergency"])


def _solberg() -> Iterator[Row]:
    """Training from prepaid hours, integration in tiers, and the calls of each month."""
    dice = Dice(SEED + 1)
    client = ("Solberg Data AS", "Data hub")
    for day in _workdays(date(2026, 9, 7), date(2026, 10, 31)):
        if day.weekday() == 1:
            text = "training: queries for analysts, part " + str(day.isocalendar().week - 36)
            yield _row(f"sd-{day:%m%d}-t", day, OSKAR, *client, "3.50", text, service_item="Training")
        if dice.percent(60):
            text, length = dice.pick(HUB), dice.pick(("2.00", "2.50", "3.50", "4.25"))
            yield _row(f"sd-{day:%m%d}", day, LENA, *client, length, text, service_item="Integration")
    for month, calls in ((9, 88_120), (10, 137_500)):
        day = date(2026, month, 30)
        yield {
            "id": f"sd-calls-{month}",
            "kind": "usage",
            "date": day.isoformat(),
            "person": LENA,
            "client": client[0],
            "project": client[1],
            "category": "api-calls",
            "quantity": calls,
            "description": "Calls of the month, from the gateway",
        }


def _lumen() -> Iterator[Row]:
    """Work that a fixed price pays for, and the acceptance of its first part, told twice."""
    dice = Dice(SEED + 2)
    client = ("Lumen Theater", "Ticketing")
    for day in _workdays(date(2026, 10, 1), date(2026, 10, 31)):
        if dice.percent(55):
            person = OSKAR if dice.percent(25) else LENA
            yield _row(f"lt-{day:%m%d}", day, person, *client, dice.pick(("1.50", "2.75", "3.00")), dice.pick(STAGE))
    for number in (1, 2):
        yield {
            "id": f"lt-design-{number}",
            "kind": "milestone",
            "date": f"2026-10-{20 + number}",
            "person": LENA,
            "client": client[0],
            "project": client[1],
            "task": "design",
            "description": "Design accepted by Ms Lund",
        }


def _varga() -> Iterator[Row]:
    """A move over some weeks, with one Saturday."""
    dice = Dice(SEED + 3)
    client = ("Notariat Varga", "Registry move")
    for day in _workdays(date(2026, 9, 21), date(2026, 10, 31)):
        if dice.percent(40):
            person = OSKAR if dice.percent(50) else LENA
            yield _row(f"nv-{day:%m%d}", day, person, *client, dice.pick(("1.10", "2.40", "3.30")), dice.pick(REGISTRY))
    yield _row("nv-1017", date(2026, 10, 17), OSKAR, *client, "6.00", "the move itself, on a Saturday")
