"""The tree of commands. Only signatures are imported here; `billstream --help` must stay below 300 ms."""

from typing import Annotated

import typer

from billstream.cli.commands.contracts import contracts
from billstream.cli.commands.dead_letters import dead_letters
from billstream.cli.commands.documents import approve, close, explain, issue, preview, reject, status
from billstream.cli.commands.entries import entries
from billstream.cli.commands.history import documents, reopen, void
from billstream.cli.commands.importing import import_files
from billstream.cli.commands.keeping import backup, rebuild, replay, restore
from billstream.cli.commands.payments import payment
from billstream.cli.commands.programs import connect, demo, up, worker
from billstream.cli.commands.proofs import verify, what_if
from billstream.cli.commands.setting_up import doctor, init
from billstream.cli.commands.simulating import sim
from billstream.cli.session import FLAGS, PROJECT

EXAMPLES = """Turns tracked time into correct draft invoices, continuously.

\b
Examples:
  billstream demo                          see it work, from nothing
  billstream init                          begin your own project, from your exports
  billstream doctor                        find out what is wrong with it
  billstream import toggl.csv --dry-run    what would be understood of an export
  billstream preview --period 2026-10      what the invoices would be now
  billstream close --period 2026-10        draft them
  billstream explain 9f3a1c                why this amount
"""
EVERYWHERE = "Every command also takes " + ", ".join(FLAGS) + f" and {PROJECT} DIR, at any place."

application = typer.Typer(
    name="billstream",
    help=EXAMPLES,
    epilog=EVERYWHERE,
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"billstream {version('billstream')}")
        raise typer.Exit


@application.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """The shared options are taken out before this runs; see `billstream.cli.session`."""


for _command, _name in (
    (demo, "demo"),
    (init, "init"),
    (doctor, "doctor"),
    (up, "up"),
    (worker, "worker"),
    (connect, "connect"),
    (import_files, "import"),
    (preview, "preview"),
    (close, "close"),
    (approve, "approve"),
    (issue, "issue"),
    (reject, "reject"),
    (reopen, "reopen"),
    (void, "void"),
    (documents, "documents"),
    (payment, "payment"),
    (explain, "explain"),
    (status, "status"),
    (verify, "verify"),
    (what_if, "what-if"),
    (sim, "sim"),
    (rebuild, "rebuild"),
    (replay, "replay"),
    (backup, "backup"),
    (restore, "restore"),
):
    application.command(_name, epilog=EVERYWHERE)(_command)
application.add_typer(contracts, name="contracts")
application.add_typer(entries, name="entries")
application.add_typer(dead_letters, name="dead-letters")
