"""The exports we know by their headers, and how a declared mapping becomes such a format.

Columns are found by name, never by position, and compared trimmed and without regard to case.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from connectors.tables.mapping import Column, DurationUnit, TableMapping
from schemas.entry import EntryKind

_BLANKS = re.compile(r"\s+")
_MONEY_TOGGL = re.compile(r"amount( \(.*\))?")
_MONEY_HARVEST = re.compile(r"(billable|cost) (rate|amount)|hours rounded")
_MONEY_CLOCKIFY = re.compile(
    r"(billable rate|billable amount|cost rate|cost amount|profit|amount)( \(.*\))?|duration \(decimal\)"
)
_CURRENCY_IN_HEADER = re.compile(r"\(([A-Z]{3})\)")
_NOTHING = re.compile(r"(?!)")


class Identity(StrEnum):
    """Which cells tell one entry from another when a format has no ids; each also has the account and an ordinal."""

    START = "person, start"
    DATE = "person, date, project, task or category"


@dataclass(frozen=True)
class TableFormat:
    """How a table is recognised and read. `columns` lists the headers a meaning may have, the best one first.

    `needs` are groups of meanings of which at least one must be there. `left_out` are headers that are known and not
    kept: the source's own prices (our rate card counts, and cost rates are nobody's business) and rounded doubles.
    """

    name: str
    source: str
    identity: Identity
    columns: Mapping[Column, tuple[str, ...]]
    needs: tuple[tuple[Column, ...], ...]
    forbidden: frozenset[str] = frozenset()
    left_out: re.Pattern[str] = _NOTHING
    kind: EntryKind = EntryKind.TIME
    tags_separator: str = ","
    duration_unit: DurationUnit | None = None
    checks_span: bool = False
    mapping_version: int = 1


@dataclass(frozen=True)
class Plan:
    """A format laid over one header line: where each meaning stands, which cells become attributes."""

    format: TableFormat
    headers: tuple[str, ...]
    places: Mapping[Column, int]
    attributes: tuple[tuple[int, str], ...]
    currencies: tuple[str, ...] = field(default=())


_CLOCK = {
    Column.DATE: ("start date",),
    Column.START_TIME: ("start time",),
    Column.END_DATE: ("end date", "stop date"),
    Column.END_TIME: ("end time", "stop time"),
}

TOGGL = TableFormat(
    name="toggl",
    source="toggl-csv",
    identity=Identity.START,
    columns=_CLOCK
    | {
        Column.PERSON: ("user", "member"),
        Column.EMAIL: ("email", "e-mail"),
        Column.CLIENT: ("client",),
        Column.PROJECT: ("project",),
        Column.TASK: ("task",),
        Column.DESCRIPTION: ("description",),
        Column.BILLABLE: ("billable",),
        Column.DURATION: ("duration",),
        Column.TAGS: ("tags",),
    },
    needs=((Column.DATE,), (Column.START_TIME,), (Column.DESCRIPTION,), (Column.DURATION, Column.END_TIME)),
    forbidden=frozenset({"duration (h)", "duration (decimal)", "hours"}),
    left_out=_MONEY_TOGGL,
    duration_unit=DurationUnit.HOURS,
    checks_span=True,
)

HARVEST = TableFormat(
    name="harvest",
    source="harvest-csv",
    identity=Identity.DATE,
    columns={
        Column.DATE: ("date",),
        Column.CLIENT: ("client",),
        Column.PROJECT: ("project",),
        Column.TASK: ("task",),
        Column.DESCRIPTION: ("notes",),
        Column.DURATION: ("hours",),
        Column.BILLABLE: ("billable?",),
        Column.INVOICED: ("invoiced?",),
        Column.FIRST_NAME: ("first name",),
        Column.LAST_NAME: ("last name",),
        Column.CURRENCY: ("currency",),
    },
    needs=(
        (Column.DATE,),
        (Column.CLIENT,),
        (Column.PROJECT,),
        (Column.TASK,),
        (Column.DURATION,),
        (Column.LAST_NAME,),
    ),
    left_out=_MONEY_HARVEST,
    duration_unit=DurationUnit.HOURS,
)

CLOCKIFY = TableFormat(
    name="clockify",
    source="clockify-csv",
    identity=Identity.START,
    columns=_CLOCK
    | {
        Column.PERSON: ("user",),
        Column.EMAIL: ("email",),
        Column.CLIENT: ("client",),
        Column.PROJECT: ("project",),
        Column.TASK: ("task", "activity"),
        Column.DESCRIPTION: ("description",),
        Column.BILLABLE: ("billable",),
        Column.INVOICED: ("invoiced",),
        Column.DURATION: ("duration (h)", "duration (decimal)"),
        Column.TAGS: ("tags",),
    },
    needs=((Column.DATE,), (Column.START_TIME,), (Column.PERSON, Column.EMAIL), (Column.DURATION,)),
    left_out=_MONEY_CLOCKIFY,
    duration_unit=DurationUnit.HOURS,
    checks_span=True,
)

KNOWN_FORMATS: tuple[TableFormat, ...] = (CLOCKIFY, TOGGL, HARVEST)


def format_of(mapping: TableMapping) -> TableFormat:
    """A declared mapping as a format; its headers are required, because they were named."""
    clocked = Column.START in mapping.columns or Column.START_TIME in mapping.columns
    timed = clocked and mapping.kind is EntryKind.TIME
    return TableFormat(
        name="table",
        source=mapping.source,
        identity=Identity.START if timed else Identity.DATE,
        columns={meaning: (normal_header(header),) for meaning, header in mapping.columns.items()},
        needs=tuple((meaning,) for meaning in mapping.columns),
        left_out=re.compile("|".join(re.escape(normal_header(header)) for header in mapping.ignored) or "(?!)"),
        kind=mapping.kind,
        tags_separator=mapping.tags_separator,
        duration_unit=mapping.duration_unit,
        mapping_version=mapping.mapping_version,
    )


def normal_header(text: str) -> str:
    """A header as it is compared: without byte-order mark, outer and double blanks, and case."""
    return _BLANKS.sub(" ", text.replace("\ufeff", "")).strip().casefold()


def lacking(table: TableFormat, names: Sequence[str]) -> list[str]:
    """The headers that are missing for a format, each the best name of its group; empty when it fits."""
    present = set(names)
    missing = []
    for group in table.needs:
        if not any(header in present for meaning in group for header in table.columns.get(meaning, ())):
            missing.append(table.columns[group[0]][0])
    return missing


def fits(table: TableFormat, names: Sequence[str]) -> bool:
    """Whether a line of normal headers is the header of this format."""
    return not lacking(table, names) and table.forbidden.isdisjoint(names)


def repeated_header(table: TableFormat, names: Sequence[str]) -> str:
    """A header that stands twice although it has a meaning; empty when there is none."""
    for headers in table.columns.values():
        for header in headers:
            if names.count(header) > 1:
                return header
    return ""


def plan_of(table: TableFormat, headers: Sequence[str]) -> Plan:
    """Lay a format over a header line."""
    names = [normal_header(header) for header in headers]
    places: dict[Column, int] = {}
    for meaning, wanted in table.columns.items():
        found = next((names.index(header) for header in wanted if header in names), None)
        if found is not None:
            places[meaning] = found
    taken = set(places.values())
    rest = [
        (at, name) for at, name in enumerate(names) if at not in taken and name and not table.left_out.fullmatch(name)
    ]
    currencies = sorted({code for header in headers for code in _CURRENCY_IN_HEADER.findall(header)})
    return Plan(table, tuple(header.strip() for header in headers), places, _attribute_names(rest), tuple(currencies))


def _attribute_names(rest: Sequence[tuple[int, str]]) -> tuple[tuple[int, str], ...]:
    named: list[tuple[int, str]] = []
    used: dict[str, int] = {}
    for at, name in rest:
        key = re.sub(r"\W+", "_", name).strip("_")[:60] or f"column_{at + 1}"
        used[key] = used.get(key, 0) + 1
        named.append((at, key if used[key] == 1 else f"{key}_{used[key]}"))
    return tuple(named)
