"""`entries`: what a person decides about single entries, and the list of what waits for that."""

from typing import TYPE_CHECKING, Annotated

import typer

from billstream.cli.options import As, Entries, Reason, Wait

if TYPE_CHECKING:
    from billstream.entry_orders import Make

entries = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Held entries, and decisions about single entries."
)
WAIT_SECONDS = 60


@entries.command("held")
def held(context: typer.Context) -> int:
    """List every held entry with its reason and the command that settles it.

    \b
    Example:
      billstream entries held
    """
    from billstream.cli import render
    from billstream.cli.running import run_with_desk
    from billstream.reporting import held as held_now

    return run_with_desk(context.obj, held_now, render.held)


@entries.command("hold")
def hold(context: typer.Context, entry: Entries, reason: Reason, person: As = "", wait: Wait = WAIT_SECONDS) -> int:
    """Keep entries off invoices until they are released.

    \b
    Example:
      billstream entries hold 9f3a1c --reason "ask Jonas"
    """
    from billstream.entry_orders import hold as make

    return _order(context, entry, "hold", make, (person, reason, wait))


@entries.command("release")
def release(
    context: typer.Context,
    entry: Annotated[str, typer.Argument(metavar="ENTRY", help="Id of an entry.")],
    held_reason: Annotated[
        str, typer.Argument(metavar="HELD_REASON", help="The reason to settle, as `held` lists it.")
    ],
    reason: Reason = "released",
    person: As = "",
    wait: Wait = WAIT_SECONDS,
) -> int:
    """Settle one reason for which an entry is held.

    \b
    Example:
      billstream entries release 9f3a1c possible_duplicate --reason "two people worked on it"
    """
    from billstream.entry_orders import release as make_release

    return _order(context, [entry], "release", make_release(held_reason), (person, reason, wait))


@entries.command("assign")
def assign(
    context: typer.Context,
    entry: Entries,
    client: Annotated[str, typer.Option("--client", metavar="ID", help="Client it belongs to.")] = "",
    worker: Annotated[str, typer.Option("--person", metavar="ID", help="Person who worked.")] = "",
    project: Annotated[str, typer.Option("--project-id", metavar="ID", help="Project it belongs to.")] = "",
    reason: Reason = "assigned",
    person: As = "",
    wait: Wait = WAIT_SECONDS,
) -> int:
    """Say whose time it is, when the source did not name client, person or project well enough.

    \b
    Example:
      billstream entries assign 9f3a1c --client northwind --reason "typing mistake"
    """
    from billstream.cli.exits import Exit
    from billstream.cli.failure import CommandFailed
    from billstream.entry_orders import assign as make_assign

    if not (client or worker or project):
        raise CommandFailed("usage", "Name --client, --person or --project-id.", "", Exit.USAGE)
    return _order(context, entry, "assign", make_assign(client, worker, project), (person, reason, wait))


@entries.command("correct")
def correct(
    context: typer.Context,
    entry: Entries,
    category: Annotated[
        str, typer.Option("--category", metavar="NAME", help="billable, non_billable, retainer, project.")
    ],
    service_item: Annotated[str, typer.Option("--service-item", metavar="NAME", help="Service item.")] = "",
    task: Annotated[str, typer.Option("--task", metavar="CODE", help="UTBMS task code.")] = "",
    activity: Annotated[str, typer.Option("--activity", metavar="CODE", help="UTBMS activity code.")] = "",
    remember: Annotated[
        bool, typer.Option("--remember", help="Decide the same text of this client so from now on.")
    ] = False,
    reason: Reason = "corrected",
    person: As = "",
    wait: Wait = WAIT_SECONDS,
) -> int:
    """Say what an entry is; it counts before every other decision.

    \b
    Example:
      billstream entries correct 9f3a1c --category non_billable --remember --reason "internal"
    """
    from billstream.cli.exits import Exit
    from billstream.cli.failure import CommandFailed
    from billstream.configuration.problems import nearest
    from billstream.entry_orders import correct as make_correct
    from schemas.inputs import Category

    known = [one.value for one in Category if one is not Category.UNKNOWN]
    if category not in known:
        raise CommandFailed("usage", f"'{category}' is no category.", nearest(category, known), Exit.USAGE)
    make = make_correct(Category(category), service_item, task, activity, remember=remember)
    return _order(context, entry, "correct", make, (person, reason, wait))


@entries.command("delete")
def delete(context: typer.Context, entry: Entries, reason: Reason, person: As = "", wait: Wait = WAIT_SECONDS) -> int:
    """Accept a proposed deletion: the entry is gone at its source.

    \b
    Example:
      billstream entries delete 9f3a1c --reason "Jonas deleted it"
    """
    from billstream.entry_orders import delete as make

    return _order(context, entry, "delete", make, (person, reason, wait))


@entries.command("write-off")
def write_off(
    context: typer.Context, entry: Entries, reason: Reason, person: As = "", wait: Wait = WAIT_SECONDS
) -> int:
    """Decide not to bill entries; their time stays visible.

    \b
    Example:
      billstream entries write-off 9f3a1c --reason "goodwill"
    """
    from billstream.entry_orders import write_off as make

    return _order(context, entry, "write-off", make, (person, reason, wait))


def _order(context: typer.Context, named: list[str], verb: str, make: "Make", who: tuple[str, str, int]) -> int:
    from billstream.cli import render
    from billstream.cli.running import run_with_desk
    from billstream.closing import Order
    from billstream.entry_orders import order_entries

    order = Order(*who)
    return run_with_desk(context.obj, lambda desk: order_entries(desk, named, verb, make, order), render.entries)
