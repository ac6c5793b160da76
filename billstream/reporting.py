"""How a book stands: entries, what is held and why, caps, documents, what is still waited for."""

from collections import defaultdict
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

from billing.forecast import shown_as
from billstream.cli.results import BucketItem, CapItem, ForecastItem, HeldItem, HeldResult, StatusResult
from billstream.dead_letters.asking import open_by_reason
from billstream.dead_letters.port import LetterDesk
from billstream.gateway import Desk
from billstream.showing import document_item
from books.book import Book
from books.catalog import Catalog
from books.duplicates import UNASSIGNED
from books.entries import holds_of
from books.forecasting import outlooks
from books.resolving import instant_of
from books.rows import CapRow, ClockRow, CloseRow, DocumentRow, EntryRow, OpenWorkRow
from books.versions import is_deleted
from schemas.entry import EntryKind

NO_CLIENT = "client_unknown"
NO_CONTRACT = "contract_missing"
_NEVER_DECIDED = frozenset({EntryKind.MILESTONE.value, EntryKind.USAGE.value})
"""Kinds that say by themselves what they are; their clause takes them."""
_FIXES = {
    NO_CLIENT: "billstream entries assign {id} --client CLIENT",
    NO_CONTRACT: "write a contract for this client and date, then `billstream contracts apply`",
    "person_unknown": "billstream entries assign {id} --person PERSON, or add the name to the directory",
    "possible_duplicate": "billstream entries release {id} possible_duplicate, or entries write-off {id}",
    "deletion_proposed": "billstream entries delete {id}, or entries release {id} deletion_proposed",
    "conflicting_version": "billstream entries release {id} conflicting_version",
    "held_by_person": "billstream entries release {id} held_by_person",
    "date_missing": "give it a date at its source and import again",
    "running": "stop the timer at its source and import again",
    "undecided": "billstream entries correct {id} --category billable",
}


async def status(desk: Desk, broker: str) -> StatusResult:
    """The book as of the journal's present end."""
    await desk.catch_up()
    letters = await open_by_reason(desk) if isinstance(desk, LetterDesk) else ()
    book = desk.book
    settings = desk.installation.settings
    current = [row for _, row in book.scan(EntryRow) if not is_deleted(row)]
    clock = book.get(ClockRow, "clock")
    return StatusResult(
        tenant=settings.tenant,
        book=settings.book,
        broker=broker,
        journal_offset=desk.next_offset,
        clock=None if clock is None else instant_of(clock.at_micros),
        entries=len(current),
        worked_seconds=sum(row.worked_seconds for row in current if row.kind == EntryKind.TIME.value),
        held=held_totals(book),
        caps=cap_items(book, desk.catalog),
        forecasts=() if clock is None else forecast_items(book, desk.catalog, instant_of(clock.at_micros)),
        documents=tuple(document_item(desk, row) for _, row in book.scan(DocumentRow)),
        open_work=sum(1 for _ in book.scan(OpenWorkRow)),
        waiting_closes=sum(1 for _ in book.scan(CloseRow)),
        dead_letters=sum(one.letters for one in letters),
        dead_letters_by_reason=letters,
    )


def held_totals(book: Book) -> tuple[BucketItem, ...]:
    """Held time by reason; an entry counts under its first reason."""
    seconds: defaultdict[str, int] = defaultdict(int)
    entries: defaultdict[str, int] = defaultdict(int)
    for _, row in book.scan(EntryRow):
        if reason := held_reason(row):
            seconds[reason] += row.worked_seconds
            entries[reason] += 1
    return tuple(
        BucketItem(bucket="held", reason=reason, seconds=seconds[reason], entries=entries[reason])
        for reason in sorted(seconds)
    )


def held_reason(row: EntryRow) -> str:
    """Why an entry is kept off invoices by its row alone; empty when it is not."""
    if is_deleted(row):
        return ""
    if row.client_id in ("", UNASSIGNED):
        return NO_CLIENT
    if not row.contract_id:
        return NO_CONTRACT
    holds = holds_of(row)
    if holds:
        return holds[0].reason
    if row.decision or row.person_decision or row.kind in _NEVER_DECIDED:
        return ""
    return "undecided"


async def held(desk: Desk) -> HeldResult:
    """Every held entry with its reason and the command that settles it."""
    await desk.catch_up()
    return HeldResult(entries=held_items(desk))


def held_items(desk: Desk) -> tuple[HeldItem, ...]:
    """The held entries, by reason and day."""
    found = []
    for _, row in desk.book.scan(EntryRow):
        if reason := held_reason(row):
            found.append(
                HeldItem(
                    entry_id=row.entry_id,
                    reason=reason,
                    client=row.client_ref if row.client_id in ("", UNASSIGNED) else row.client_id,
                    person=row.person_id or row.person_ref,
                    work_date=row.local_date or row.work_date,
                    seconds=row.worked_seconds,
                    description=row.description,
                    fix=fix_of(reason, row.entry_id),
                )
            )
    return tuple(sorted(found, key=lambda one: (one.reason, one.work_date, one.entry_id)))


def fix_of(reason: str, entry_id: str) -> str:
    """The command or the change that settles why an entry is held."""
    return _FIXES.get(reason, "billstream entries release {id} " + reason).format(id=entry_id[:12])


def cap_items(book: Book, catalog: Catalog) -> tuple[CapItem, ...]:
    """Cap windows with their use, the fullest first."""
    found = []
    for key, row in book.scan(CapRow):
        contract, cap, pool, window = key.split("\x1f")
        agreement = catalog.agreements.get(contract)
        limits = [] if agreement is None else [one for one in agreement.document.caps if one.id == cap]
        if not limits:
            continue
        limit = int(limits[-1].hours * 3600)
        percent = (
            (Decimal(100 * row.used_seconds) / limit).quantize(Decimal("0.1"), ROUND_HALF_UP) if limit else Decimal(0)
        )
        found.append(
            CapItem(
                contract=contract,
                cap=cap,
                pool=pool,
                window=window,
                used_seconds=row.used_seconds,
                limit_seconds=limit,
                percent=percent,
            )
        )
    return tuple(sorted(found, key=lambda one: (-one.percent, one.contract, one.window, one.pool)))


def forecast_items(book: Book, catalog: Catalog, at: datetime) -> tuple[ForecastItem, ...]:
    """Forecasts of what holds at an instant: what ends first comes first, what lasts comes last."""
    found = [
        ForecastItem(
            contract=one.agreement.contract_id,
            limit_id=one.limit_id,
            pool=one.pool,
            window=one.window,
            unit=one.currency or "hours",
            used=shown_as(one.forecast.used, one.currency),
            limit=shown_as(one.forecast.limit, one.currency),
            pace=shown_as(one.forecast.pace, one.currency),
            expected=None if one.forecast.expected is None else shown_as(one.forecast.expected, one.currency),
            crosses_on=one.forecast.crosses_on,
            text=one.text,
        )
        for one in outlooks(book, catalog, at)
    ]
    return tuple(sorted(found, key=lambda one: (one.crosses_on or date.max, one.contract, one.limit_id, one.pool)))
