"""Adjustments: what approved documents say and what today's facts say, compared line by line (invariant 4; group K).

Issued amount plus adjustments is the fresh computation. A line is compared only when its inputs changed: when today's
code makes another line of today's facts than of those that the document pins. New code alone adjusts nothing (rule 6).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from billing.adjust_lines import About, change_line, credit_line, opposite_line, rebill_line
from billing.changes import Reasons, changes_of
from billing.standing import Moved, Standing, StandingLine, is_share_same, lines_of, net_of, own_amount, standing_of
from schemas.draft import (
    CorrectedDocument,
    CorrectionPart,
    CorrectionReason,
    DraftBody,
    DraftLine,
)
from schemas.period import Period


@dataclass(frozen=True, slots=True)
class Settled:
    """An approved document with what corrected it since, and the invoice that today's facts would give.

    `bodies` are the document itself and the documents that correct it, each with its id. `pinned` is today's code over
    the facts that the document pins; without it all lines are compared. `reasons` says what happened to each entry that
    is not what it was; `amended` that contract or directory are not.
    """

    document_id: str
    number: str
    bodies: Sequence[tuple[str, DraftBody]]
    fresh: DraftBody
    pinned: DraftBody | None
    reasons: Mapping[str, CorrectionReason]
    amended: bool


@dataclass(frozen=True, slots=True)
class Adjusted:
    """The adjustment lines of one document for an earlier one, and what it says about it."""

    lines: tuple[DraftLine, ...]
    document: CorrectedDocument

    @property
    def amount(self) -> Decimal:
        """What the lines add up to."""
        return self.document.amount


def adjust(settled: Settled, part: CorrectionPart) -> Adjusted:
    """The lines of one part of a correction: the difference, or credit and rebill of each line that lost something.

    Raises AssertionError when the lines would not be the difference: that is a mistake of ours.
    """
    standing, fresh = standing_of(settled.document_id, settled.bodies), lines_of(settled.fresh)
    pinned = None if settled.pinned is None else lines_of(settled.pinned)
    about, reasons = _about(settled, part), Reasons(settled.reasons, settled.amended)
    if part is CorrectionPart.DIFFERENCE:
        lines = [change_line(about, changes) for changes in changes_of(standing, fresh, pinned, reasons)]
        total = sum((line.amount for line in lines), Decimal(0))
        assert pinned is not None or total == net_of(fresh) - net_of(standing), "adjustments are not the difference"
        return _adjusted(settled, part, standing, lines)
    moved = Moved(pinned, fresh)
    touched = [one for one in sorted({*standing, *fresh}) if moved.touches(one, standing.get(one), fresh.get(one))]
    reduced = [one for one in touched if _is_reduced(standing.get(one), fresh.get(one))]
    if part is CorrectionPart.CREDIT:
        lines = [credit_line(about, one, standing[one], _reason(reasons, standing[one])) for one in reduced]
        return _adjusted(settled, part, standing, lines)
    assert part is CorrectionPart.REBILL, "a void needs no fresh computation"
    anew = [one for one in touched if one in fresh and (one in reduced or _is_empty(standing.get(one)))]
    lines = [rebill_line(about, one, fresh[one], _reason(reasons, fresh[one])) for one in anew]
    rest_before = {one: line for one, line in standing.items() if one not in reduced and one not in anew}
    rest_after = {one: line for one, line in fresh.items() if one not in reduced and one not in anew}
    lines += [change_line(about, changes) for changes in changes_of(rest_before, rest_after, pinned, reasons)]
    return _adjusted(settled, part, standing, lines)


def nothing(settled: Settled) -> Adjusted:
    """What a document says about one that it leaves as it is."""
    standing = standing_of(settled.document_id, settled.bodies)
    return _adjusted(settled, CorrectionPart.DIFFERENCE, standing, ())


def void(document_id: str, number: str, bodies: Sequence[tuple[str, DraftBody]], body: DraftBody) -> Adjusted:
    """The lines that take back all that stands of a document."""
    settled = Settled(document_id, number, bodies, body, None, {}, amended=False)
    standing = standing_of(document_id, bodies)
    about = _about(settled, CorrectionPart.VOID)
    lines = [
        credit_line(about, line_id, line, CorrectionReason.VOID)
        for line_id, line in sorted(standing.items())
        if not line.is_empty
    ]
    return _adjusted(settled, CorrectionPart.VOID, standing, lines)


def taken_back(document_id: str, number: str, bodies: Sequence[tuple[str, DraftBody]], of: DraftBody) -> Adjusted:
    """The lines of a document that correct another one, with the opposite sign: a credit note takes them back.

    `document_id` and `bodies` are those of the corrected document; `of` is the document that is void.
    """
    span = next(body for own_id, body in bodies if own_id == document_id)
    settled = Settled(document_id, number, bodies, span, None, {}, amended=False)
    standing = standing_of(document_id, bodies)
    mine = [line for line in of.lines if line.corrects and line.corrects[0].document_id == document_id]
    return _adjusted(settled, CorrectionPart.VOID, standing, [opposite_line(line) for line in mine])


def _is_empty(line: StandingLine | None) -> bool:
    return line is None or line.is_empty


def _is_reduced(before: StandingLine | None, after: StandingLine | None) -> bool:
    """Whether something that stands is less or other now; a line that only grew by new time needs no credit."""
    if before is None or before.is_empty:
        return False
    if after is None or after.amount < before.amount or own_amount(before) != own_amount(after):
        return True
    return any(not is_share_same(share, after.shares.get(key)) for key, share in before.shares.items())


def _about(settled: Settled, part: CorrectionPart) -> About:
    scope = settled.fresh.scope
    return About(settled.document_id, settled.number, Period(start=scope.date_from, end=scope.date_to).text, part)


def _reason(reasons: Reasons, line: StandingLine) -> CorrectionReason:
    """The first reason that an entry of the line has; else that of the contract."""
    own = [reasons.by_entry[key[0]] for key in sorted(line.shares) if key[0] in reasons.by_entry]
    return own[0] if own else reasons.of(None)


def _adjusted(settled: Settled, part: CorrectionPart, standing: Standing, lines: Sequence[DraftLine]) -> Adjusted:
    fresh = settled.fresh
    zero = fresh.net * 0 + 0
    changed = settled.reasons.keys()
    document = CorrectedDocument(
        document_id=settled.document_id,
        number=settled.number,
        date_from=fresh.scope.date_from,
        date_to=fresh.scope.date_to,
        part=part,
        standing=net_of(standing) + zero,
        fresh=zero if part is CorrectionPart.VOID else fresh.net,
        amount=sum((line.amount for line in lines), zero),
        worked_seconds=fresh.worked_seconds,
        buckets=fresh.buckets,
        placements=tuple(one for one in fresh.placements if one.entry_id in changed),
        entries_hash=fresh.entries_hash,
    )
    return Adjusted(tuple(sorted(lines, key=lambda line: (line.date, line.text, line.line_id))), document)
