"""The sample firm: made by its generator, small enough to commit, and with the mess it promises."""

from collections import defaultdict
from itertools import pairwise

from billstream.demo.days import Timed
from billstream.demo.generate import EXPORTS, files
from billstream.demo.mess import FIRST_EXPORT_AT, TIMER, consulting_rows, first_export, second_export, studio_rows

FILE_BYTES_MAX = 200_000


def overlaps(rows: list[Timed]) -> list[tuple[str, str]]:
    days: dict[str, list[Timed]] = defaultdict(list)
    for row in rows:
        days[row.worker.name].append(row)
    found = []
    for own in days.values():
        own.sort(key=lambda row: row.start)
        found += [(a.note, b.note) for a, b in pairwise(own) if b.start < a.end]
    return found


def test_the_committed_files_are_what_the_generator_writes() -> None:
    """The same seed gives the same bytes."""
    assert {path.name: path.read_bytes().decode() for path in EXPORTS.iterdir()} == files()


def test_the_files_are_small_and_many_rows_are_in_them() -> None:
    """500 entries and more, no file over 200 kB."""
    assert all(len(text.encode()) < FILE_BYTES_MAX for text in files().values())
    assert sum(text.count("\n") for name, text in files().items() if "10-30" not in name) > 700


def test_nobody_works_twice_at_once_by_accident() -> None:
    """Time that overlaps would be held as a duplicate; only the one that is meant to be is there."""
    assert overlaps(studio_rows()) == []
    assert overlaps(second_export()) == []
    assert overlaps(consulting_rows()) == []


def test_the_first_export_ends_on_friday_with_a_running_timer() -> None:
    """Nothing after the moment of the export, and exactly one row without an end."""
    running = [row for row in first_export() if row.running]
    assert [row.note for row in running] == [TIMER.note]
    assert all(row.end <= FIRST_EXPORT_AT for row in first_export() if not row.running)
