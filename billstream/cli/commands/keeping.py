"""Keeping what cannot be had again: `rebuild`, `replay`, `backup` and `restore`."""

from pathlib import Path
from typing import Annotated

import typer

from billstream.cli.options import Clients, DryRun
from billstream.cli.session import Session

Partitions = Annotated[
    list[int] | None,
    typer.Option("--partition", metavar="N", min=0, help="Only this partition; may be given several times."),
]
Replace = Annotated[
    bool, typer.Option("--replace", help="Put the new stores in place of the old ones; no worker may run here.")
]
Until = Annotated[
    str,
    typer.Option(
        "--until",
        metavar="WHEN",
        help="A journal offset as `status` shows it, or an instant: 2026-11-03T12:00 or 2026-11-03 (its end).",
    ),
]
PastPeriod = Annotated[
    str, typer.Option("--period", "-p", metavar="PERIOD", help="Also the invoices of a period, as they were then.")
]


def rebuild(context: typer.Context, partition: Partitions = None, replace: Replace = False) -> int:
    """Prove that the workers' stores are what their journals say: fold each anew and compare every row.

    It reads, and nothing else: no record is published, no sink and no model is asked. Workers may go on meanwhile,
    unless the stores are to be replaced.

    \b
    Examples:
      billstream rebuild
      billstream rebuild --partition 3 --replace
    """
    from billstream.cli import keeping_render
    from billstream.cli.output import answer
    from billstream.cli.running import exit_of, quiet_libraries
    from billstream.keeping.rebuilding import run_rebuild

    session: Session = context.obj
    quiet_libraries(session)
    result = run_rebuild(session, partition or [], replace=replace)
    answer(session, result, lambda screen: keeping_render.rebuilt(screen, result))
    return int(exit_of(result))


def replay(context: typer.Context, until: Until, client: Clients = None, period: PastPeriod = "") -> int:
    """Show the book as it was: after so many records of its journal, or at an instant.

    At an instant means: before the first record that was appended to the journal later than that. Nothing is
    published and nobody is asked. `preview`, `status`, `documents` and `explain` take --as-of with the same words.

    \b
    Examples:
      billstream replay --until 2026-11-03T12:00
      billstream replay --until 1840 --period 2026-10 --client northwind
    """
    from billstream.cli import keeping_render
    from billstream.cli.commands.documents import span
    from billstream.cli.running import run_with_desk
    from billstream.keeping.replaying import replay as replay_now

    month = span(period) if period else None
    return run_with_desk(
        context.obj, lambda desk: replay_now(desk, client or [], month), keeping_render.replayed, as_of=until
    )


Verify = Annotated[
    bool, typer.Option("--verify", help="Prove rows, documents and receipts at the sinks; then sending is allowed.")
]
Accept = Annotated[
    str, typer.Option("--accept", metavar="REASON", help="With --verify: send all the same, for you looked at it.")
]
BackupFolder = Annotated[Path, typer.Argument(metavar="DIR", help="The backup's folder; it is made, or continued.")]
OneBackup = Annotated[Path | None, typer.Argument(metavar="[DIR]", help="The backup's folder.")]


def backup(context: typer.Context, folder: BackupFolder) -> int:
    """Copy everything that cannot be had again into a folder, while everything goes on.

    A second call into the same folder adds only what is new: run it every few minutes. The copy is not encrypted.

    \b
    Example:
      billstream backup /mnt/safe/billstream-2026-W47
    """
    from billstream.cli import keeping_render
    from billstream.cli.output import answer
    from billstream.cli.running import quiet_libraries
    from billstream.keeping.saving import run_backup

    session: Session = context.obj
    quiet_libraries(session)
    result = run_backup(session, folder)
    answer(session, result, lambda screen: keeping_render.saved(screen, result))
    return 0


def restore(
    context: typer.Context,
    folder: OneBackup = None,
    verify: Verify = False,
    accept: Accept = "",
    dry_run: DryRun = False,
) -> int:
    """Put a backup into a new project folder and an empty cluster; nothing is sent until --verify holds.

    With --dry-run a backup is only read, every byte of it; with --verify --dry-run sending stays held.

    \b
    Examples:
      billstream restore /mnt/safe/billstream-2026-W47 --dry-run
      billstream restore /mnt/safe/billstream-2026-W47 --project new-folder
      billstream restore --verify --project new-folder
    """
    from billstream.cli import keeping_render
    from billstream.cli.output import answer
    from billstream.cli.running import exit_of, quiet_libraries
    from billstream.keeping.restoring import Wanted, run_restore

    session: Session = context.obj
    quiet_libraries(session)
    result = run_restore(session, Wanted(folder, verify, accept, dry_run))
    answer(session, result, lambda screen: keeping_render.restored(screen, result))
    return int(exit_of(result))
