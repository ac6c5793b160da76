"""Answers about configuration files; needs no book and no broker."""

from billstream.cli.results import AssumptionItem, ContractItem, ContractsResult
from billstream.configuration.load import Configuration, document_of


def contracts_summary(
    configuration: Configuration,
    rates: int = 0,
    published: int = 0,
    lacking: frozenset[str] | None = None,
    *,
    dry_run: bool = False,
    in_force: bool | None = None,
) -> ContractsResult:
    """The answer about a configuration; `lacking` are the contracts whose revision the book did not have."""
    directory = configuration.directory
    return ContractsResult(
        clients=len(directory.clients),
        people=len(directory.people),
        projects=len(directory.projects),
        directory_revision=document_of(directory).revision_hash,
        contracts=tuple(
            ContractItem(
                id=one.contract.id,
                client=one.contract.client,
                project=one.contract.project,
                currency=one.contract.currency,
                date_from=one.contract.date_from,
                date_to=one.contract.date_to,
                file=one.file,
                revision=document_of(one.contract).revision_hash,
                examples=len(one.contract.examples),
                applied=None if lacking is None else one.contract.id not in lacking or not dry_run,
            )
            for one in configuration.contracts
        ),
        assumed=tuple(
            AssumptionItem(file=said.file, line=said.line, text=said.message)
            for one in configuration.contracts
            for said in one.assumed
        ),
        exchange_rates=rates,
        published=published,
        dry_run=dry_run,
        in_force=in_force,
    )
