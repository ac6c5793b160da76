"""From a document to the lines of a LEDES 1998B file. Pure; no amount is computed here, only shown.

Work of people is `F`, one line a person; what was bought is `E`; fees that nobody's time stands behind
(retainers, milestones, minimums and the like) are `IF`; all that takes away is merged into one `IF` and one `IE`,
because a receiver may refuse a second negative one.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import assert_never

from schemas.draft import DraftLine, Finding, LineKind
from schemas.utbms import CLASSIFICATION_OF_ROLE
from sinks.base import DraftToSend, Problem
from sinks.ledes_1998b.fields import INVOICE_NUMBER, INVOICE_TOTAL, LINE_TYPE, LineType
from sinks.ledes_1998b.price import NEAR, Price, price_of
from sinks.ledes_1998b.rows import LedesInvoice, LedesLayout, LedesLine
from sinks.ledes_1998b.settings import PeriodPolicy, Receiver, TaxPolicy
from sinks.ledes_1998b.shares import HOUR_UNIT, Share, shares_of
from sinks.ledes_1998b.text import free_text

DRAFT_ID_CHARACTERS = 8
_WITH_UNITS = frozenset({LineKind.FEE, LineKind.EXPENSE})
POOLS = (LineType.FEE_ADJUSTMENT, LineType.EXPENSE_ADJUSTMENT)


@dataclass(frozen=True, slots=True)
class _Named:
    """A timekeeper as the receiver knows that person."""

    id: str
    name: str
    classification: str


def lay_out(draft: DraftToSend, receiver: Receiver) -> LedesLayout:
    """The file's content for this receiver, with notes on what it cannot carry and problems that forbid to write it."""
    notes = [*_tax_notes(draft, receiver), *_payment_notes(draft)]
    shown: list[LedesLine] = []
    pooled: list[LedesLine] = []
    for line in draft.body.lines:
        if _is_no_charge(line):
            text = f"Line {line.position} has no price and the format shows none without; it was left out."
            notes.append(Finding(code="ledes_line_left_out", text=text))
        elif line.amount < 0:
            pooled.append(_adjustment_line(draft, line, receiver))
        else:
            made, derived = _lines_of(draft, line, receiver)
            shown += made
            notes += derived
    merged, merge_notes = _merge(pooled, receiver)
    lines = tuple(shown) + merged
    return LedesLayout(
        invoice=_invoice(draft, lines, receiver),
        lines=lines,
        notes=tuple(notes + merge_notes),
        problems=tuple(_problems(draft, receiver)),
    )


def _is_no_charge(line: DraftLine) -> bool:
    """Whether a line charges nothing and takes nothing away: no price, no quantity, or a fee without time that is 0."""
    if line.amount != 0:
        return False
    has_no_units = line.kind not in _WITH_UNITS or line.quantity == 0
    return has_no_units or (line.unit_price == 0 and line.adjustment == 0)


def _lines_of(draft: DraftToSend, line: DraftLine, receiver: Receiver) -> tuple[list[LedesLine], list[Finding]]:
    own = partial(_adjustment_line, draft, line, receiver)
    match line.kind:
        case LineKind.FEE:
            shares = shares_of(line, draft.body.currency, receiver.units_decimals_max) if line.seconds else ()
            return _fee_lines(draft, line, shares, receiver) if shares else ([own()], [])
        case LineKind.EXPENSE:
            return [_expense_line(line, receiver)], []
        case LineKind.MARKUP:
            return [_expense_line(line, receiver) if line.expense_code else own()], []
        case LineKind.ADJUSTMENT:
            shares = shares_of(line, draft.body.currency, receiver.units_decimals_max) if _is_more_work(line) else ()
            if not shares or _day_of(draft, line, receiver) != line.date:
                return [own()], []
            return _fee_lines(draft, line, shares, receiver)
        case (
            LineKind.RETAINER_FEE
            | LineKind.FIXED_FEE
            | LineKind.MILESTONE
            | LineKind.RECURRING_FEE
            | LineKind.USAGE_FEE
            | LineKind.MINIMUM_TRUE_UP
            | LineKind.DISCOUNT
            | LineKind.DEPOSIT
            | LineKind.ROUNDING
            | LineKind.UNKNOWN
        ):
            return [own()], []
        case _:
            assert_never(line.kind)


def _fee_lines(
    draft: DraftToSend, line: DraftLine, shares: tuple[Share, ...], receiver: Receiver
) -> tuple[list[LedesLine], list[Finding]]:
    prices = [_share_price(line, share, receiver, is_split=len(shares) > 1) for share in shares]
    lines = []
    for index, (share, price) in enumerate(zip(shares, prices, strict=True)):
        person = _named(draft, line, share.person_id, receiver)
        lines.append(
            LedesLine(
                number=f"{line.position}{_letters(index) if len(shares) > 1 else ''}",
                type=LineType.FEE,
                units=price.units,
                unit_cost=price.unit_cost,
                adjustment=price.adjustment,
                total=share.amount,
                date=line.date,
                description=line.text,
                task_code=line.utbms_task,
                activity_code=line.utbms_activity,
                timekeeper_id=person.id,
                timekeeper_name=person.name,
                timekeeper_classification=person.classification,
            )
        )
    notes = []
    if any(price.is_derived for price in prices):
        text = f"Line {line.position} shows a rate that follows from its amount and hours: no single one was agreed."
        notes.append(Finding(code="ledes_rate_derived", text=text))
    return lines, notes


def _share_price(line: DraftLine, share: Share, receiver: Receiver, *, is_split: bool) -> Price:
    """The line's own rate, but for a share that was rated otherwise: then the rate that its amount and hours say."""
    unit_price = line.unit_price if line.unit == HOUR_UNIT else Decimal(0)
    if is_split and not _is_rated_at(line, share, unit_price):
        unit_price = Decimal(0)
    return price_of(share.hours, unit_price, share.amount, receiver)


def _is_rated_at(line: DraftLine, share: Share, unit_price: Decimal) -> bool:
    """Whether a share has the line's rate: exactly, or reduced (raised) where the whole line was reduced (raised)."""
    difference = share.amount - share.hours * unit_price
    return abs(difference) < NEAR or (abs(line.adjustment) >= NEAR and (difference < 0) == (line.adjustment < 0))


def _expense_line(line: DraftLine, receiver: Receiver) -> LedesLine:
    """Quantity at a price; one piece where no such price was given."""
    has_price = line.unit_price > 0 and line.quantity > 0
    quantity, unit_price = (line.quantity, line.unit_price) if has_price else (Decimal(1), line.amount)
    price = price_of(quantity, unit_price, line.amount, receiver)
    return LedesLine(
        number=str(line.position),
        type=LineType.EXPENSE,
        units=price.units,
        unit_cost=price.unit_cost,
        adjustment=price.adjustment,
        total=line.amount,
        date=line.date,
        description=line.text,
        expense_code=line.expense_code,
    )


def _is_more_work(line: DraftLine) -> bool:
    """Whether a correction bills work beside what was billed, and takes nothing of anybody back."""
    is_time = line.corrected_kind is LineKind.FEE and line.unit == HOUR_UNIT and line.seconds > 0
    return is_time and all(one.worked_seconds + one.delta_seconds > 0 and one.amount > 0 for one in line.sources)


def _day_of(draft: DraftToSend, line: DraftLine, receiver: Receiver) -> date:
    """The date of a line; a correction is made in the period of its document, if the receiver takes no other."""
    if line.kind is not LineKind.ADJUSTMENT or receiver.period is not PeriodPolicy.SCOPE:
        return line.date
    scope = draft.body.scope
    return min(max(line.date, scope.date_from), scope.date_to - timedelta(days=1))


def _adjustment_line(draft: DraftToSend, line: DraftLine, receiver: Receiver) -> LedesLine:
    """The shape the strictest receiver takes: one unit, no unit cost, codes or timekeeper, all in the adjustment."""
    kinds = {line.kind, line.corrected_kind}
    is_fee = not kinds & {LineKind.EXPENSE, LineKind.MARKUP}
    return LedesLine(
        number=str(line.position),
        type=LineType.FEE_ADJUSTMENT if is_fee else LineType.EXPENSE_ADJUSTMENT,
        units=Decimal(1),
        unit_cost=None,
        adjustment=line.amount,
        total=line.amount,
        date=_day_of(draft, line, receiver),
        description=line.text,
    )


def _merge(pooled: list[LedesLine], receiver: Receiver) -> tuple[tuple[LedesLine, ...], list[Finding]]:
    """At most one negative line of each type; a single one keeps its number."""
    merged: list[LedesLine] = []
    notes = []
    for type_ in POOLS:
        lines = [line for line in pooled if line.type is type_]
        if len(lines) > 1:
            total = sum((line.total for line in lines), Decimal(0))
            text = merged_text([line.description for line in lines], receiver)
            day = max(line.date for line in lines)
            lines = [replace(lines[0], number=type_.value, adjustment=total, total=total, date=day, description=text)]
            notes.append(Finding(code="ledes_lines_merged", text=f"All reductions of type {type_.value} are one line."))
        merged += lines
    return tuple(merged), notes


def merged_text(texts: Sequence[str], receiver: Receiver) -> str:
    """The different texts of merged lines, what they begin with said once; their number where they are too long."""
    head, separator, _ = texts[0].partition(": ")
    opening = head + separator
    if not separator or not all(text.startswith(opening) for text in texts):
        opening = ""
    whole = opening + "; ".join(dict.fromkeys(text.removeprefix(opening) for text in texts))
    if len(free_text(whole, receiver.character_set)) <= receiver.narrative_length_max:
        return whole
    return f"{opening}{len(texts)} lines, as the invoice names them"


def _named(draft: DraftToSend, line: DraftLine, person_id: str, receiver: Receiver) -> _Named:
    known = receiver.timekeepers.get(person_id)
    totals = (each for each in draft.body.timekeepers if each.person_id == person_id)
    total = next(totals, None)
    is_line_person = line.person_id == person_id
    name = line.person_name if is_line_person and line.person_name else total.person_name if total else ""
    role = line.role if is_line_person and line.role else total.role if total else ""
    classification = receiver.classifications.get(role) or CLASSIFICATION_OF_ROLE.get(
        role.lower().replace("_", " "), ""
    )
    return _Named(
        id=known.id if known and known.id else person_id,
        name=known.name if known and known.name else surname_first(name),
        classification=known.classification if known and known.classification else classification,
    )


def surname_first(name: str) -> str:
    """`Anna Berg` as `Berg, Anna`: the last word is taken as the surname, unless there is a comma already."""
    words = name.split()
    if "," in name or len(words) < 2:
        return name
    return f"{words[-1]}, {' '.join(words[:-1])}"


def _letters(index: int) -> str:
    """0 is A, 25 is Z, 26 is AA: parts of a line stay alphanumeric and show which line they belong to."""
    letters = ""
    rest = index + 1
    while rest:
        rest, digit = divmod(rest - 1, 26)
        letters = chr(ord("A") + digit) + letters
    return letters


def _invoice(draft: DraftToSend, lines: Iterable[LedesLine], receiver: Receiver) -> LedesInvoice:
    body = draft.body
    first, last = _period(draft, [line.date for line in lines], receiver)
    services = f"Services from {first.isoformat()} to {last.isoformat()}"
    return LedesInvoice(
        invoice_date=body.invoice_date,
        number=draft.number or f"{receiver.draft_number_prefix}{draft.document_id[:DRAFT_ID_CHARACTERS].upper()}",
        client_id=body.client.ledes_id or body.scope.client_id,
        matter_id=body.matter_id,
        total=body.net,
        date_from=first,
        date_to=last,
        description=f"{body.matter_name}: {services}" if body.matter_name else services,
        firm_id=body.firm.ledes_id or body.firm.tax_id,
        client_matter_id=body.client_matter_id,
    )


def _period(draft: DraftToSend, days: list[date], receiver: Receiver) -> tuple[date, date]:
    """First and last day; the document's own span ends before its `date_to`."""
    scope = draft.body.scope
    first, last = scope.date_from, scope.date_to - timedelta(days=1)
    if receiver.period is PeriodPolicy.SCOPE:
        return first, last
    return min([first, *days]), max([last, *days])


def _tax_notes(draft: DraftToSend, receiver: Receiver) -> Iterator[Finding]:
    if draft.body.tax and receiver.taxes is TaxPolicy.NOTE:
        tax = f"{draft.body.tax:f} {draft.body.currency}"
        text = f"The format has no tax: the file shows the net, {tax} of tax are not in it."
        yield Finding(code="ledes_tax_not_expressed", text=text)


def _payment_notes(draft: DraftToSend) -> Iterator[Finding]:
    """Money held for the client is a payment, not a discount: it reduces neither lines nor total (BD-40)."""
    paid = sum((one.applied for one in draft.body.held_money), Decimal(0))
    if paid:
        text = f"The format has no payments: {paid:f} {draft.body.currency} of held money pay a part of this invoice."
        yield Finding(code="ledes_payment_not_expressed", text=text)


def _problems(draft: DraftToSend, receiver: Receiver) -> Iterator[Problem]:
    body = draft.body
    if body.tax and receiver.taxes is TaxPolicy.REFUSE:
        what = f"the document has {body.tax:f} {body.currency} of tax and the format no place for it"
        fix = "Use a format with taxes, or set `taxes: note`."
        yield Problem(code="ledes_tax_not_expressible", line=0, field=INVOICE_TOTAL, what=what, fix=fix)
    if receiver.currency and receiver.currency != body.currency:
        what = f"the document is in {body.currency}, the receiver takes {receiver.currency}"
        fix = "Bill this client in the receiver's currency."
        yield Problem(code="ledes_currency", line=0, field=INVOICE_TOTAL, what=what, fix=fix)
    if not draft.number and not receiver.draft_number_prefix:
        fix = "Issue the document first, or set `draft_number_prefix`."
        what = "a draft has no invoice number"
        yield Problem(code="ledes_draft_number", line=0, field=INVOICE_NUMBER, what=what, fix=fix)
    for line in body.lines:
        if line.kind is LineKind.UNKNOWN:
            what = f"line {line.position} is of a kind this version does not know"
            yield Problem(code="ledes_line_kind", line=0, field=LINE_TYPE, what=what, fix="Install the newer version.")
