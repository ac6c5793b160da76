"""The last page of the demo: what came in, where the hours went, what was alerted and held, and the drafts."""

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from billstream.cli.output import hours, table
from billstream.cli.render import document_table
from billstream.cli.results import DemoResult

if TYPE_CHECKING:
    from rich.console import Console

ALERTS_SHOWN_MAX = 12
HELD_SHOWN_MAX = 12
FULL = "100 %"
DAILY = "Cap day"


def show_demo(screen: "Console", result: DemoResult) -> None:
    """Everything a person looks at first."""
    rows = [(one.file, one.format, str(one.rows), str(one.accepted), str(one.refused)) for one in result.imports]
    table(screen, "Read", ("export", "as", "rows", "accepted", "refused"), rows, right=(2, 3, 4))
    screen.print(
        f"{result.entries} entries of {result.people} people for {result.clients} clients, "
        f"{hours(result.worked_seconds)} worked"
    )
    buckets = [(one.bucket, one.reason, hours(one.seconds), str(one.entries)) for one in result.buckets]
    table(screen, "Where the hours of the drafts went", ("bucket", "reason", "time", "entries"), buckets, right=(2, 3))
    ordered = sorted(result.alerts, key=lambda text: (FULL not in text, DAILY in text))
    title = f"{len(result.alerts)} cap alerts, those of full caps first"
    table(screen, title, ("alert",), [(text,) for text in ordered[:ALERTS_SHOWN_MAX]])
    held = [
        (one.reason, one.work_date, one.person, one.client, hours(one.seconds), one.description)
        for one in result.held_entries[:HELD_SHOWN_MAX]
    ]
    title = f"{len(result.held_entries)} entries held: nothing is guessed, nothing is dropped"
    table(screen, title, ("reason", "day", "person", "client", "time", "text"), held, right=(4,))
    document_table(screen, "Documents", result.documents)
    screen.print(
        f"{result.verified} of {len(result.documents)} documents confirmed from the journal alone, to the second"
    )
    stages = ", ".join(f"{one.name} {one.seconds} s" for one in result.stages)
    screen.print(f"{result.seconds} s in all ({stages})")
    screen.print(f"Everything is in {result.folder}. Look around:")
    program = _program()
    screen.print(f"  cd {result.folder}", soft_wrap=True)
    screen.print(f"  {program} up               # in a terminal of its own, then", soft_wrap=True)
    screen.print(f"  {program} status           # or: entries held, explain ID, verify", soft_wrap=True)


def _program() -> str:
    """How a person in this terminal starts us: by name where the shell finds it, else by the whole path."""
    installed = Path(sys.executable).with_name("billstream")
    found = shutil.which("billstream")
    return str(installed) if installed.exists() and (found is None or not installed.samefile(found)) else "billstream"
