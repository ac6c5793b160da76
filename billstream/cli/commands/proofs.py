"""Questions to what was billed and to what would be: `verify` and `what-if`."""

from pathlib import Path
from typing import Annotated

import typer

from billstream.cli.options import ContractsFolder
from billstream.cli.session import Session

EntryFiles = Annotated[
    list[Path] | None,
    typer.Option("--entries", "-e", metavar="FILE", help="Read entries from files or folders instead of the broker."),
]
Named = Annotated[
    list[str] | None,
    typer.Argument(metavar="[DOCUMENT]...", help="Ids or numbers of documents, or files that the sink json wrote."),
]
Alone = Annotated[bool, typer.Option("--alone", help="Check only what files say of themselves; no broker is needed.")]


def verify(
    context: typer.Context,
    document: Named = None,
    entries: EntryFiles = None,
    contracts: ContractsFolder = None,
    alone: Alone = False,
) -> int:
    """Check the certificate of minutes and every sum of documents, from the journal alone or from files.

    \b
    Examples:
      billstream verify
      billstream verify 0001
      billstream verify drafts/northwind.json
      billstream verify drafts/northwind.json --entries exports/ --contracts contracts/
    """
    from billstream.cli import render
    from billstream.cli.exits import Exit
    from billstream.cli.failure import CommandFailed
    from billstream.cli.output import answer
    from billstream.cli.running import exit_of, run_with_desk
    from billstream.verifying import verify_alone, verify_files, verify_journal

    session: Session = context.obj
    named = document or []
    files = [Path(one) for one in named if one.endswith(".json")]
    ids = [one for one in named if not one.endswith(".json")]
    if not alone and not entries:
        return run_with_desk(session, lambda desk: verify_journal(desk, ids, files), render.verified)
    if ids or not files:
        fix = "Name files that the sink json wrote, or leave --alone and --entries out."
        raise CommandFailed("usage", "Without the journal only files can be checked.", fix, Exit.USAGE)
    result = verify_alone(files) if alone else verify_files(session, files, entries or [], contracts)
    answer(session, result, lambda screen: render.verified(screen, result))
    return int(exit_of(result))
