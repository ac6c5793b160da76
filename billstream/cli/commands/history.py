"""Taking back and looking back: `reopen`, `void`, and `documents` with their credit notes."""

from typing import Annotated

import typer

from billstream.cli.commands.documents import named_or_all, span
from billstream.cli.options import As, AsOf, Clients, Documents, Period, Reason, Wait, Yes

Rebill = Annotated[bool, typer.Option("--rebill", help="What is credited may be billed again; else it is written off.")]


def reopen(
    context: typer.Context, period: Period, reason: Reason, client: Clients = None, person: As = "", wait: Wait = 60
) -> int:
    """Take drafts and approved invoices of a period back, as long as none of them was issued.

    \b
    Example:
      billstream reopen --period 2026-10 --client northwind --reason "expenses are missing"
    """
    from billstream.cli import render
    from billstream.cli.running import run_with_desk
    from billstream.closing import Order
    from billstream.history import reopen as reopen_now

    order = Order(person, reason, wait)
    month = span(period)
    return run_with_desk(context.obj, lambda desk: reopen_now(desk, client or [], month, order), render.documents)


def void(
    context: typer.Context,
    document: Documents,
    reason: Reason,
    rebill: Rebill = False,
    yes: Yes = False,
    person: As = "",
    wait: Wait = 60,
) -> int:
    """Void issued invoices: each keeps its number, and a credit note over all that stands of it is issued at once.

    \b
    Examples:
      billstream void 0118 --reason "sent to the wrong company" --rebill
      billstream void 0118 --reason "goodwill after the outage"
    """
    from billstream.cli import render
    from billstream.cli.output import confirm
    from billstream.cli.running import run_with_desk
    from billstream.closing import Order
    from billstream.history import void as void_now

    named = named_or_all(document, every=False)
    confirm(context.obj, f"Void {', '.join(named)} and issue a credit note for it?", yes=yes)
    order = Order(person, reason, wait)
    return run_with_desk(context.obj, lambda desk: void_now(desk, named, order, rebill=rebill), render.documents)


def documents(context: typer.Context, client: Clients = None, as_of: AsOf = "") -> int:
    """List all invoices and credit notes: state, number, amount, and which documents they correct.

    \b
    Example:
      billstream documents --client northwind
    """
    from billstream.cli import render
    from billstream.cli.running import run_with_desk
    from billstream.history import list_documents

    return run_with_desk(
        context.obj, lambda desk: list_documents(desk, client or []), render.document_list, as_of=as_of
    )
