"""The forms of the exports, as the products write them: Toggl Track, Harvest, Clockify, and our own JSON lines."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_UP, Decimal

from billstream.demo.days import Timed
from billstream.demo.people import MERIDIAN, NORTHWIND, QUILLON, TIDEWELL


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def _hours(seconds: int) -> str:
    return str((Decimal(seconds) / 3600).quantize(Decimal("0.01"), ROUND_HALF_UP))


def _yes(flag: bool) -> str:
    return "Yes" if flag else "No"


def toggl_csv(rows: Iterable[Timed]) -> str:
    """A detailed report of Toggl Track: byte-order mark, local clock times without a zone, no ids."""
    header = (
        "User,Email,Client,Project,Task,Description,Billable,Start date,Start time,End date,End time,Duration,Tags,"
        "Amount (EUR)"
    )
    table = [header.split(",")]
    for row in rows:
        end = (
            ["", "", ""] if row.running else [f"{row.end:%Y-%m-%d}", f"{row.end:%H:%M:%S}", _clock(row.worked_seconds)]
        )
        table.append(
            [
                *(row.worker.name, row.worker.email, row.client, row.project, row.task, row.note, _yes(row.billable)),
                *(f"{row.start:%Y-%m-%d}", f"{row.start:%H:%M:%S}", *end, ", ".join(row.tags), ""),
            ]
        )
    return "\ufeff" + _table(table, "\r\n")


def harvest_csv(rows: Iterable[Timed]) -> str:
    """A detailed time report of Harvest: 21 columns, a date and decimal hours, first and last name apart."""
    header = (
        "Date,Client,Project,Project Code,Task,Notes,Hours,Billable?,Invoiced?,Approved?,First Name,Last Name,"
        "Employee Id,Roles,Employee?,Billable Rate,Billable Amount,Cost Rate,Cost Amount,Currency,"
        "External Reference URL"
    )
    table = [header.split(",")]
    for row in rows:
        first, last = row.worker.name.rsplit(" ", 1)
        table.append(
            [
                *(
                    f"{row.start:%Y-%m-%d}",
                    row.client,
                    row.project,
                    "QW-2026",
                    row.task,
                    row.note,
                    _hours(row.worked_seconds),
                ),
                *(
                    _yes(row.billable),
                    "No",
                    "Yes",
                    first,
                    last,
                    "",
                    row.worker.group,
                    "Yes",
                    "",
                    "",
                    "",
                    "",
                    "US Dollar - USD",
                    "",
                ),
            ]
        )
    return _table(table, "\r\n")


def clockify_csv(rows: Iterable[Timed]) -> str:
    """A detailed report of Clockify: day first in dates, two durations, and a row with the total at the end."""
    header = (
        "Project,Client,Description,Task,User,Group,Email,Tags,Billable,Start Date,Start Time,End Date,End Time,"
        "Duration (h),Duration (decimal),Billable Rate (USD),Billable Amount (USD)"
    )
    table = [header.split(",")]
    total = 0
    for row in rows:
        total += row.worked_seconds
        table.append(
            [
                *(row.project, row.client, row.note, row.task, row.worker.name, row.worker.group, row.worker.email),
                *(", ".join(row.tags), _yes(row.billable), f"{row.start:%d/%m/%Y}", f"{row.start:%H:%M:%S}"),
                *(
                    f"{row.end:%d/%m/%Y}",
                    f"{row.end:%H:%M:%S}",
                    _clock(row.worked_seconds),
                    _hours(row.worked_seconds),
                    "0.00",
                    "0.00",
                ),
            ]
        )
    table.append(["Total", *[""] * 12, _clock(total), _hours(total), "", "0.00"])
    return _table(table, "\n")


def _table(table: Iterable[Sequence[str]], line_end: str) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=line_end).writerows(table)
    return text.getvalue()


EXPENSES = (
    ("tw-101", "2026-10-06", "Wanda Kowalczyk", TIDEWELL, "travel", "Train Berlin-Kiel and back", "118.60", "EUR"),
    ("tw-102", "2026-10-07", "Wanda Kowalczyk", TIDEWELL, "hotel", "Hotel Kiel, 2 nights", "252.37", "EUR"),
    ("tw-103", "2026-10-13", "Deniz Aydın", TIDEWELL, "hotel", "Hotel Kiel, 1 night", "131.00", "EUR"),
    (
        "tw-104",
        "2026-10-14",
        "Wanda Kowalczyk",
        TIDEWELL,
        "hardware",
        "6 barcode scanners, replacement",
        "1074.00",
        "EUR",
    ),
    (
        "tw-105",
        "2026-10-20",
        "Priya Raman",
        TIDEWELL,
        "travel",
        "Flight and ferry, supplier visit in Copenhagen",
        "1890.50",
        "DKK",
    ),
    ("qw-31", "2026-10-09", "Leonie Fuchs", MERIDIAN, "court_fees", "Court fee, request for records", "85.00", "USD"),
    (
        "qw-32",
        "2026-10-16",
        "Leonie Fuchs",
        MERIDIAN,
        "copying",
        "Copies of bundles C and D, 340 pages",
        "51.00",
        "USD",
    ),
    ("qw-33", "2026-10-22", "Casper Bruun", MERIDIAN, "travel", "Site visit quay wall, rental car", "143.20", "USD"),
    ("nw-7", "2026-10-15", "Mara Lindqvist", NORTHWIND, "software", "Load test service, one night", "99.00", "EUR"),
    ("qr-12", "2026-10-21", "Tomás Echeverría", QUILLON, "travel", "Flight Berlin-Austin, economy", "1212.40", "USD"),
)


def expense_lines() -> str:
    """Expenses as JSON lines of our own form."""
    rows = [
        {
            "id": number,
            "kind": "expense",
            "date": day,
            "person": person,
            "client": engagement.client,
            "project": engagement.project,
            "category": category,
            "description": text,
            "amount": amount,
            "currency": currency,
        }
        for number, day, person, engagement, category, text, amount, currency in EXPENSES
    ]
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
