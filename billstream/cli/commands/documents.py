"""Invoices: `preview`, `close`, `approve`, `issue`, `reject`, and the questions `explain` and `status`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from billstream.cli.options import (
    AllOfThem,
    As,
    AsOf,
    Clients,
    ContractsFolder,
    Documents,
    DryRun,
    Period,
    Reason,
    Wait,
    Yes,
)
from billstream.cli.session import Session

if TYPE_CHECKING:
    from schemas.period import Period as Span

EntryFiles = Annotated[
    list[Path] | None,
    typer.Option("--entries", "-e", metavar="FILE", help="Read entries from files or folders instead of the broker."),
]
IssueToo = Annotated[bool, typer.Option("--issue", help="Also give the documents their numbers and let them leave.")]
Name = Annotated[
    str, typer.Argument(metavar="ID", help="A document, line or entry; the beginning of its id is enough.")
]


def preview(
    context: typer.Context,
    period: Period,
    client: Clients = None,
    entries: EntryFiles = None,
    contracts: ContractsFolder = None,
    as_of: AsOf = "",
) -> int:
    """Show what the invoices of a period would be now, and change nothing.

    \b
    Examples:
      billstream preview --period 2026-10
      billstream preview --period 2026-10 --as-of 2026-11-03T12:00
      billstream preview --entries exports/ --contracts contracts/ --period 2026-10
    """
    from billstream.cli import render
    from billstream.cli.output import answer
    from billstream.cli.running import exit_of, run_with_desk
    from billstream.previewing import preview as preview_now

    session: Session = context.obj
    month = span(period)
    if not entries:
        return run_with_desk(session, lambda desk: preview_now(desk, client or [], month), render.preview, as_of=as_of)
    not_of_files(as_of)
    from billstream.file_preview import preview_files

    result = preview_files(session, entries, contracts, client or [], month)
    answer(session, result, lambda screen: render.preview(screen, result))
    return int(exit_of(result))


def close(
    context: typer.Context,
    period: Period,
    client: Clients = None,
    reason: Reason = "close of the period",
    person: As = "",
    wait: Wait = 120,
    dry_run: DryRun = False,
) -> int:
    """Draft the invoices of a period for good, as of now; a draft can be redrafted until it is approved.

    \b
    Examples:
      billstream close --period 2026-10
      billstream close --period 2026-10 --client northwind --dry-run
    """
    from billstream.cli import render
    from billstream.cli.running import run_with_desk
    from billstream.closing import Order
    from billstream.closing import close as close_now
    from billstream.previewing import preview as preview_now

    session: Session = context.obj
    month = span(period)
    if dry_run:
        return run_with_desk(session, lambda desk: preview_now(desk, client or [], month), render.preview)
    order = Order(person, reason, wait)
    return run_with_desk(session, lambda desk: close_now(desk, client or [], month, order), render.documents)


def approve(
    context: typer.Context,
    document: Documents = None,
    every: AllOfThem = False,
    issue: IssueToo = False,
    yes: Yes = False,
    reason: Reason = "approved",
    person: As = "",
    wait: Wait = 60,
) -> int:
    """Approve drafts: exactly the revision and content that are there now.

    \b
    Examples:
      billstream approve 4c1f09 --issue
      billstream approve --all --yes --reason "checked with Dana"
    """
    from billstream.cli import render
    from billstream.cli.output import confirm
    from billstream.cli.running import run_with_desk
    from billstream.closing import Order
    from billstream.closing import approve as approve_now

    named = named_or_all(document, every=every)
    if every:
        confirm(context.obj, "Approve every draft of the book?", yes=yes)
    order = Order(person, reason, wait)
    return run_with_desk(context.obj, lambda desk: approve_now(desk, named, order, issue_too=issue), render.documents)


def issue(
    context: typer.Context,
    document: Documents = None,
    every: AllOfThem = False,
    yes: Yes = False,
    reason: Reason = "issued",
    person: As = "",
    wait: Wait = 60,
) -> int:
    """Give approved documents their numbers and let them leave.

    \b
    Example:
      billstream issue 4c1f09
    """
    from billstream.cli import render
    from billstream.cli.output import confirm
    from billstream.cli.running import run_with_desk
    from billstream.closing import Order
    from billstream.closing import issue as issue_now

    named = named_or_all(document, every=every)
    if every:
        confirm(context.obj, "Issue every approved document of the book?", yes=yes)
    return run_with_desk(
        context.obj, lambda desk: issue_now(desk, named, Order(person, reason, wait)), render.documents
    )


def reject(context: typer.Context, document: Documents, reason: Reason, person: As = "", wait: Wait = 60) -> int:
    """Send drafts back with a comment; their time is unbilled again.

    \b
    Example:
      billstream reject 4c1f09 --reason "travel belongs to the other project"
    """
    from billstream.cli import render
    from billstream.cli.running import run_with_desk
    from billstream.closing import Order
    from billstream.closing import reject as reject_now

    named = named_or_all(document, every=False)
    return run_with_desk(
        context.obj, lambda desk: reject_now(desk, named, Order(person, reason, wait)), render.documents
    )


def explain(
    context: typer.Context,
    name: Name,
    entries: EntryFiles = None,
    contracts: ContractsFolder = None,
    as_of: AsOf = "",
) -> int:
    """Say why: the story of a document, one of its lines, or an entry that is on none.

    \b
    Examples:
      billstream explain 9f3a1c
      billstream explain 9f3a1c --entries exports/ --contracts contracts/
    """
    from billstream.cli import render
    from billstream.cli.output import answer
    from billstream.cli.running import run_with_desk
    from billstream.explaining import explain as explain_now
    from billstream.explaining import explain_files

    session: Session = context.obj
    if not entries:
        return run_with_desk(session, lambda desk: explain_now(desk, name), render.explain, as_of=as_of)
    not_of_files(as_of)
    result = explain_files(session, name, entries, contracts)
    answer(session, result, lambda screen: render.explain(screen, result))
    return 0


def status(context: typer.Context, as_of: AsOf = "") -> int:
    """Show how the book stands: entries, what is held, caps, documents, what is waited for.

    \b
    Example:
      billstream status --json
    """
    from billstream.cli import render
    from billstream.cli.running import run_with_desk
    from billstream.reporting import status as status_now

    return run_with_desk(context.obj, lambda desk: status_now(desk, desk.broker), render.status, as_of=as_of)


def span(text: str) -> "Span":
    """The period of an option; a wrong one is a usage error that names the accepted forms."""
    from billstream.cli.exits import Exit
    from billstream.cli.failure import CommandFailed
    from schemas.period import parse_period

    try:
        return parse_period(text)
    except ValueError as error:
        raise CommandFailed("period_invalid", str(error), "", Exit.USAGE) from None


def not_of_files(as_of: str) -> None:
    """Files have no past: --as-of beside --entries is a usage error."""
    from billstream.cli.exits import Exit
    from billstream.cli.failure import CommandFailed

    if as_of:
        raise CommandFailed("usage", "Files have no past.", "Leave --as-of or --entries out.", Exit.USAGE)


def named_or_all(named: list[str] | None, *, every: bool) -> list[str]:
    """The named documents, or none when all are meant; neither or both is a usage error."""
    from billstream.cli.exits import Exit
    from billstream.cli.failure import CommandFailed

    if bool(named) == every:
        raise CommandFailed("usage", "Name documents, or use --all.", "`billstream status` lists them.", Exit.USAGE)
    return named or []
