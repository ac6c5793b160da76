"""`contracts`: check the files, show them, bring them into the book."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from billstream.cli.options import As, ContractId, ContractsFolder, DryRun, Reason
from billstream.cli.session import Session

contracts = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Check, show and apply directory and contracts."
)

SchemaKind = Annotated[
    Literal["contract", "directory", "settings"] | None, typer.Argument(metavar="[KIND]", help="Of which file.")
]
SchemaFolder = Annotated[
    Path | None, typer.Option("--folder", metavar="DIR", help="Write all schemas into this folder of the project.")
]


@contracts.command("check")
def check(context: typer.Context, folder: ContractsFolder = None) -> int:
    """Read directory and contracts and say what is wrong with them, with file and line.

    \b
    Example:
      billstream contracts check
    """
    from billstream.cli import render
    from billstream.cli.output import answer
    from billstream.exchange_rates import read_exchange_rates
    from billstream.project import open_configuration, open_project
    from billstream.summaries import contracts_summary

    session: Session = context.obj
    installation = open_project(session.project, session.environment)
    configuration = open_configuration(installation, folder)
    rates = read_exchange_rates(installation.path(installation.settings.exchange_rates), installation.folder)
    result = contracts_summary(configuration, len(rates))
    answer(session, result, lambda screen: render.contracts(screen, result))
    return 0


@contracts.command("show")
def show(context: typer.Context, contract: ContractId) -> int:
    """Print a contract as it would be applied: one JSON document with every default written out.

    \b
    Example:
      billstream contracts show northwind-2026
    """
    import json

    from billstream.cli.exits import Exit
    from billstream.cli.failure import CommandFailed
    from billstream.configuration.load import document_of
    from billstream.configuration.problems import nearest
    from billstream.project import open_configuration, open_project

    session: Session = context.obj
    configuration = open_configuration(open_project(session.project, session.environment))
    known = {one.contract.id: one.contract for one in configuration.contracts}
    if contract not in known:
        raise CommandFailed(
            "not_found", f"There is no contract '{contract}'.", nearest(contract, known), Exit.NOT_FOUND
        )
    print(json.dumps(json.loads(document_of(known[contract]).text), indent=2, ensure_ascii=False))
    return 0


@contracts.command("schema")
def schema(context: typer.Context, kind: SchemaKind = None, folder: SchemaFolder = None) -> int:
    """Print the JSON Schema of contracts, directory files or settings, or write all three into a folder for an editor.

    \b
    Examples:
      billstream contracts schema contract
      billstream contracts schema --folder schemas
    """
    from billstream.cli.output import answer
    from billstream.cli.results import SchemasResult
    from billstream.configuration.schema import FileKind, schema_text
    from billstream.project import open_project

    session: Session = context.obj
    if folder is None:
        print(schema_text(FileKind(kind or "contract")), end="")
        return 0
    place = folder if folder.is_absolute() else open_project(session.project, session.environment).folder / folder
    place.mkdir(parents=True, exist_ok=True)
    for one in FileKind:
        (place / one.file_name).write_text(schema_text(one), encoding="utf-8")
    result = SchemasResult(files=tuple(str(folder / one.file_name) for one in FileKind))
    line = f"# yaml-language-server: $schema=../{folder.name}/{FileKind.CONTRACT.file_name}"
    answer(session, result, lambda screen: screen.print(f"Written. Begin each contract with\n  {line}", soft_wrap=True))
    return 0


@contracts.command("apply")
def apply(
    context: typer.Context,
    folder: ContractsFolder = None,
    reason: Reason = "contracts apply",
    person: As = "",
    dry_run: DryRun = False,
) -> int:
    """Bring directory, contracts and exchange rates into the book; what the book has already is left out.

    \b
    Example:
      billstream contracts apply --reason "new rates from November" --dry-run
    """
    from billstream.applying import apply_configuration
    from billstream.cli import render
    from billstream.cli.running import run_with_desk

    return run_with_desk(
        context.obj,
        lambda desk: apply_configuration(desk, folder, person, reason, dry_run=dry_run),
        render.contracts,
    )
