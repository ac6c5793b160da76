"""`import`: exports of time trackers and tables, with a preview of what was understood."""

from pathlib import Path
from typing import Annotated

import typer

from billstream.cli.options import DryRun
from billstream.cli.session import Session

Files = Annotated[list[Path], typer.Argument(metavar="FILE...", help="Exports, or folders of them.")]
Source = Annotated[
    str, typer.Option("--source", "-s", metavar="NAME", help="The source of billstream.yaml they belong to.")
]
Partial = Annotated[
    bool, typer.Option("--partial", help="Rows missing from these files are not gone: propose no deletion.")
]


def import_files(
    context: typer.Context, files: Files, source: Source = "", partial: Partial = False, dry_run: DryRun = False
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
    from billstream.importing import import_paths, understand_paths
    from billstream.project import open_project

    session: Session = context.obj
    if dry_run:
        result = understand_paths(open_project(session.project, session.environment), files, source)
        answer(session, result, lambda screen: render.imported(screen, result))
        return int(exit_of(result))
    return run_with_desk(
        session, lambda desk: import_paths(desk, session, files, source, propose_deletions=not partial), render.imported
    )
