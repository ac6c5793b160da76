"""Reads a million rows of a made-up export; prints rows a second and peak memory as JSON (limit: 300 MB resident)."""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from bench.machine import peak_resident_mib
from connectors.base import Stamp
from connectors.tables import ImportOptions, preview_file, read_file

PEOPLE = 40
HEADER = "User,Email,Client,Project,Task,Description,Billable,Start date,Start time,End date,End time,Duration,Tags\r\n"


def lines(rows: int) -> Iterator[str]:
    """An export of a firm of forty in the order a tracker writes it; every start is another one."""
    yield HEADER
    first = date(2020, 1, 1)
    for number in range(rows):
        person, nth = number % PEOPLE, number // PEOPLE
        day = first + timedelta(days=nth // 20)
        start = 7 * 3600 + (nth % 20) * 1800 + number % 60
        seconds = 60 + number * 37 % 1700
        yield (
            f"Person {person},person{person}@firm.example,Client {number % 60},Project {number % 300},"
            f"Task {number % 7},"
            f'"Work item {number}, review and fix",{"Yes" if number % 5 else "No"},{day},{_clock(start)},{day},'
            f'{_clock(start + seconds)},{_clock(seconds)},"backend, team {number % 4}"\r\n'
        )


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def measure(path: Path, rows: int) -> dict[str, int | str]:
    """Preview the file, then read all its records, as an import does."""
    options = ImportOptions(zone="Europe/Berlin", file_bytes_max=1 << 30)
    began, began_cpu = time.perf_counter(), time.process_time()
    preview = preview_file(path, options)
    previewed, previewed_cpu = time.perf_counter(), time.process_time()
    stamp = Stamp(tenant="bench", book="bench", observed_at=datetime(2026, 11, 1, tzinfo=UTC))
    records = sum(1 for _ in read_file(preview, stamp))
    read, read_cpu = time.perf_counter(), time.process_time()
    assert preview.counts.accepted == rows == records - 1
    return {
        "rows": rows,
        "file_mib": path.stat().st_size >> 20,
        "preview_rows_per_second": int(rows / (previewed - began)),
        "read_rows_per_second": int(rows / (read - previewed)),
        "preview_rows_per_cpu_second": int(rows / (previewed_cpu - began_cpu)),
        "read_rows_per_cpu_second": int(rows / (read_cpu - previewed_cpu)),
        "peak_resident_mib": peak_resident_mib(),
        "python": sys.version.split()[0],
    }


def main() -> None:
    """Write the file, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows: int = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "million.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            file.writelines(lines(rows))
        print(json.dumps(measure(path, rows)))


if __name__ == "__main__":
    main()
