"""What if: the same work under another contract, rate card or policy, and what it changes (issue 4, point 6).

Both sides are folded anew, in memory, from the same inputs: entries, decisions, people's orders and exchange rates, of
files or of the book's journal. Only directory and contracts differ, so every difference comes from them.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from billing.differences import Difference, compare
from billing.exact import decimal_of
from billing.invoice import Invoice
from billstream.applying import configuration_orders
from billstream.cli.exits import Exit
from billstream.cli.failure import CommandFailed
from billstream.cli.results import ChangedClient, ChangedLine, ChangedReason, MoneyTotals, WhatIfResult
from billstream.cli.running import collect_seldom
from billstream.cli.session import Session
from billstream.configuration.load import Configuration, ContractFile, load_contracts, load_directory
from billstream.file_preview import desk_of_files, memory_desk
from billstream.gateway import Desk
from billstream.memory_desk import MemoryDesk
from billstream.project import now
from billstream.settings import Installation
from books.catalog import Agreement
from books.preview import preview_invoice
from books.rows import EntryRow
from schemas import commands, inputs
from schemas.draft import DocumentScope
from schemas.entry import EntryVersion
from schemas.money import exponent
from schemas.period import Period
from schemas.values import Record

WHO = "what-if"
_INPUTS = (
    EntryVersion,
    inputs.ImportCompleted,
    inputs.Decision,
    inputs.ExchangeRate,
    inputs.SourceWatermark,
    commands.AssignEntry,
    commands.CorrectEntry,
    commands.HoldEntry,
    commands.ReleaseEntry,
    commands.DeleteEntry,
    commands.WriteOff,
)


@dataclass(frozen=True)
class Instead:
    """What is to count instead: a folder of contracts or one file, a directory folder; None keeps what there is."""

    contracts: Path | None = None
    directory: Path | None = None


async def what_if_on_book(desk: Desk, instead: Instead, clients: Sequence[str], span: Period | None) -> WhatIfResult:
    """Replay the book's journal; nothing of the book is changed."""
    await desk.catch_up()
    records = [record async for batch in desk.journal() for _, record in batch]
    people = desk.catalog.people
    if people is None:
        fix = "Run `billstream contracts apply`, or name files with --entries."
        raise CommandFailed("no_directory", "The book has no directory and no contracts yet.", fix, Exit.NOT_FOUND)
    contracts = tuple(ContractFile(one.contract_id, one.document) for one in desk.catalog.agreements.values())
    return _compared(desk.installation, records, Configuration(people.document, contracts), instead, clients, span)


def what_if_on_files(
    session: Session,
    entries: Sequence[Path],
    base: Path | None,
    instead: Instead,
    clients: Sequence[str],
    span: Period | None,
) -> WhatIfResult:
    """Replay files under the project's contracts (or those of `base`) and under the others."""
    collect_seldom()
    desk, problems = asyncio.run(desk_of_files(session, entries, base))
    people = desk.catalog.people
    assert people is not None, "files are read with a directory"
    contracts = tuple(ContractFile(one.contract_id, one.document) for one in desk.catalog.agreements.values())
    configuration = Configuration(people.document, contracts)
    result = _compared(desk.installation, desk.records, configuration, instead, clients, span)
    return result.model_copy(update={"problems": problems})


def _compared(
    installation: Installation,
    records: Iterable[Record],
    configuration: Configuration,
    instead: Instead,
    clients: Sequence[str],
    span: Period | None,
) -> WhatIfResult:
    kept = _inputs_of(records)
    at = now()
    one = _replayed(installation, kept, configuration, at)
    other = _replayed(installation, kept, other_configuration(installation, configuration, instead), at)
    wanted = span or _span_of(one)
    if wanted is None:
        raise CommandFailed("nothing_to_do", "There are no entries to bill.", "", Exit.NOT_FOUND)
    before, after = _invoices(one, wanted), _invoices(other, wanted)
    keys = sorted(key for key in {*before, *after} if not clients or key[0] in clients)
    return WhatIfResult(
        period=wanted.text,
        entries=sum(1 for _ in one.book.scan(EntryRow)),
        clients=tuple(_client(key, before.get(key, []), after.get(key, [])) for key in keys),
    )


def other_configuration(installation: Installation, configuration: Configuration, instead: Instead) -> Configuration:
    """The configuration with what is to count instead: a file replaces the contract of its id, a folder all of them."""
    people = configuration.directory
    if instead.directory is not None:
        people = load_directory(instead.directory.resolve(), installation.folder)
    if instead.contracts is None:
        return Configuration(people, configuration.contracts)
    path = instead.contracts.resolve()
    read = load_contracts(path, installation.folder, people)
    if path.is_dir():
        return Configuration(people, read)
    named = {one.contract.id for one in read}
    return Configuration(people, (*(one for one in configuration.contracts if one.contract.id not in named), *read))


def _inputs_of(records: Iterable[Record]) -> list[Record]:
    """The inputs of a journal in order, and the last tick; no closes, no documents, no contracts."""
    kept: list[Record] = []
    tick: inputs.ClockTick | None = None
    for record in records:
        if isinstance(record, inputs.ClockTick):
            tick = record
        elif isinstance(record, _INPUTS):
            kept.append(record)
    return kept if tick is None else [tick, *kept]


def _replayed(
    installation: Installation, records: Sequence[Record], configuration: Configuration, at: datetime
) -> MemoryDesk:
    desk = memory_desk(installation)
    desk.append(configuration_orders(desk, configuration, at, WHO, WHO))
    desk.append(records)
    return desk


def _span_of(desk: MemoryDesk) -> Period | None:
    """Whole billing periods from the first to the last work date."""
    days = [date.fromisoformat(row.local_date) for _, row in desk.book.scan(EntryRow) if row.local_date]
    if not days:
        return None
    periods = [
        one.compiled.period_of(day) for one in desk.catalog.agreements.values() for day in (min(days), max(days))
    ]
    return Period(
        start=min([min(days), *(one.start for one in periods)]), end=max([max(days), *(one.end for one in periods)])
    )


def _invoices(desk: MemoryDesk, span: Period) -> dict[tuple[str, str], list[Invoice]]:
    """The invoices of every billing period of the span, by client and currency; empty ones are left out."""
    found: dict[tuple[str, str], list[Invoice]] = {}
    catalog = desk.catalog
    for _, agreement in sorted(catalog.agreements.items()):
        for period in _periods(agreement, span):
            scope = DocumentScope(
                client_id=agreement.client_id,
                contract_id=agreement.contract_id,
                date_from=period.start,
                date_to=period.end,
            )
            invoice = preview_invoice(desk.book, catalog, scope)
            if invoice is not None and (invoice.lines or invoice.worked_seconds):
                found.setdefault((agreement.client_id, agreement.compiled.currency), []).append(invoice)
    return found


def _periods(agreement: Agreement, span: Period) -> list[Period]:
    """The contract's billing periods in a span, cut at its ends."""
    document = agreement.document
    start = max(span.start, document.date_from or span.start)
    end = min(span.end, document.date_to or span.end)
    found: list[Period] = []
    day = start
    while day < end:
        period = agreement.compiled.period_of(day)
        found.append(Period(start=max(period.start, span.start), end=min(period.end, span.end)))
        day = period.end
    return found


def _client(key: tuple[str, str], before: Sequence[Invoice], after: Sequence[Invoice]) -> ChangedClient:
    client, currency = key
    places = exponent(currency)
    found = compare(before, after)
    return ChangedClient(
        client=client,
        before=_totals(found.before_net_units, found.before_tax_units, currency),
        after=_totals(found.after_net_units, found.after_tax_units, currency),
        difference=decimal_of(found.after_net_units - found.before_net_units, places),
        lines=_lines(found, places),
        reasons=tuple(
            ChangedReason(
                reason=one.reason, amount=decimal_of(one.units, places), seconds=one.seconds, entries=one.entries
            )
            for one in found.reasons
        ),
    )


def _totals(net_units: int, tax_units: int, currency: str) -> MoneyTotals:
    places = exponent(currency)
    return MoneyTotals(
        net=decimal_of(net_units, places),
        tax=decimal_of(tax_units, places),
        gross=decimal_of(net_units + tax_units, places),
        currency=currency,
    )


def _lines(found: Difference, places: int) -> tuple[ChangedLine, ...]:
    return tuple(
        ChangedLine(
            kind=one.kind.value,
            text=one.text,
            before=decimal_of(one.before_units, places),
            after=decimal_of(one.after_units, places),
            difference=decimal_of(one.after_units - one.before_units, places),
            before_seconds=one.before_seconds,
            after_seconds=one.after_seconds,
            reasons=one.reasons,
        )
        for one in found.lines
    )
