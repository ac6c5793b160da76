"""What `init` wrote and what `doctor` found, as tables and sentences for people."""

from typing import TYPE_CHECKING

from billstream.cli.output import table, visible
from billstream.cli.results import DoctorResult, InitResult

if TYPE_CHECKING:
    from rich.console import Console


def begun(screen: "Console", result: InitResult) -> None:
    """What was found, what was answered, which files there are now, and what to type next."""
    if result.exports:
        found = [
            (one.file, one.tool, str(one.rows), f"{one.date_from or ''}..{one.date_to or ''}", one.problem)
            for one in result.exports
        ]
        title = f"{len(found)} exports found, with {result.people} people and {result.clients} clients"
        table(screen, title, ("file", "of", "rows", "dates", "to answer"), found, right=(2,))
    table(
        screen,
        "Answers",
        ("", "value", "from"),
        [(one.flag, one.value or "(later)", one.origin) for one in result.answers],
    )
    table(screen, f"Files in {result.folder}", ("file", "state"), [(one.path, one.state) for one in result.files])
    if result.dry_run:
        screen.print("Nothing was written.")
    screen.print("Next:")
    for step in result.next:
        screen.print(f"  {visible(step)}", soft_wrap=True)


def examined(screen: "Console", result: DoctorResult) -> None:
    """Each check with its state; what is wrong has its remedy below it."""
    rows: list[tuple[str, str, str]] = []
    for check in result.checks:
        rows.append((check.state, check.about, check.found))
        if check.fix:
            rows.append(("", "", f"-> {check.fix}"))
    table(screen, f"Project {result.project}", ("state", "check", "finding"), rows)
    if result.failed or result.warnings:
        screen.print(f"{result.failed} failed, {result.warnings} to look at, of {len(result.checks)} checks.")
    else:
        screen.print(f"All {len(result.checks)} checks are well.")
