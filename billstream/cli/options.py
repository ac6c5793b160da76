"""Options that several commands share, so that they are called the same everywhere."""

from pathlib import Path
from typing import Annotated

import typer

Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it is kept in the journal.")]
As = Annotated[str, typer.Option("--as", metavar="NAME", help="Who gives the command; else `person` of the settings.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would happen and change nothing.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Answer every question with yes.")]
Period = Annotated[
    str, typer.Option("--period", "-p", metavar="PERIOD", help="2026-10, 2026-W42 or 2026-10-01..2026-11-01.")
]
Clients = Annotated[
    list[str] | None, typer.Option("--client", "-c", metavar="ID", help="A client; may be given several times.")
]
Wait = Annotated[
    int, typer.Option("--wait", metavar="SECONDS", min=1, max=3600, help="How long to wait for the answer.")
]
AsOf = Annotated[
    str,
    typer.Option(
        "--as-of", metavar="WHEN", help="As it was then: a journal offset or an instant, see `billstream replay`."
    ),
]
ContractsFolder = Annotated[
    Path | None, typer.Option("--contracts", metavar="DIR", help="Folder of contracts instead of the settings'.")
]
ContractId = Annotated[str, typer.Argument(metavar="CONTRACT", help="Id of a contract.")]
Documents = Annotated[
    list[str] | None,
    typer.Argument(metavar="[DOCUMENT]...", help="Ids or numbers of documents; the beginning of an id is enough."),
]
Entries = Annotated[list[str], typer.Argument(metavar="ENTRY...", help="Ids of entries; the beginning is enough.")]
AllOfThem = Annotated[bool, typer.Option("--all", help="All that are in the right state.")]
