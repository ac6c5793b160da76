"""The last page of the demo: what came in, where the hours went, what was alerted and held, and the drafts."""

from typing import TYPE_CHECKING

from billstream.cli.output import hours, table
from billstream.cli.render import document_table
from billstream.cli.results import DemoResult

if TYPE_CHECKING:
    from rich.console import Console

ALERTS_SHOWN_MAX = 12


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
    shown = [(text,) for text in result.alerts[:ALERTS_SHOWN_MAX]]
    table(screen, f"{len(result.alerts)} cap alerts, as they came", ("alert",), shown)
    held = [(one.reason, str(one.entries), hours(one.seconds)) for one in result.held]
    table(screen, "Held: nothing is guessed, nothing is dropped", ("reason", "entries", "time"), held, right=(1, 2))
    document_table(screen, "Documents", result.documents)
    stages = ", ".join(f"{one.name} {one.seconds} s" for one in result.stages)
    screen.print(f"{result.seconds} s in all ({stages})")
    screen.print(f"Everything is in {result.folder}. Look around:")
    screen.print(f"  cd {result.folder} && billstream up          # in another terminal, then")
    screen.print("  billstream status; billstream entries held; billstream explain ID")
