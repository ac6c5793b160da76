"""Laws for every input: only our errors, counts that add up, no row swallowed, memory that does not grow with it."""

import tracemalloc
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.base import Stamp
from connectors.tables import (
    DecimalMark,
    DurationUnit,
    ImportOptions,
    Preview,
    SerialDates,
    TableMapping,
    preview_file,
    read_file,
    row_problems,
)
from connectors.testing import check_import
from schemas.errors import Rejected

pytestmark = pytest.mark.proof

HEADER = "User,Email,Client,Project,Task,Description,Billable,Start date,Start time,End date,End time,Duration,Tags"
ROW = "Ann,ann@x.example,Acme,Web,,{},Yes,2026-10-01,09:{:02d}:00,2026-10-01,10:00:00,,"
HARVEST = "Date,Client,Project,Task,Notes,Hours,Billable?,First Name,Last Name"
STAMP = Stamp(tenant="t", book="b", observed_at=datetime(2026, 11, 1, tzinfo=UTC))
BERLIN = ImportOptions(zone="Europe/Berlin")
ONE_FILE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # each example writes it anew
CELLS = st.one_of(
    st.sampled_from(
        ["", "1", "1,5", "1,234", "-1", "=1", "25:00", "03/04/2026", "13/04/2026", "04/13/2026", "46296", "Yes"]
    ),
    st.sampled_from(
        ['"', '"a', 'a"b', '"a\nb"', "\r", "\0", "\u202e", "Total", "2026-10-01", "x" * 10_001, "PT1H", "P"]
    ),
    st.text(max_size=12),
)


def _laws(path: Path, options: ImportOptions = BERLIN) -> Preview | None:
    """Preview and read a file; the counts must add up and nothing but our own errors may come out."""
    try:
        preview = preview_file(path, options)
    except Rejected:
        return None
    counts = preview.counts
    assert counts.rows == counts.accepted + counts.refused + counts.asked
    assert len(list(row_problems(preview))) == sum(preview.problem_counts.values())
    if preview.ready:
        check_import(list(read_file(preview, STAMP)))
    else:
        with pytest.raises(Rejected):
            read_file(preview, STAMP)
    return preview


@ONE_FILE
@given(content=st.binary(max_size=400))
def test_any_bytes_are_read_or_refused_in_our_words(tmp_path: Path, content: bytes) -> None:
    """Random bytes never raise anything of Python's own."""
    path = tmp_path / "any.csv"
    path.write_bytes(content)
    _laws(path)


@ONE_FILE
@given(content=st.binary(max_size=300), header=st.sampled_from([HEADER, HARVEST, '{"person":"a"}']))
def test_any_bytes_below_a_known_header_add_up(tmp_path: Path, content: bytes, header: str) -> None:
    """Also when the format is known, every line ends as accepted, refused, asked or skipped."""
    path = tmp_path / "any.csv"
    path.write_bytes(header.encode() + b"\n" + content)
    _laws(path)


@ONE_FILE
@given(rows=st.lists(st.lists(CELLS, min_size=9, max_size=9), max_size=8))
def test_any_cells_below_a_known_header_add_up(tmp_path: Path, rows: list[list[str]]) -> None:
    """Nasty cells in every column reach every branch of the parser."""
    path = tmp_path / "any.csv"
    path.write_text("\n".join([HARVEST, *(",".join(row) for row in rows)]), encoding="utf-8", newline="")
    _laws(path)


@ONE_FILE
@given(
    texts=st.lists(
        st.sampled_from(["fine", '"quoted, text"', '"two\nlines"', '"open', '"a"b', 'in"side']), min_size=1, max_size=12
    )
)
def test_an_unclosed_quote_swallows_no_other_row(tmp_path: Path, texts: list[str]) -> None:
    """Every row with sound quotes is accepted, wherever broken ones stand around it."""
    path = tmp_path / "quotes.csv"
    lines = [HEADER, *(ROW.format(text, minute) for minute, text in enumerate(texts))]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="")
    preview = _laws(path)
    assert preview is not None
    broken = sum(text in {'"open', '"a"b'} for text in texts)
    assert preview.counts.accepted == len(texts) - broken
    assert preview.problem_counts == ({"broken_quote": broken} if broken else {})


MOMENTS = [
    "2025-10-26 02:30",
    "2025-10-26 02:10",
    "2025-03-30 02:30",
    "2026-10-01T09:00:00Z",
    "9999-12-31",
    "46296.5",
    "",
]
MAPPED = {
    "start": st.sampled_from(MOMENTS),
    "end": st.sampled_from(MOMENTS),
    "duration": st.sampled_from(["", "1", "0.5", "800:00", "99999999999999", "PT1H", "-1", "=1"]),
    "kind": st.sampled_from(["time", "expense", "usage", "gift", ""]),
    "amount": st.sampled_from(["", "0", "12.50", "1,234.00", "999999999999999", "0.000000000001", "7,5"]),
    "billable": st.sampled_from(["yes", "", "perhaps"]),
    "id": st.sampled_from(["", "", "1", "2"]),
}


@ONE_FILE
@given(rows=st.lists(st.fixed_dictionaries(MAPPED), min_size=1, max_size=4))
def test_any_row_of_a_mapped_table_adds_up(tmp_path: Path, rows: list[dict[str, str]]) -> None:
    """Clock changes, endless durations and huge amounts together never reach the schema as an error."""
    mapping = TableMapping.model_validate({"source": "any", "columns": {name: name for name in MAPPED}})
    options = ImportOptions(
        mapping=mapping,
        zone="Europe/Berlin",
        person="ann",
        duration_unit=DurationUnit.HOURS,
        serial_dates=SerialDates.FROM_1900,
        decimal_mark=DecimalMark.POINT,
    )
    path = tmp_path / "mapped.csv"
    lines = [",".join(MAPPED), *(",".join(f'"{row[name]}"' for name in MAPPED) for row in rows)]
    path.write_text("\n".join(lines), encoding="utf-8", newline="")
    preview = _laws(path, options)
    assert preview is not None
    assert preview.counts.rows == len(rows)


def _lines(rows: int) -> Iterator[str]:
    yield HEADER + "\n"
    for number in range(rows):
        day = date(2020, 1, 1) + timedelta(days=number)
        yield f"Ann,ann@x.example,Acme,Web,,{number:05000d},Yes,{day},09:00:00,{day},09:30:00,00:30:00,\n"


def test_memory_does_not_grow_with_the_text_of_the_file(tmp_path: Path) -> None:
    """2,000 rows with 10 MB of text are read in less than half of that: only ids are remembered, no rows."""
    path = tmp_path / "long.csv"
    with path.open("w", encoding="utf-8") as file:
        file.writelines(_lines(2_000))
    tracemalloc.start()
    try:
        preview = preview_file(path, BERLIN)
        published = sum(1 for _ in read_file(preview, STAMP))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert published == 2_001
    assert peak < 5 * 1024 * 1024
