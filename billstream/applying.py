"""Brings directory, contracts and exchange rates into a book: only what the book does not have yet."""

from datetime import datetime
from decimal import Decimal
from pathlib import Path

from billstream.cli.exits import Exit
from billstream.cli.failure import CommandFailed
from billstream.cli.results import ContractsResult
from billstream.configuration.load import Configuration, Document, document_of
from billstream.exchange_rates import exchange_rate_record, read_exchange_rates
from billstream.gateway import Desk, Order
from billstream.project import envelope, now, open_configuration, speaker
from billstream.settings import Installation
from billstream.summaries import contracts_summary
from books.book import key_of
from books.catalog import DIRECTORY
from books.rows import RateRow, RevisionRow
from schemas.canonical import deterministic_id
from schemas.contract import ContractDocument
from schemas.inputs import ContractRevision, DirectoryRevision, ExchangeRate


async def apply_configuration(
    desk: Desk, folder: Path | None, person: str, reason: str, *, dry_run: bool, wait_seconds: int = 60
) -> ContractsResult:
    """Publish what the book lacks and wait until it is in force; with `dry_run` only say what it would be."""
    installation = desk.installation
    configuration = open_configuration(installation, folder)
    rates = read_exchange_rates(installation.path(installation.settings.exchange_rates), installation.folder)
    await desk.catch_up()
    at = now()
    who = speaker(installation, person)
    orders = configuration_orders(desk, configuration, at, who, reason)
    records = [exchange_rate_record(installation, rate, at) for rate in rates]
    orders += [record for record in records if not _has_rate(desk, record)]
    in_force = not orders
    if orders and not dry_run:
        await desk.publish_orders(orders)
        in_force = await desk.until(lambda: all(_in_force(desk, order) for order in orders), wait_seconds)
    lacking = {order.contract_id for order in orders if isinstance(order, ContractRevision)}
    return contracts_summary(
        configuration, len(rates), len(orders), frozenset(lacking), dry_run=dry_run, in_force=in_force
    )


def configuration_orders(
    desk: Desk, configuration: Configuration, at: datetime, person: str, reason: str
) -> list[Order]:
    """The revisions of directory and contracts that a book does not have."""
    orders: list[Order] = [*_directory_order(desk, configuration, at, person, reason)]
    for one in configuration.contracts:
        _refuse_another_currency(desk, one.contract)
        orders += _contract_order(desk, one.contract, at, person, reason)
    return orders


def _refuse_another_currency(desk: Desk, contract: ContractDocument) -> None:
    """What is billed in one currency cannot be corrected in another: the fold would refuse it too, but later."""
    before = desk.catalog.agreements.get(contract.id)
    if before is None or contract.id not in desk.catalog.settled_until:
        return
    if before.document.currency != contract.currency:
        raise CommandFailed(
            "currency_changed",
            f"Contract {contract.id} is billed in {before.document.currency}; it cannot become {contract.currency}.",
            "End it with `to:` and begin another contract in the new currency.",
            Exit.REFUSED,
        )


def _directory_order(
    desk: Desk, configuration: Configuration, at: datetime, person: str, reason: str
) -> list[DirectoryRevision]:
    document = document_of(configuration.directory)
    if not _is_new(desk, DIRECTORY, document):
        return []
    event = _event_id(desk.installation, DIRECTORY, document, at)
    return [
        DirectoryRevision(
            envelope=envelope(desk.installation, event, at),
            revision_hash=document.revision_hash,
            document=document.text,
            person=person,
            reason=reason,
        )
    ]


def _contract_order(
    desk: Desk, contract: ContractDocument, at: datetime, person: str, reason: str
) -> list[ContractRevision]:
    document = document_of(contract)
    if not _is_new(desk, contract.id, document):
        return []
    event = _event_id(desk.installation, contract.id, document, at)
    return [
        ContractRevision(
            envelope=envelope(desk.installation, event, at),
            contract_id=contract.id,
            client_id=contract.client,
            revision_hash=document.revision_hash,
            document=document.text,
            person=person,
            reason=reason,
        )
    ]


def _in_force(desk: Desk, order: Order) -> bool:
    match order:
        case DirectoryRevision():
            key, revision = DIRECTORY, order.revision_hash
        case ContractRevision():
            key, revision = order.contract_id, order.revision_hash
        case ExchangeRate():
            return _has_rate(desk, order)
        case _:
            raise AssertionError(f"{order.schema_name} is no configuration")
    row = desk.book.get(RevisionRow, key)
    return row is not None and row.revision_hash == revision


def _is_new(desk: Desk, key: str, document: Document) -> bool:
    row = desk.book.get(RevisionRow, key)
    return row is None or row.revision_hash != document.revision_hash


def _event_id(installation: Installation, key: str, document: Document, at: datetime) -> str:
    """An old revision may come back later, so the time is part of the id."""
    settings = installation.settings
    named = {"tenant": settings.tenant, "book": settings.book, "key": key, "revision": document.revision_hash, "at": at}
    return deterministic_id("revision", named)


def _has_rate(desk: Desk, record: ExchangeRate) -> bool:
    row = desk.book.get(RateRow, key_of(record.base, record.quote, record.on.isoformat()))
    return row is not None and Decimal(row.rate) == record.rate
