"""Toggl, Harvest and Clockify exports in the variants that are known, and tables with a declared mapping."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import ValidationError

from connectors.tables import ImportOptions, Preview, TableMapping, load_mapping
from schemas.entry import EntryKind, EntryVersion
from schemas.errors import ConfigurationError, Rejected
from schemas.inputs import ImportCompleted

Imported = Callable[..., tuple[list[EntryVersion], ImportCompleted]]
Previewed = Callable[..., Preview]

TOGGL = (
    "User,Email,Client,Project,Task,Description,Billable,Start date,Start time,End date,End time,Duration,Tags,"
    "Amount (EUR)\n"
    'Ann Bell,Ann@Firm.example,Acme,Web,,"Fix, then test",Yes,2026-10-01,23:30:00,2026-10-02,01:00:00,01:30:00,'
    '"b, a",90.00\n'
)
HARVEST = (
    "Date,Client,Project,Project Code,Task,Notes,Hours,Billable?,Invoiced?,Approved?,First Name,Last Name,Employee Id,"
    "Roles,Employee?,Billable Rate,Billable Amount,Cost Rate,Cost Amount,Currency,External Reference URL\n"
    "2026-10-01,Acme,Web,W-1,Design,Layout,2.11,No,Yes,No,Ann,Bell,17,"
    '"Design, Senior",Yes,100.0,211.0,40.0,84.4,British Pound - GBP,https://jira.example/T-1\n'
)
CLOCKIFY = (
    "Project,Client,Description,Activity,User,Group,Email,Tags,Type,Billable,Invoiced,Invoice ID,Start Date,Start Time,"
    "End Date,End Time,Duration (h),Duration (decimal),Billable Rate (USD),Billable Amount (USD),Date of creation\n"
    "Web,Acme,Layout,Design,Ann Bell,Team A,ann@firm.example,,Regular,Yes,No,,10/14/2026,10:00:00 AM,"
    "10/14/2026,10:20:00 AM,00:20:00,0.33,100.00,33.33,10/14/2026\n"
)


def test_a_toggl_export_gives_instants_tags_and_the_billable_hint(imported: Imported) -> None:
    """Local times of the declared zone become instants; prices of the source are not kept."""
    [entry], done = imported(TOGGL)
    assert entry.source == "toggl-csv"
    assert (entry.person_ref, entry.client_ref, entry.project_ref) == ("ann@firm.example", "Acme", "Web")
    assert entry.start == datetime(2026, 10, 1, 21, 30, tzinfo=UTC)
    assert entry.end == datetime(2026, 10, 1, 23, 0, tzinfo=UTC)
    assert (entry.worked_seconds, entry.tags, entry.billable_hint) == (5400, ("a", "b"), True)
    assert entry.description == "Fix, then test"
    assert "90.00" not in str(entry)
    assert (done.date_from, done.date_to, done.people) == (date(2026, 10, 1), date(2026, 10, 2), ("ann@firm.example",))


@pytest.mark.parametrize(
    "header",
    [
        "Description,Tags,Start date,Start time,Stop date,Stop time",
        " description , TAGS ,start date,START TIME,Stop Date,stop time",
        "Description,Tags,Start date,Start time,End date,End time",
    ],
)
def test_a_toggl_export_with_chosen_columns_is_recognised(imported: Imported, header: str) -> None:
    """Headers are compared trimmed and without case; without a user column the person is declared."""
    options = ImportOptions(zone="Europe/Berlin", person="ann@firm.example")
    [entry], _ = imported(header + "\nwork,,2026-10-01,09:00:00,2026-10-01,10:30:00\n", options)
    assert (entry.source, entry.worked_seconds, entry.person_ref) == ("toggl-csv", 5400, "ann@firm.example")


def test_a_harvest_export_keeps_dates_as_they_are(imported: Imported) -> None:
    """2.11 hours are 7596 s; people go by first and last name; the currency phrase is only a hint."""
    [entry], _ = imported(HARVEST)
    assert (entry.work_date, entry.start, entry.worked_seconds) == (date(2026, 10, 1), None, 7596)
    assert (entry.person_ref, entry.task_ref, entry.description) == ("Ann Bell", "Design", "Layout")
    assert (entry.billable_hint, entry.invoiced_at_source, entry.currency) == (False, True, "")
    assert entry.attributes == {
        "project_code": "W-1",
        "approved": "No",
        "employee_id": "17",
        "roles": "Design, Senior",
        "employee": "Yes",
        "currency": "GBP",
        "external_reference_url": "https://jira.example/T-1",
    }


@pytest.mark.parametrize(
    "edit",
    [
        lambda text: text.replace("Employee Id,", "").replace("Bell,17,", "Bell,"),
        lambda text: text.replace("Hours,", "Hours,Hours Rounded,").replace("2.11,", "2.11,2.25,"),
        lambda text: text.replace("Roles", "Department"),
        lambda text: text.replace("Billable Rate,Billable Amount,Cost Rate,Cost Amount,", "").replace(
            "100.0,211.0,40.0,84.4,", ""
        ),
    ],
    ids=["without employee id", "with rounded hours", "departments", "without money"],
)
def test_variants_of_the_harvest_export_say_the_same(imported: Imported, edit: Callable[[str], str]) -> None:
    """Columns come and go with the account's settings; time, person and work do not depend on them."""
    [plain], _ = imported(HARVEST)
    [variant], _ = imported(edit(HARVEST))
    assert variant.entry_id == plain.entry_id
    assert (variant.worked_seconds, variant.person_ref) == (plain.worked_seconds, plain.person_ref)


def test_a_clockify_export_takes_the_exact_duration(imported: Imported) -> None:
    """20 minutes are 1200 s, not 0.33 hours; `Activity` is the task."""
    [entry], _ = imported(CLOCKIFY)
    assert (entry.source, entry.worked_seconds, entry.task_ref) == ("clockify-csv", 1200, "Design")
    assert entry.start == datetime(2026, 10, 14, 8, 0, tzinfo=UTC)
    assert entry.attributes == {"group": "Team A", "type": "Regular", "date_of_creation": "10/14/2026"}


MAPPING = {
    "source": "old-timesheet",
    "columns": {
        "date": "Datum",
        "person": "Wer",
        "client": "Kunde",
        "duration": "Zeit",
        "description": "Was",
        "id": "Nr",
    },
    "duration_unit": "minutes",
    "decimal_mark": "comma",
    "date_format": "%d.%m.%y",
    "ignored": ["Intern"],
}


def test_a_declared_mapping_reads_a_table_we_do_not_know(imported: Imported) -> None:
    """Headers, date form, unit and decimal mark are as declared; the id column is the id; the rest are attributes."""
    options = ImportOptions(mapping=TableMapping.model_validate(MAPPING))
    table = "Nr;Datum;Wer;Kunde;Zeit;Was;Ort;Intern\nA-1;01.10.26;Ann;Acme;90,5;Arbeit;Wien;geheim\n"
    [entry], done = imported(table, options)
    assert (entry.source_entry_id, entry.source, entry.work_date) == ("A-1", "old-timesheet", date(2026, 10, 1))
    assert (entry.worked_seconds, entry.attributes) == (5430, {"ort": "Wien"})
    assert done.source == "old-timesheet"


def test_a_plain_number_without_a_unit_is_asked_about(previewed: Previewed) -> None:
    """90 could be minutes or hours; the answer has a flag."""
    mapping = TableMapping.model_validate({**MAPPING, "duration_unit": None})
    preview = previewed("Nr;Datum;Wer;Kunde;Zeit;Was\nA-1;01.10.26;Ann;Acme;90;x\n", ImportOptions(mapping=mapping))
    assert [(question.code, question.flag) for question in preview.questions] == [("duration_unit", "--duration-unit")]
    assert preview.counts.asked == 1


def test_a_mapping_reads_expenses(imported: Imported) -> None:
    """Expenses have exact amounts and a currency, declared or from the cell."""
    columns = {"date": "Date", "person": "Who", "amount": "Amount", "currency": "Cur", "category": "Kind"}
    mapping = TableMapping.model_validate(
        {"source": "expenses", "kind": "expense", "columns": columns, "currency": "EUR", "decimal_mark": "point"}
    )
    table = 'Date,Who,Amount,Cur,Kind\n2026-10-01,Ann,"1,234.50",,Train\n2026-10-01,Ann,0.00,US Dollar - USD,Train\n'
    entries, _ = imported(table, ImportOptions(mapping=mapping))
    assert [(entry.kind, entry.amount, entry.currency) for entry in entries] == [
        (EntryKind.EXPENSE, Decimal("1234.50"), "EUR"),
        (EntryKind.EXPENSE, Decimal("0.00"), "USD"),
    ]
    assert entries[0].entry_id != entries[1].entry_id


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("2026-10-01,Ann,,EUR,time,,", "missing_duration"),
        ("2026-10-01,Ann,,EUR,expense,,", "missing_amount"),
        ("2026-10-01,Ann,5,Euros,expense,,", "bad_currency"),
        ("2026-10-01,Ann,5,EUR,gift,,", "bad_kind"),
        ("2026-10-01,Ann,five,EUR,expense,,", "bad_number"),
        ("2026-10-01,Ann,1000000000000,EUR,expense,,", "bad_number"),
        ("2026-10-01,Ann,5,EUR,expense,newest,", "bad_revision"),
        ("2026-10-01,Ann,5,EUR,expense,,A", "duplicate_id"),
        ("2026-09-30,Ann,5,EUR,expense,,B", "outside_scope"),
        ("2026-10-01,Cid,5,EUR,expense,,B", "outside_scope"),
    ],
)
def test_a_row_that_breaks_the_declaration_is_refused(previewed: Previewed, row: str, code: str) -> None:
    """One reason for each row; the row beside it is still accepted."""
    columns = {"date": "D", "person": "P", "amount": "A", "currency": "C", "kind": "K", "updated_at": "U", "id": "I"}
    mapping = TableMapping.model_validate({"source": "mixed", "kind": "expense", "columns": columns})
    options = ImportOptions(
        mapping=mapping, people=("ann", "Bob"), date_from=date(2026, 10, 1), date_to=date(2026, 10, 2)
    )
    preview = previewed(f"D,P,A,C,K,U,I\n2026-10-01,Bob,1,EUR,expense,,A\n{row}\n", options)
    assert preview.problem_counts == {code: 1}
    assert preview.counts.accepted == 1


def test_a_mapping_file_names_each_mistake(tmp_path: Path) -> None:
    """Unknown keys, missing columns and bad date forms are told with the file's name."""
    path = tmp_path / "mapping.yaml"
    path.write_text("source: a\ncolumns: {date: D}\ncolour: red\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"mapping\.yaml.*colour"):
        load_mapping(path)
    path.write_text("source: a\ncolumns: {date: D, duration: H}\ndate_format: '%d.%m'\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="date format"):
        load_mapping(path)
    path.write_text("source: [", encoding="utf-8")
    with pytest.raises(ConfigurationError):
        load_mapping(path)
    path.write_text("source: a\ncolumns: {date: D, duration: H}\n", encoding="utf-8")
    assert load_mapping(path).source == "a"


def test_a_scope_needs_both_ends() -> None:
    """Half a scope would delete too much or too little."""
    with pytest.raises(ValidationError):
        ImportOptions(date_from=date(2026, 10, 1))


def test_an_unknown_zone_and_an_unknown_encoding_are_refused(previewed: Previewed) -> None:
    """Both come from a person and are told at once."""
    with pytest.raises(ValidationError):
        ImportOptions(zone="Europe/Atlantis")
    for name in ("klingon", "rot13", "zlib"):
        with pytest.raises(Rejected) as refused:
            previewed(TOGGL, ImportOptions(encoding=name))
        assert refused.value.code == "unknown_encoding"


def test_a_table_of_counted_units_needs_no_people(imported: Imported) -> None:
    """A meter reading or a milestone belongs to a client, and nobody has worked it."""
    columns = {"date": "D", "client": "C", "quantity": "N", "category": "M"}
    mapping = TableMapping.model_validate({"source": "meter", "kind": "usage", "columns": columns})
    [entry], _ = imported("D,C,N,M\n2026-10-31,Acme,137500,calls\n", ImportOptions(mapping=mapping))
    assert (entry.kind, entry.person_ref, entry.quantity) == (EntryKind.USAGE, "", Decimal(137500))
