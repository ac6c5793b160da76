"""Our own format, one JSON object on a line: every field arrives, and what is not ours is refused."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from connectors.tables import ImportOptions, Preview
from connectors.tables.json_lines import EntryLine
from schemas.canonical import instant_micros
from schemas.entry import Deletion, EntryKind, EntryVersion
from schemas.inputs import ImportCompleted

Imported = Callable[..., tuple[list[EntryVersion], ImportCompleted]]
Previewed = Callable[..., Preview]


def _line(**fields: object) -> str:
    return json.dumps({"person": "ann", "date": "2026-10-01", **fields}) + "\n"


def test_every_field_of_a_line_arrives(imported: Imported) -> None:
    """The entry says what the line says."""
    line = {
        "id": "7",
        "updated_at": "2026-10-02T10:00:00Z",
        "person": "ann@x.example",
        "client": "Acme",
        "project": "Web",
        "task": "Design",
        "service_item": "DEV",
        "tags": ["b", "a"],
        "description": "work",
        "billable": False,
        "invoiced": True,
        "start": "2026-10-01T09:00:00",
        "end": "2026-10-01T10:30:00",
        "zone": "Europe/Berlin",
        "duration": "1:30",
        "category": "billable",
        "attributes": {"room": "4"},
    }
    [entry], done = imported(json.dumps(line), ImportOptions(account="own"))
    assert (entry.source, entry.account, entry.source_entry_id) == ("json-lines", "own", "7")
    assert entry.source_revision == instant_micros(datetime(2026, 10, 2, 10, tzinfo=UTC))
    assert entry.start == datetime(2026, 10, 1, 7, tzinfo=UTC)
    assert (entry.worked_seconds, entry.zone, entry.tags) == (5400, "Europe/Berlin", ("a", "b"))
    assert (entry.service_item, entry.billable_hint, entry.invoiced_at_source) == ("DEV", False, True)
    assert entry.attributes == {"room": "4"}
    assert done.accepted == 1


def test_nobody_has_to_be_behind_a_milestone_or_counted_units(imported: Imported) -> None:
    """They belong to a client, whoever told of them; also where an import is about certain people."""
    text = _line(kind="milestone", person="", task="Launch") + _line(kind="usage", person="", quantity="5")
    entries, done = imported(text, ImportOptions(people=("ann",)))
    assert [(entry.kind, entry.person_ref) for entry in entries] == [(EntryKind.MILESTONE, ""), (EntryKind.USAGE, "")]
    assert done.accepted == 2


def test_expenses_deletions_and_running_timers_are_entries_too(imported: Imported) -> None:
    """Kinds and states of the schema can all be written."""
    text = (
        _line(kind="expense", quantity="3", unit_price=0.30, currency="eur", category="km")
        + _line(id="9", deleted=True)
        + json.dumps({"person": "ann", "start": "2026-10-01T09:00:00+02:00", "running": True})
    )
    expense, deletion, running = imported(text, ImportOptions())[0]
    assert (expense.kind, expense.quantity, expense.unit_price) == (EntryKind.EXPENSE, Decimal(3), Decimal("0.30"))
    assert expense.currency == "EUR"
    assert deletion.deletion is Deletion.REPORTED
    assert (running.running, running.worked_seconds, running.start) == (True, 0, datetime(2026, 10, 1, 7, tzinfo=UTC))


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"seconds": 60, "colour": "red"}, "bad_json"),
        ({"seconds": "60"}, "bad_json"),
        ({"hours": "NaN"}, "bad_number"),
        ({"hours": "1e999999"}, "bad_number"),
        ({"seconds": -1}, "negative_duration"),
        ({"seconds": 60, "hours": "1"}, "bad_duration"),
        ({"duration": "soon"}, "bad_duration"),
        ({"seconds": 31 * 86_400 + 1}, "duration_too_long"),
        ({"start": "2026-10-01T09:00:00Z", "hours": "999999999999999"}, "duration_too_long"),
        ({"start": "2026-10-01T09:00:00Z", "seconds": 9223372036854775807}, "duration_too_long"),
        ({}, "missing_duration"),
        ({"date": None, "seconds": 60}, "missing_date"),
        ({"date": "1026-10-01", "seconds": 60}, "date_out_of_range"),
        ({"deleted": True}, "missing_id"),
        ({"seconds": 60, "person": ""}, "missing_person"),
        ({"start": "2026-10-01T09:00:00", "seconds": 60}, "zone"),
        ({"start": "2026-10-01T09:00:00", "zone": "Europe/Atlantis", "seconds": 60}, "unknown_zone"),
        ({"start": "2026-10-01T09:00:00Z", "end": "2026-10-01T08:00:00Z"}, "end_before_start"),
        ({"start": "2026-09-01T09:00:00Z", "end": "2026-10-21T08:00:00Z", "seconds": 60}, "duration_too_long"),
        ({"kind": "expense", "amount": "1000000000000"}, "bad_number"),
        ({"seconds": 60, "revision": -1}, "bad_revision"),
        ({"seconds": 60, "updated_at": "2026-10-01T09:00:00"}, "bad_revision"),
        ({"kind": "gift"}, "bad_kind"),
        ({"kind": "expense"}, "missing_amount"),
        ({"kind": "expense", "amount": "1", "currency": "Euros"}, "bad_currency"),
        ({"seconds": 60, "client": "x" * 501}, "name_too_long"),
        ({"seconds": 60, "description": "x" * 10_001}, "cell_too_long"),
        ({"seconds": 60, "attributes": {str(number): "x" for number in range(51)}}, "cell_too_long"),
    ],
)
def test_a_line_that_says_something_else_has_its_reason(
    previewed: Previewed, fields: dict[str, object], code: str
) -> None:
    """Each mistake has its code; the line before is not touched by it."""
    preview = previewed(_line(seconds=60, client="fine") + _line(**fields), ImportOptions())
    assert preview.problem_counts == {code: 1}
    assert preview.problems[0].line == 2


def test_a_line_without_end_is_refused_and_the_next_one_is_read(previewed: Previewed) -> None:
    """A line over 1 MiB is "line_too_long"; it is never held in memory as a whole."""
    preview = previewed(
        _line(seconds=60) + '{"description": "' + "x" * 3_000_000 + '"}\n' + _line(seconds=61), ImportOptions()
    )
    assert preview.problem_counts == {"line_too_long": 1}
    assert [problem.line for problem in preview.problems] == [2]
    assert preview.counts.accepted == 2


def test_the_guide_lists_exactly_the_fields_of_a_line(repository_root: Path) -> None:
    """The documented table and the reader cannot drift apart."""
    text = (repository_root / "docs" / "guides" / "import.md").read_text(encoding="utf-8")
    table = text.split("<!-- fields -->")[1]
    listed = {line.split("`")[1] for line in table.splitlines() if line.startswith("| `")}
    assert listed == set(EntryLine.__struct_fields__)


def test_the_day_of_a_local_start_is_the_day_of_the_scope(imported: Imported) -> None:
    """22:30 UTC on 30 September is 1 October in Berlin."""
    line = json.dumps({"person": "ann", "start": "2026-09-30T22:30:00Z", "seconds": 60})
    _, done = imported(line, ImportOptions(zone="Europe/Berlin"))
    assert (done.date_from, done.date_to) == (date(2026, 10, 1), date(2026, 10, 2))
