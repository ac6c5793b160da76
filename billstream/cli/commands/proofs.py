"""Questions to what was billed and to what would be: `verify` and `what-if`."""

from pathlib import Path
from typing import Annotated

import typer

from billstream.cli.options import Clients, ContractsFolder
from billstream.cli.session import Session

EntryFiles = Annotated[
    list[Path] | None,
    typer.Option("--entries", "-e", metavar="FILE", help="Read entries from files or folders instead of the broker."),
]
Named = Annotated[
    list[str] | None,
    typer.Argument(metavar="[DOCUMENT]...", help="Ids or numbers of documents, or files that the sink json wrote."),
]
Instead = Annotated[
    Path | None,
    typer.Option(
        "--contracts", metavar="PATH", help="Contracts to count instead: a folder for all, or one file for one of them."
    ),
]
OtherDirectory = Annotated[
    Path | None, typer.Option("--directory", metavar="DIR", help="Directory (rate card, roles) to count instead.")
]
Base = Annotated[
    Path | None,
    typer.Option("--base", metavar="DIR", help="With --entries: the contracts to compare with, else the settings'."),
]
Span = Annotated[
    str,
    typer.Option("--period", "-p", metavar="PERIOD", help="2026-10, 2026-W42 or 2026-01-01..2026-11-01; else all."),
]
Alone = Annotated[bool, typer.Option("--alone", help="Check only what files say of themselves; no broker is needed.")]


def verify(
    context: typer.Context,
    document: Named = None,
    entries: EntryFiles = None,
    contracts: ContractsFolder = None,
    period: Span = "",
    client: Clients = None,
    alone: Alone = False,
) -> int:
    """Check the certificate of minutes and every sum of documents, from the journal alone or from files.

    \b
    Examples:
      billstream verify
      billstream verify 0001
      billstream verify drafts/northwind.json
      billstream verify drafts/northwind.json --entries exports/ --contracts contracts/
      billstream verify --entries exports/ --contracts contracts/ --period 2026-10
    """
    from billstream.cli import render
    from billstream.cli.commands.documents import span
    from billstream.cli.exits import Exit
    from billstream.cli.failure import CommandFailed
    from billstream.cli.output import answer
    from billstream.cli.running import exit_of, run_with_desk
    from billstream.verifying import verify_alone, verify_drafts, verify_files, verify_journal

    session: Session = context.obj
    named = document or []
    files = [Path(one) for one in named if one.endswith(".json")]
    ids = [one for one in named if not one.endswith(".json")]
    if not alone and not entries:
        return run_with_desk(session, lambda desk: verify_journal(desk, ids, files), render.verified)
    if ids or (alone and not files):
        fix = "Name files that the sink json wrote, or leave --alone and --entries out."
        raise CommandFailed("usage", "Without the journal only files can be checked.", fix, Exit.USAGE)
    wanted = span(period) if period else None
    if alone:
        result = verify_alone(files)
    elif files:
        result = verify_files(session, files, entries or [], contracts)
    else:
        result = verify_drafts(session, entries or [], contracts, client or [], wanted)
    answer(session, result, lambda screen: render.verified(screen, result))
    return int(exit_of(result))


def what_if(
    context: typer.Context,
    contracts: Instead = None,
    directory: OtherDirectory = None,
    period: Span = "",
    client: Clients = None,
    entries: EntryFiles = None,
    base: Base = None,
) -> int:
    """Bill the same work under other contracts, rates or policies, and show the difference by client, line and reason.

    \b
    Examples:
      billstream what-if --contracts proposal/northwind.yaml --period 2026-10
      billstream what-if --contracts proposal/ --entries exports/ --json
    """
    from billstream.cli import render
    from billstream.cli.commands.documents import span
    from billstream.cli.exits import Exit
    from billstream.cli.failure import CommandFailed
    from billstream.cli.output import answer
    from billstream.cli.running import exit_of, run_with_desk
    from billstream.what_if import Instead as Other
    from billstream.what_if import what_if_on_book, what_if_on_files

    session: Session = context.obj
    if contracts is None and directory is None:
        fix = "Name what is to count instead: --contracts or --directory."
        raise CommandFailed("usage", "Nothing is to be different.", fix, Exit.USAGE)
    other, wanted = Other(contracts, directory), span(period) if period else None
    if not entries:
        return run_with_desk(session, lambda desk: what_if_on_book(desk, other, client or [], wanted), render.changed)
    result = what_if_on_files(session, entries, base, other, client or [], wanted)
    answer(session, result, lambda screen: render.changed(screen, result))
    return int(exit_of(result))
