"""`init` and `doctor`: begin a project, and find out what is wrong with one."""

from pathlib import Path
from typing import Annotated

import typer

from billstream.cli.options import DryRun
from billstream.cli.session import Session

Folder = Annotated[Path | None, typer.Argument(metavar="[FOLDER]", help="Where the project is; else here.")]
Firm = Annotated[str | None, typer.Option("--firm", metavar="NAME", help="The firm, as it stands on an invoice.")]
Person = Annotated[str | None, typer.Option("--person", metavar="NAME", help="Who gives commands from here.")]
Zone = Annotated[str | None, typer.Option("--zone", metavar="ZONE", help="Time zone such as Europe/Berlin.")]
Currency = Annotated[str | None, typer.Option("--currency", metavar="CODE", help="Currency such as EUR.")]
Language = Annotated[str | None, typer.Option("--locale", metavar="LOCALE", help="Language of invoices: de-DE.")]
Kind = Annotated[str | None, typer.Option("--kind", metavar="KIND", help="agency or legal.")]
Rate = Annotated[str | None, typer.Option("--rate", metavar="AMOUNT", help="What an hour costs; empty: later.")]
Vat = Annotated[str | None, typer.Option("--vat", metavar="PERCENT", help="VAT on top; empty: later.")]
Defaults = Annotated[bool, typer.Option("--yes", "-y", help="Take the default of every question not answered.")]


def init(
    context: typer.Context,
    folder: Folder = None,
    firm: Firm = None,
    person: Person = None,
    zone: Zone = None,
    currency: Currency = None,
    locale: Language = None,
    kind: Kind = None,
    rate: Rate = None,
    vat: Vat = None,
    yes: Defaults = False,
    dry_run: DryRun = False,
) -> int:
    """Begin a project: find exports in the folder, ask what they do not say, write commented files that load.

    A file that is there already is never touched.

    \b
    Examples:
      billstream init
      billstream init studio --firm "Studio Reede" --zone Europe/Berlin --currency EUR --rate 110 --yes
      billstream init --yes --dry-run
    """
    from billstream.beginning.plan import begin
    from billstream.cli.checkup import begun
    from billstream.cli.output import answer

    session: Session = context.obj
    given = {
        "firm": firm,
        "person": person,
        "zone": zone,
        "currency": currency,
        "locale": locale,
        "kind": kind,
        "rate": rate,
        "vat": vat,
    }
    result = begin(session, folder or session.project, given, yes=yes, dry_run=dry_run)
    answer(session, result, lambda screen: begun(screen, result))
    return 0


def doctor(context: typer.Context, folder: Folder = None) -> int:
    """Look at everything a project needs (machine, files, broker, worker), change nothing, say how to mend it.

    \b
    Examples:
      billstream doctor
      billstream doctor --json
    """
    from billstream.cli.checkup import examined
    from billstream.cli.output import answer
    from billstream.cli.running import quiet_libraries
    from billstream.examining.doctor import examine

    session: Session = context.obj
    quiet_libraries(session)
    result, exit_code = examine(session, folder or session.project)
    answer(session, result, lambda screen: examined(screen, result))
    return int(exit_code)
