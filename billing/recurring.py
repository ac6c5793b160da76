"""Recurring fees: one amount for each calendar span that the fee covers, prorated where the contract says so."""

from collections.abc import Iterator
from datetime import date, timedelta
from fractions import Fraction

from billing.agreed import AgreedPart, lump
from billing.contract import Contract
from billing.exact import shown
from billing.spans import share_of, span_text, spans_between
from schemas.charges import BilledAt, RecurringFee
from schemas.draft import LineKind
from schemas.engagement import Prorate
from schemas.period import Period


def recurring_fees(contract: Contract, first: date, end: date) -> list[AgreedPart]:
    """The fees of all spans that are billed on a date `[first, end)`."""
    by_id: dict[str, list[RecurringFee]] = {}
    for row in sorted(contract.document.recurring_fees, key=lambda row: row.date_from or date.min):
        by_id.setdefault(row.id, []).append(row)
    return [part for rows in by_id.values() for part in _fee(contract, rows, first, end)]


def _fee(contract: Contract, rows: list[RecurringFee], first: date, end: date) -> Iterator[AgreedPart]:
    """The parts of one fee. Rows of an id that change how often or when it is billed follow each other."""
    for row in rows:
        for span in spans_between(row.every, first, end):
            covered = [(one, bounds) for one in rows if (bounds := _covered(contract, one, span)) is not None]
            if row not in [one for one, _ in covered]:
                continue
            starts, ends = covered[0][1][0], covered[-1][1][1]
            billed_on = starts if row.billed_at is BilledAt.START else ends - timedelta(days=1)
            if not first <= billed_on < end:
                continue
            prorate = contract.document.prorate if row.prorate is None else row.prorate
            if prorate is Prorate.NONE and row is not covered[0][0]:
                continue
            own_start, own_end = next(bounds for one, bounds in covered if one is row)
            yield _part(contract, row, span, billed_on, own_start, own_end)


def _covered(contract: Contract, row: RecurringFee, span: Period) -> tuple[date, date] | None:
    """The dates of a span on which a row and the contract are valid."""
    document = contract.document
    start = max(span.start, row.date_from or span.start, document.date_from or span.start)
    end = min(span.end, row.date_to or span.end, document.date_to or span.end)
    return (start, end) if start < end else None


def _part(contract: Contract, row: RecurringFee, span: Period, billed_on: date, start: date, end: date) -> AgreedPart:
    prorate = contract.document.prorate if row.prorate is None else row.prorate
    share = share_of(contract, prorate, span, start, end)
    amount = Fraction(row.amount) * share.covered / share.days
    named = span_text(row.every, span)
    text = f"{row.title}, {named}"
    steps: tuple[str, ...] = ()
    if not share.is_whole:
        text += f" ({share.covered} of {share.days} {share.what})"
        price = shown(amount, contract.places)
        steps = (f"{row.amount:f} x {share.covered} / {share.days} {share.what} = {price:f} {contract.currency}",)
    return AgreedPart(
        LineKind.RECURRING_FEE,
        row.id,
        f"{named} {start.isoformat()}",
        billed_on,
        text,
        amount,
        *lump(contract, amount),
        origin=f"recurring fee {row.id} {row.span_text}: {row.amount:f} per {row.every.value}",
        steps=steps,
        service_item=row.service_item,
        project_id=row.project,
    )
