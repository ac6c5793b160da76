"""What retainers and blocks grant and cost: hours and fees of each period, sales, and the settlement at their end.

The fee of a retainer's period is on the invoice of the first day that the contract covers of it (BD-35, BD-41).
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from billing.agreed import AgreedPart, lump
from billing.balances import Account
from billing.contract import Contract
from billing.engagements import BURN_UNITS, Engagement, credit_rate, last_day_of
from billing.exact import exact_or_shown, shown
from billing.results import Note
from billing.spans import Share, share_of
from schemas.draft import LineKind
from schemas.engagement import PrepaidBlock, Retainer
from schemas.period import Period, week_key


class Grant(NamedTuple):
    """Hours that become usable on a day, up to and including the last one; `units` are balance units.

    `since` is how old they are when balances are put in order: a block counts from its purchase (BD-36, BD-77).
    """

    engagement: Engagement
    row: Retainer | PrepaidBlock
    day: date
    last_day: date
    units: int
    span: Period | None
    share: Share
    since: date


_WHOLE = Share(1, 1, "")


def grants_of(contract: Contract, since: date, end: date) -> list[Grant]:
    """All grants whose hours begin before `end` and whose period ends after `since`, by date."""
    found: list[Grant] = []
    for engagement in contract.engagements:
        block = engagement.block
        if block is None:
            found += _retainer_grants(contract, engagement, since, end)
        elif engagement.start < end:
            last_day = block.expires or date.max
            units = int(block.hours * 3600) * BURN_UNITS
            found.append(Grant(engagement, block, engagement.start, last_day, units, None, _WHOLE, block.purchased))
    return sorted(found, key=lambda grant: grant.day)


def _retainer_grants(contract: Contract, engagement: Engagement, since: date, end: date) -> Iterator[Grant]:
    last = min(end, engagement.end or end)
    span = engagement.period_of(max(since, engagement.start))
    while (day := max(span.start, engagement.start)) < last:
        row = engagement.row_on(day)
        if isinstance(row, Retainer):
            stop = min(one for one in (span.end, engagement.end, row.date_to) if one is not None)
            share = share_of(contract, contract.document.prorate, span, day, stop)
            seconds = _half_up(Fraction(row.hours) * 3600 * share.covered / share.days)
            if seconds:
                last_day, units = last_day_of(engagement, row, span), seconds * BURN_UNITS
                yield Grant(engagement, row, day, last_day, units, span, share, day)
        span = engagement.period_of(span.end)


def _half_up(seconds: Fraction) -> int:
    return int((2 * seconds + 1) // 2)


def charges_of(
    contract: Contract, grants: Iterable[Grant], accounts: Sequence[Account], period: Period
) -> list[AgreedPart]:
    """Fees and sales of all grants, then what the period says of each balance: its use, and the end's settlement."""
    parts = [part for grant in grants if (part := _price_of(contract, grant)) is not None]
    for account in accounts:
        parts += _use(contract, account, period)
        parts += _settlement(contract, account)
    return parts


def _price_of(contract: Contract, grant: Grant) -> AgreedPart | None:
    row, engagement = grant.row, grant.engagement
    if isinstance(row, PrepaidBlock):
        if row.sale == "elsewhere" or row.price is None:
            return None
        amount, key, text = Fraction(row.price), "sale", f"{engagement.name}, {hours_of(grant.units)} h"
        origin = f"price of block {row.id}"
    else:
        amount = Fraction(row.fee) * grant.share.covered / grant.share.days
        assert grant.span is not None, "a retainer grants for a period"
        key = _span_text(row, grant.span)
        text = f"{engagement.name}, {key}"
        origin = f"fee of retainer {row.id} {row.span_text}: {row.fee:f} per {row.every} for {row.hours:f} h"
    steps = [f"grants {hours_of(grant.units)} h, usable {_until(grant)}"]
    if not grant.share.is_whole:
        text += f" ({grant.share.covered} of {grant.share.days} {grant.share.what})"
        steps.insert(0, f"prorated: {grant.share.covered} of {grant.share.days} {grant.share.what}")
    return AgreedPart(
        LineKind.RETAINER_FEE,
        engagement.id,
        key,
        grant.day,
        text,
        amount,
        *lump(contract, amount),
        origin=origin,
        steps=tuple(steps),
    )


def _span_text(row: Retainer, span: Period) -> str:
    return f"{span.start:%Y-%m}" if row.every == "month" else week_key(span.start)


def _until(grant: Grant) -> str:
    if grant.last_day < grant.day:
        return f"only until {grant.last_day}"
    return f"from {grant.day}" if grant.last_day == date.max else f"from {grant.day} to {grant.last_day}"


def _use(contract: Contract, account: Account, period: Period) -> list[AgreedPart]:
    """An informational line without amount: the hours that the balance paid for in the period (BD-37)."""
    if not account.used:
        return []
    last_day = period.end - timedelta(days=1)
    engagement = account.engagement
    return [
        AgreedPart(
            LineKind.RETAINER_FEE,
            engagement.id,
            f"use {period.start.isoformat()}",
            last_day,
            f"{engagement.name}: {hours_of(account.used)} h used, {hours_of(account.rolled_out)} h left",
            Fraction(0),
            hours_number(account.used),
            "hour",
            Decimal(0),
            origin=engagement.reason,
            steps=balance_steps(account),
        )
    ]


def balance_steps(account: Account) -> tuple[str, ...]:
    """What moved on a balance, in words and in order; what did not move is not named."""
    steps = [
        (account.deficit_in, "deficit from before, made up for first"),
        (account.rolled_in, "rolled in"),
        (account.granted, "granted"),
        (account.used_rolled_in, "used of what was rolled in"),
        (account.used_granted, "used of what was granted"),
        (account.used_deficit, "used in deficit"),
        (account.beyond, "beyond the balance"),
        (account.lapsed, "lapsed"),
        (account.credited, "credited"),
        (account.rolled_out, "left at the end"),
        (account.deficit_out, "deficit at the end"),
    ]
    return tuple(f"{hours_of(units)} h {what}" for units, what in steps if units)


def _settlement(contract: Contract, account: Account) -> list[AgreedPart]:
    """The end of an engagement: a deficit is billed, a surplus is credited where the contract says so (BD-42)."""
    engagement = account.engagement
    if engagement.end is None:
        return []
    found: list[tuple[str, int, Decimal, Decimal]] = []
    if account.owed_at_end:
        overage_rate = engagement.retainer[-1].overage_rate
        assert overage_rate is not None, "validated with the contract"
        found.append(("deficit at the end", account.owed_at_end, overage_rate, Decimal(1)))
    for index, (row, units) in enumerate(account.credits):
        rate = credit_rate(row)
        assert rate is not None, "only what is credited is here"
        found.append((f"unused hours credited{f' ({index + 1})' if index else ''}", -units, *rate))
    return [
        AgreedPart(
            LineKind.RETAINER_FEE,
            engagement.id,
            what,
            engagement.end - timedelta(days=1),
            f"{engagement.name}: {what}",
            Fraction(rate) / Fraction(hours) * Fraction(units, 3600 * BURN_UNITS),
            hours_number(units),
            "hour",
            shown(Fraction(rate) / Fraction(hours), max(contract.places, 4)) if hours != 1 else rate,
            origin=engagement.reason,
            steps=(f"{hours_of(units)} h x {rate:f}" + (f" / {hours:f}" if hours != 1 else ""),),
        )
        for what, units, rate, hours in found
    ]


def notes_of_balances(accounts: Iterable[Account]) -> list[Note]:
    """What a person should know of the balances: hours that nobody can use any more, and hours that are owed."""
    notes = []
    for account in accounts:
        name = account.engagement.reason
        if account.lapsed:
            notes.append(Note("hours_lapsed", f"{hours_of(account.lapsed)} h of {name} lapse unused."))
        if account.deficit_out and not account.owed_at_end:
            notes.append(Note("hours_owed", f"{name} is overdrawn by {hours_of(account.deficit_out)} h."))
    return notes


def hours_number(units: int) -> Decimal:
    """Balance units as hours, for reading where they do not end."""
    return exact_or_shown(Fraction(units, 3600 * BURN_UNITS), 4)


def hours_of(units: int) -> str:
    """Balance units as hours in words."""
    return f"{hours_number(units):f}"
