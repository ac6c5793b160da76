"""Statements beside the bill: money held for the client, hours on account, corrections of earlier documents. Pure."""

from decimal import Decimal

from sinks.pdf.sheet import FILL, Column, Row, SheetTable
from sinks.pdf.tables import Desk

HOUR_SECONDS = 3_600


def statements(desk: Desk) -> tuple[SheetTable, ...]:
    """Those that have something to say."""
    tables = (_corrections(desk), _held_money(desk), _retainers(desk))
    return tuple(table for table in tables if table.rows)


def _held_money(desk: Desk) -> SheetTable:
    """What was on account, what came in, what this document takes, and what is left."""
    words, amount = desk.words, desk.numbers.amount
    is_asked = any(one.requested for one in desk.body.held_money)
    heads = (words.balance_before, words.received, words.applied, words.balance_after)
    columns = (
        Column(words.account, FILL),
        *(Column(head, right=True) for head in heads),
        *((Column(words.requested, right=True),) if is_asked else ()),
    )
    rows = []
    for one in desk.body.held_money:
        figures = (one.balance_before, one.received, -one.applied, one.balance_after)
        asked = (amount(one.requested),) if is_asked else ()
        rows.append(Row((desk.printer.line(one.name or one.held_id), *map(amount, figures), *asked)))
    return SheetTable(f"{words.accounts} ({desk.body.currency})", columns, tuple(rows))


def _retainers(desk: Desk) -> SheetTable:
    """Hours brought forward, added, used, lapsed and carried forward; the row adds up."""
    words = desk.words
    heads = (words.carried_in, words.granted, words.used, words.lapsed, words.carried_out)
    columns = (
        Column(words.account, FILL),
        Column(words.period, 44),
        *(Column(head, right=True) for head in heads),
    )
    rows = []
    for one in desk.body.retainers:
        period = f"{desk.numbers.day(one.date_from)} – {desk.numbers.last_day(one.date_to)}"
        figures = (
            one.rolled_in_seconds - one.deficit_in_seconds,
            one.granted_seconds,
            -(one.used_rolled_in_seconds + one.used_granted_seconds + one.used_deficit_seconds),
            -(one.lapsed_seconds + one.credited_seconds),
            one.rolled_out_seconds - one.deficit_out_seconds,
        )
        name = desk.printer.line(one.name or one.engagement_id)
        rows.append(Row((name, period, *(desk.numbers.hours(_hours(one)) for one in figures))))
    return SheetTable(words.hours_accounts, columns, tuple(rows))


def _hours(seconds: Decimal) -> Decimal:
    return seconds / HOUR_SECONDS


def _corrections(desk: Desk) -> SheetTable:
    """What stood on earlier documents, what a fresh computation gives, and what this document makes of it."""
    words, amount = desk.words, desk.numbers.amount
    columns = (
        Column(words.document, FILL),
        Column(words.period, 44),
        Column(words.as_billed, right=True),
        Column(words.recomputed, right=True),
        Column(words.difference, right=True),
    )
    rows = []
    for one in desk.body.corrections:
        name = desk.printer.line(one.number or one.document_id[:12])
        period = f"{desk.numbers.day(one.date_from)} – {desk.numbers.last_day(one.date_to)}"
        rows.append(Row((name, period, amount(one.standing), amount(one.fresh), amount(one.amount))))
    return SheetTable(f"{words.corrections} ({desk.body.currency})", columns, tuple(rows))
