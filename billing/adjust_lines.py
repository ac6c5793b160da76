"""How adjustments look: one line for each change, naming what it corrects, at the price of the work date (BD-64)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from billing.changes import Change
from billing.exact import exact_or_shown, units_of
from billing.lines import SHOWN_DECIMALS
from billing.standing import StandingLine
from schemas.canonical import deterministic_id
from schemas.draft import (
    Charge,
    CorrectedLine,
    CorrectionPart,
    CorrectionReason,
    DraftLine,
    LineKind,
    LineSource,
)
from schemas.money import MoneyRounding

_WORDS = {
    CorrectionReason.EDIT: "changed",
    CorrectionReason.DELETION: "deleted",
    CorrectionReason.MOVE: "moved",
    CorrectionReason.LATE: "late",
    CorrectionReason.RESTORED: "restored",
    CorrectionReason.AMENDMENT: "terms amended",
    CorrectionReason.DECISION: "decided anew",
    CorrectionReason.RELEASE: "released",
    CorrectionReason.WRITE_OFF: "written off",
    CorrectionReason.SHARED: "follows from another correction",
    CorrectionReason.VOID: "void",
    CorrectionReason.UNKNOWN: "corrected",
}
_OPENINGS = {
    CorrectionPart.DIFFERENCE: "Correction to",
    CorrectionPart.CREDIT: "Credit of",
    CorrectionPart.REBILL: "Billed anew from",
    CorrectionPart.VOID: "Credit of",
    CorrectionPart.UNKNOWN: "Correction to",
}


@dataclass(frozen=True, slots=True)
class About:
    """The corrected document as lines name it: its number, or its period while it has none."""

    document_id: str
    number: str
    period: str
    part: CorrectionPart

    def text(self, rest: Iterable[str]) -> str:
        """`Correction to 0031: 2025-03-05, Design, Dana (changed)`."""
        return f"{_OPENINGS[self.part]} {self.number or self.period}: {', '.join(one for one in rest if one)}"


def change_line(about: About, changes: Sequence[Change]) -> DraftLine:
    """One adjustment line of the changes that belong together."""
    first = changes[0]
    dates = sorted({change.source.work_date for change in changes if change.source is not None})
    amount = sum((change.amount for change in changes), Decimal(0))
    seconds = sum(change.seconds for change in changes)
    price = first.like.unit_price
    if first.partner:
        # The same seconds at another price: they are counted once, at what the price changed by.
        gained = [change for change in changes if change.seconds > 0]
        lost = [change for change in changes if change.seconds < 0]
        seconds = sum(change.seconds for change in gained)
        price = gained[0].like.unit_price - lost[0].like.unit_price
        first = gained[0]
    sources = tuple(_source(change) for change in changes if change.source is not None)
    day = dates[0].isoformat() if len(dates) == 1 else ""
    words = f"{first.like.text} ({_WORDS[first.reason]})"
    net_seconds = 0 if first.partner else seconds
    return _line(
        about,
        first.like,
        identity=(first.reason.value, *(f"{one.line_id} {one.share}" for one in changes)),
        text=about.text((day, words)),
        date=dates[-1] if dates else first.like.date,
        shown_seconds=seconds,
        seconds=net_seconds,
        price=price,
        amount=amount,
        sources=sources,
        corrects=_corrects(about, changes),
        reason=first.reason,
    )


def credit_line(about: About, line_id: str, standing: StandingLine, reason: CorrectionReason) -> DraftLine:
    """A line that takes back all that stands of one line."""
    changes = [
        Change(line_id, standing.like, share.source, -share.worked_seconds, -share.delta_seconds, -share.amount, reason)
        for _, share in sorted(standing.shares.items())
    ]
    return _whole(about, line_id, standing, changes, -1, reason)


def rebill_line(about: About, line_id: str, fresh: StandingLine, reason: CorrectionReason) -> DraftLine:
    """A line that bills anew what was credited, as it is today."""
    changes = [
        Change(line_id, fresh.like, share.source, share.worked_seconds, share.delta_seconds, share.amount, reason)
        for _, share in sorted(fresh.shares.items())
    ]
    return _whole(about, line_id, fresh, changes, 1, reason)


def opposite_line(line: DraftLine) -> DraftLine:
    """An adjustment line taken back."""
    line_id = deterministic_id("adjustment", {"opposite": line.line_id})
    corrects = tuple(
        one.model_copy(update={"seconds": -one.seconds, "amount": -one.amount + 0}) for one in line.corrects
    )
    sources = tuple(
        one.model_copy(
            update={
                "worked_seconds": -one.worked_seconds,
                "delta_seconds": -one.delta_seconds,
                "amount": -one.amount + 0,
            }
        )
        for one in line.sources
    )
    changed = {
        "line_id": line_id,
        "text": f"Taken back: {line.text}",
        "seconds": -line.seconds,
        "quantity": -line.quantity + 0,
        "adjustment": -line.adjustment + 0,
        "amount": -line.amount + 0,
        "charges": tuple(
            one.model_copy(
                update={
                    "charge_id": f"{line_id}-{number}",
                    "seconds": -one.seconds,
                    "quantity": -one.quantity + 0,
                    "amount": -one.amount + 0,
                    "steps": _steps(corrects),
                }
            )
            for number, one in enumerate(line.charges)
        ),
        "sources": sources,
        "corrects": corrects,
        "correction_reason": CorrectionReason.VOID,
    }
    return line.model_copy(update=changed)


def _steps(corrects: Iterable[CorrectedLine]) -> tuple[str, ...]:
    """What an adjustment takes from which line of which document."""
    return tuple(f"line {one.line_id} of document {one.document_id}: {one.amount + 0:+f}" for one in corrects)


def _whole(
    about: About, line_id: str, line: StandingLine, changes: Sequence[Change], sign: int, reason: CorrectionReason
) -> DraftLine:
    corrected = CorrectedLine(
        document_id=about.document_id,
        number=about.number,
        line_id=line_id,
        seconds=sign * line.seconds,
        amount=sign * line.amount,
    )
    return _line(
        about,
        line.like,
        identity=(reason.value, line_id),
        text=about.text((line.like.text,)),
        date=line.like.date,
        shown_seconds=sign * line.seconds,
        seconds=sign * line.seconds,
        price=line.like.unit_price,
        amount=sign * line.amount,
        sources=tuple(_source(change) for change in changes if change.source is not None),
        corrects=(corrected,),
        reason=reason,
    )


def _corrects(about: About, changes: Sequence[Change]) -> tuple[CorrectedLine, ...]:
    totals: dict[str, tuple[int, Decimal]] = {}
    for change in changes:
        seconds, amount = totals.get(change.line_id, (0, Decimal(0)))
        totals[change.line_id] = (seconds + change.seconds, amount + change.amount)
    return tuple(
        CorrectedLine(
            document_id=about.document_id, number=about.number, line_id=line_id, seconds=seconds, amount=amount
        )
        for line_id, (seconds, amount) in sorted(totals.items())
    )


def _source(change: Change) -> LineSource:
    assert change.source is not None, "asked for changes of entries only"
    return change.source.model_copy(
        update={
            "worked_seconds": change.worked_seconds,
            "delta_seconds": change.delta_seconds,
            "amount": change.amount,
            "corrected_line_id": change.line_id,
        }
    )


def _line(
    about: About,
    like: DraftLine,
    *,
    identity: tuple[str, ...],
    text: str,
    date: date,
    shown_seconds: int,
    seconds: int,
    price: Decimal,
    amount: Decimal,
    sources: tuple[LineSource, ...],
    corrects: tuple[CorrectedLine, ...],
    reason: CorrectionReason,
) -> DraftLine:
    named = {"document": about.document_id, "part": about.part.value, "identity": list(identity)}
    line_id = deterministic_id("adjustment", named)
    quantity, unit, unit_price, adjustment = _measure(like, shown_seconds, price, amount)
    origin = like.charges[0].rate_origin if like.charges else ""
    charge = Charge(
        charge_id=f"{line_id}-0",
        seconds=seconds,
        quantity=quantity,
        unit_price=unit_price,
        amount=amount + 0,
        rate_origin=origin,
        steps=_steps(corrects),
    )
    return like.model_copy(
        update={
            "line_id": line_id,
            "position": 0,
            "kind": LineKind.ADJUSTMENT,
            "text": text,
            "date": date,
            "seconds": seconds,
            "quantity": quantity,
            "unit": unit,
            "unit_price": unit_price,
            "adjustment": adjustment,
            "amount": amount + 0,
            "charges": (charge,),
            "sources": sources,
            "corrects": corrects,
            "correction_reason": reason,
            "corrected_kind": like.corrected_kind if like.kind is LineKind.ADJUSTMENT else like.kind,
        }
    )


def _measure(
    like: DraftLine, shown_seconds: int, price: Decimal, amount: Decimal
) -> tuple[Decimal, str, Decimal, Decimal]:
    """Quantity, unit, price and what is left beside their product: a cent of rounding, or what an amount cap takes."""
    nothing = amount * 0 + 0
    if like.unit != "hour" or not shown_seconds:
        return Decimal(1), "unit" if like.unit == "hour" else like.unit, amount + 0, nothing
    hours = Fraction(shown_seconds, 3600)
    exponent = amount.as_tuple().exponent
    assert isinstance(exponent, int), "an amount is finite"
    product = Decimal(units_of(Fraction(price) * hours, -exponent, MoneyRounding.HALF_UP)).scaleb(exponent)
    return exact_or_shown(hours, SHOWN_DECIMALS), "hour", price, amount - product
