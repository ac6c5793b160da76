"""What became of each entry's part of an approved line: the changes that adjustment lines are made of (group K)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import NamedTuple

from billing.standing import Moved, Share, ShareKey, Standing, StandingLine, cent_of, own_amount
from schemas.draft import CorrectionReason, DraftLine, LineSource

GROUPED = frozenset({CorrectionReason.AMENDMENT, CorrectionReason.SHARED})
"""Reasons that are no entry's own: one adjustment line tells of all entries alike."""


@dataclass(frozen=True, slots=True)
class Change:
    """What one entry adds to or takes from one line, signed. `source` is None for money of a line without an entry.

    `like` is the line as it was or is, for text, price and tax. `partner` is the line that the same seconds went to or
    came from because only their price is another.
    """

    line_id: str
    like: DraftLine
    source: LineSource | None
    worked_seconds: int
    delta_seconds: int
    amount: Decimal
    reason: CorrectionReason
    partner: str = ""

    @property
    def seconds(self) -> int:
        """Billable seconds."""
        return self.worked_seconds + self.delta_seconds

    @property
    def share(self) -> ShareKey | None:
        """The entry and day."""
        return None if self.source is None else (self.source.entry_id, self.source.work_date)


@dataclass(frozen=True, slots=True)
class Reasons:
    """Why an entry's part is another: its own reason, else that of the contract, else another entry's change."""

    by_entry: Mapping[str, CorrectionReason]
    amended: bool

    def of(self, source: LineSource | None) -> CorrectionReason:
        """The reason of one part."""
        own = None if source is None else self.by_entry.get(source.entry_id)
        return own or (CorrectionReason.AMENDMENT if self.amended else CorrectionReason.SHARED)


def changes_of(standing: Standing, fresh: Standing, pinned: Standing | None, reasons: Reasons) -> list[list[Change]]:
    """From what stands to what today's facts give, grouped as the changes become adjustment lines, in a fixed order.

    Only what is another than in `pinned` changes; when `pinned` is what stands, the sum is the whole difference.
    """
    moved = Moved(pinned, fresh)
    found: list[Change] = []
    for line_id in sorted({*standing, *fresh}):
        kept = None if pinned is None else pinned.get(line_id)
        found += _of_line(_Line(line_id, standing.get(line_id), fresh.get(line_id), kept), moved, reasons)
    groups: dict[tuple[str, ...], list[Change]] = {}
    for change in _paired(found):
        groups.setdefault(_group(change), []).append(change)
    return [groups[key] for key in sorted(groups)]


class _Line(NamedTuple):
    """One line as it stands, as it is today, and as today's code makes it of the pinned facts."""

    line_id: str
    before: StandingLine | None
    after: StandingLine | None
    pinned: StandingLine | None


def _of_line(line: _Line, moved: Moved, reasons: Reasons) -> list[Change]:
    known = line.after or line.before
    assert known is not None, "a compared line is somewhere"
    old, new, pinned = (one.shares if one is not None else {} for one in (line.before, line.after, line.pinned))
    found: list[Change] = []
    for key in sorted({*old, *new}):
        base = old.get(key) if moved.has(key) else pinned.get(key)
        change = _of_share(line.line_id, known.like, base, new.get(key), reasons)
        if change is not None:
            found.append(change)
    base_line = line.before if moved.has_own(line.line_id) else line.pinned
    if rest := own_amount(line.after) - own_amount(base_line):
        found.append(Change(line.line_id, known.like, None, 0, 0, rest, reasons.of(None)))
    return _with_cents(found, cent_of(known.like.amount))


def _of_share(line_id: str, like: DraftLine, old: Share | None, new: Share | None, reasons: Reasons) -> Change | None:
    known = new or old
    if known is None:
        return None
    worked = (new.worked_seconds if new else 0) - (old.worked_seconds if old else 0)
    delta = (new.delta_seconds if new else 0) - (old.delta_seconds if old else 0)
    amount = (new.amount if new else Decimal(0)) - (old.amount if old else Decimal(0))
    if not (worked or delta or amount):
        return None
    return Change(line_id, like, known.source, worked, delta, amount, reasons.of(known.source))


def _with_cents(changes: list[Change], cent: Decimal) -> list[Change]:
    """Cents of rounding that moved between entries of a line go with the largest real change; alone they stay."""
    moved = [one for one in changes if not one.worked_seconds and not one.seconds and abs(one.amount) <= cent]
    real = [one for one in changes if one.seconds]
    if not moved or not real:
        return changes
    largest = max(real, key=lambda one: abs(one.seconds))
    cents = sum((one.amount for one in moved), Decimal(0))
    kept = [one for one in changes if one not in moved]
    return [replace(one, amount=one.amount + cents) if one is largest else one for one in kept]


def _paired(changes: Sequence[Change]) -> list[Change]:
    """Name the partner of seconds that left one line and are whole on another: only their price changed (BD-69)."""
    by_share: dict[ShareKey, list[int]] = {}
    for position, change in enumerate(changes):
        if change.share is not None and change.seconds:
            by_share.setdefault(change.share, []).append(position)
    found = list(changes)
    for positions in by_share.values():
        if len(positions) == 2 and _is_new_price(*(changes[one] for one in positions)):
            one, other = positions
            found[one] = replace(changes[one], partner=changes[other].line_id)
            found[other] = replace(changes[other], partner=changes[one].line_id)
    return found


def _is_new_price(one: Change, other: Change) -> bool:
    same = (one.like.tax_category, one.like.tax_rate) == (other.like.tax_category, other.like.tax_rate)
    opposite = (one.worked_seconds, one.delta_seconds) == (-other.worked_seconds, -other.delta_seconds)
    return same and opposite and one.like.unit == other.like.unit == "hour"


def _group(change: Change) -> tuple[str, ...]:
    lines = "/".join(sorted({change.line_id, change.partner} - {""}))
    if change.reason in GROUPED:
        is_more = change.seconds > 0 or (not change.seconds and change.amount > 0)
        return (lines, "" if change.partner else str(is_more), change.reason.value)
    entry_id, day = (change.source.entry_id, change.source.work_date.isoformat()) if change.source else ("", "")
    return (lines, "", change.reason.value, entry_id, day)
