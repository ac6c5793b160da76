"""`import`: exports of time trackers and tables, with a preview of what was understood."""

from pathlib import Path
from typing import Annotated

import typer

from billstream.cli.options import DryRun
from billstream.cli.session import Session

Files = Annotated[list[Path], typer.Argument(metavar="FILE...", help="Exports, or folders of them.")]
Source = Annotated[
    str, typer.Option("--source", "-s", metavar="NAME", help="The source of billstream.yaml they are of.")
]
Partial = Annotated[bool, typer.Option("--partial", help="Rows missing from these files are not gone.")]
Text = Annotated[str, typer.Option(metavar="TEXT")]


def _declaration(flag: str, metavar: str, meaning: str) -> object:
    return typer.Option(flag, metavar=metavar, help=meaning, rich_help_panel="What the file does not say")


Format = Annotated[str, _declaration("--format", "NAME", "toggl, harvest, clockify or json-lines.")]
Mapping = Annotated[str, _declaration("--mapping", "FILE", "What the columns of another table mean.")]
Account = Annotated[str, _declaration("--account", "NAME", "Workspace or account of the source.")]
ZoneName = Annotated[str, _declaration("--zone", "ZONE", "Zone of local times, for example Europe/Berlin.")]
DateOrder = Annotated[str, _declaration("--date-order", "ORDER", "dmy, mdy or ymd.")]
DateFormat = Annotated[str, _declaration("--date-format", "FORMAT", "Exact form of dates, such as %d.%m.%y.")]
DecimalMark = Annotated[str, _declaration("--decimal-mark", "MARK", "comma or point.")]
DurationUnit = Annotated[str, _declaration("--duration-unit", "UNIT", "hours, minutes, seconds or days.")]
SerialDates = Annotated[str, _declaration("--serial-dates", "YEAR", "1900 or 1904, for day numbers of spreadsheets.")]
Encoding = Annotated[str, _declaration("--encoding", "NAME", "utf-8, utf-16, windows-1252, ...")]
Delimiter = Annotated[str, _declaration("--delimiter", "SIGN", "What stands between cells.")]
Person = Annotated[str, _declaration("--person", "NAME", "Whose time it is.")]
People = Annotated[list[str] | None, _declaration("--people", "NAME", "Everyone whose time the file holds (scope).")]
From = Annotated[str, _declaration("--from", "DATE", "First day the file holds (scope).")]
To = Annotated[str, _declaration("--to", "DATE", "The day after the last one (scope).")]


def import_files(
    context: typer.Context,
    files: Files,
    source: Source = "",
    partial: Partial = False,
    dry_run: DryRun = False,
    format_: Format = "",
    mapping: Mapping = "",
    account: Account = "",
    zone: ZoneName = "",
    date_order: DateOrder = "",
    date_format: DateFormat = "",
    decimal_mark: DecimalMark = "",
    duration_unit: DurationUnit = "",
    serial_dates: SerialDates = "",
    encoding: Encoding = "",
    delimiter: Delimiter = "",
    person: Person = "",
    people: People = None,
    date_from: From = "",
    date_to: To = "",
) -> int:
    """Read exports into the book. The same file again changes nothing; an edited row is a new version.

    \b
    Examples:
      billstream import toggl-october.csv --dry-run
      billstream import exports/ --source toggl
    """
    from billstream.cli import render
    from billstream.cli.output import answer
    from billstream.cli.running import exit_of, run_with_desk
    from billstream.importing import Declared, import_paths, understand_paths
    from billstream.project import open_project

    said: dict[str, str | list[str]] = {
        "format": format_,
        "mapping": mapping,
        "account": account,
        "zone": zone,
        "date_order": date_order,
        "date_format": date_format,
        "decimal_mark": decimal_mark,
        "duration_unit": duration_unit,
        "serial_dates": serial_dates,
        "encoding": encoding,
        "delimiter": delimiter,
        "person": person,
        "people": people or [],
        "date_from": date_from,
        "date_to": date_to,
    }
    declared = Declared(source=source, fields=said)
    session: Session = context.obj
    if dry_run:
        result = understand_paths(open_project(session.project, session.environment), files, declared)
        answer(session, result, lambda screen: render.imported(screen, result))
        return int(exit_of(result))
    return run_with_desk(
        session,
        lambda desk: import_paths(desk, session, files, declared, propose_deletions=not partial),
        render.imported,
    )
