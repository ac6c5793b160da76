"""`dead-letters`: what could not be read or applied, and what a person does about it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from billstream.cli.options import As, DryRun, Wait, Yes

if TYPE_CHECKING:
    from billstream.dead_letters.settling import Chosen

dead_letters = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Records that could not be read or applied: look at them, send them again, repair or discard them.",
)
WAIT_SECONDS = 30
Letter = Annotated[str, typer.Argument(metavar="ID", help="Id of a letter; the beginning is enough.")]
Letters = Annotated[
    list[str] | None, typer.Argument(metavar="[ID]...", help="Ids of letters; the beginning is enough.")
]
OfReason = Annotated[str, typer.Option("--reason", metavar="CODE", help="Only letters with this reason.")]
OfTopic = Annotated[str, typer.Option("--topic", metavar="TOPIC", help="Only letters whose record stood there.")]
Because = Annotated[str, typer.Option("--because", metavar="TEXT", help="Why; it is kept in the journal.")]


@dead_letters.command("list")
def list_letters(
    context: typer.Context,
    reason: OfReason = "",
    topic: OfTopic = "",
    since: Annotated[
        str, typer.Option("--since", metavar="WHEN", help="30m, 24h or 7d ago, or a date such as 2026-11-20.")
    ] = "",
    every: Annotated[bool, typer.Option("--all/--open", help="Also those that are settled.")] = False,
) -> int:
    """List dead letters, open ones unless --all is given, and count the open ones by reason.

    \b
    Examples:
      billstream dead-letters list
      billstream dead-letters list --reason value_invalid --since 24h
      billstream dead-letters list --all --json
    """
    from billstream.cli import render_letters as render
    from billstream.cli.running_letters import run_with_letters
    from billstream.dead_letters.asking import Wanted, moment
    from billstream.dead_letters.asking import list_letters as list_now
    from billstream.project import now

    wanted = Wanted(reason, topic, moment(since, now()) if since else None, every)
    return run_with_letters(context.obj, lambda desk: list_now(desk, wanted), render.letters)


@dead_letters.command("show")
def show(context: typer.Context, letter: Letter) -> int:
    """Show one letter: its place, its record as far as it can be read, what became of it, and what can be done.

    \b
    Example:
      billstream dead-letters show 9f3a1c
    """
    from billstream.cli import render_letters as render
    from billstream.cli.running_letters import run_with_letters
    from billstream.dead_letters.asking import show as show_now

    return run_with_letters(context.obj, lambda desk: show_now(desk, letter), render.letter)


@dead_letters.command("replay")
def replay(
    context: typer.Context,
    letter: Letters = None,
    reason: OfReason = "",
    topic: OfTopic = "",
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Also what this version would refuse again, for newer workers.")
    ] = False,
    because: Because = "replayed",
    person: As = "",
    yes: Yes = False,
    dry_run: DryRun = False,
    wait: Wait = WAIT_SECONDS,
) -> int:
    """Send the same bytes again to where they stood; twice has no effect, because the record stays the same one.

    \b
    Examples:
      billstream dead-letters replay 9f3a1c
      billstream dead-letters replay --reason schema_newer --because "workers are upgraded" --dry-run
    """
    from billstream.cli import render_letters as render
    from billstream.cli.running_letters import run_with_letters
    from billstream.closing import Order
    from billstream.dead_letters.settling import replay as replay_now

    chosen = _chosen(context, letter, reason, topic, "Replay", yes=yes or dry_run)
    order = Order(person, because, wait)
    return run_with_letters(
        context.obj, lambda desk: replay_now(desk, chosen, order, anyway=anyway, dry_run=dry_run), render.settled
    )


@dead_letters.command("repair")
def repair(
    context: typer.Context,
    letter: Letter,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write the record as JSON for editing; send nothing.")
    ] = None,
    source: Annotated[
        Path | None, typer.Option("--from", metavar="FILE", help="Send the corrected record of this file.")
    ] = None,
    change: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="Change one field; may be given several times."),
    ] = None,
    because: Because = "repaired",
    person: As = "",
    dry_run: DryRun = False,
    wait: Wait = WAIT_SECONDS,
) -> int:
    """Correct a broken record and send it in its own place; what makes it this record stays as it is.

    \b
    Examples:
      billstream dead-letters repair 9f3a1c --set worked_seconds=3600 --because "the tracker wrote -3600"
      billstream dead-letters repair 9f3a1c --out entry.json
      billstream dead-letters repair 9f3a1c --from entry.json --because "asked Jonas" --dry-run
    """
    from billstream.cli import render_letters as render
    from billstream.cli.exits import Exit
    from billstream.cli.failure import CommandFailed
    from billstream.cli.running_letters import run_with_letters
    from billstream.closing import Order
    from billstream.dead_letters.settling import repair_and_send, repair_to_file

    if out is not None:
        if source is not None or change:
            raise CommandFailed("usage", "--out only writes the file.", "Edit it, then use --from.", Exit.USAGE)
        return run_with_letters(context.obj, lambda desk: repair_to_file(desk, letter, out), render.repaired)
    order = Order(person, because, wait)
    changes = change or []
    return run_with_letters(
        context.obj,
        lambda desk: repair_and_send(desk, letter, source, changes, order, dry_run=dry_run),
        render.repaired,
    )


@dead_letters.command("discard")
def discard(
    context: typer.Context,
    because: Because,
    letter: Letters = None,
    reason: OfReason = "",
    topic: OfTopic = "",
    person: As = "",
    yes: Yes = False,
    dry_run: DryRun = False,
    wait: Wait = WAIT_SECONDS,
) -> int:
    """Settle letters without sending them; who did so and why is kept, and so are the letters.

    \b
    Example:
      billstream dead-letters discard 9f3a1c 77ab02 --because "a test of the new tracker"
    """
    from billstream.cli import render_letters as render
    from billstream.cli.running_letters import run_with_letters
    from billstream.closing import Order
    from billstream.dead_letters.settling import discard as discard_now

    chosen = _chosen(context, letter, reason, topic, "Discard", yes=yes or dry_run)
    order = Order(person, because, wait)
    return run_with_letters(context.obj, lambda desk: discard_now(desk, chosen, order, dry_run=dry_run), render.settled)


def _chosen(
    context: typer.Context, named: list[str] | None, reason: str, topic: str, verb: str, *, yes: bool
) -> "Chosen":
    """The letters that are meant: ids, or all open ones of a reason or topic, which has to be confirmed."""
    from billstream.cli.exits import Exit
    from billstream.cli.failure import CommandFailed
    from billstream.cli.output import confirm
    from billstream.dead_letters.settling import Chosen

    if bool(named) == bool(reason or topic):
        fix = "`billstream dead-letters list` has them."
        raise CommandFailed("usage", "Name letters, or use --reason or --topic.", fix, Exit.USAGE)
    if not named:
        confirm(context.obj, f"{verb} every open letter {' '.join(filter(None, (reason, topic)))}?", yes=yes)
    return Chosen(named or (), reason, topic)
