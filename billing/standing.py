"""What stands of an approved document: its own lines and everything that later documents corrected of them.

Summed up from the bodies every time; no stored total is the truth (billing-domain 2.4).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from schemas.draft import DraftBody, DraftLine, LineSource

ShareKey = tuple[str, date]
"""An entry and the local work date of its part."""


@dataclass(slots=True)
class Share:
    """One entry's part of a line: worked seconds, rounding delta and amount; `source` is a part as it was written."""

    source: LineSource
    worked_seconds: int = 0
    delta_seconds: int = 0
    amount: Decimal = Decimal(0)

    @property
    def seconds(self) -> int:
        """Billable seconds."""
        return self.worked_seconds + self.delta_seconds

    @property
    def is_empty(self) -> bool:
        """Whether nothing of it is left."""
        return not (self.worked_seconds or self.delta_seconds or self.amount)

    def add(self, source: LineSource) -> None:
        """Count another part of the same entry and day."""
        self.worked_seconds += source.worked_seconds
        self.delta_seconds += source.delta_seconds
        self.amount += source.amount


@dataclass(slots=True)
class StandingLine:
    """A line of a document as it stands: `like` is a line that says what it is (text, price, tax)."""

    like: DraftLine
    seconds: int = 0
    amount: Decimal = Decimal(0)
    shares: dict[ShareKey, Share] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether nothing of the line is left."""
        return not (self.seconds or self.amount) and all(share.is_empty for share in self.shares.values())


Standing = dict[str, StandingLine]
"""The lines of a document by their id."""


def standing_of(document_id: str, bodies: Iterable[tuple[str, DraftBody]]) -> Standing:
    """What stands of a document after all these documents, each with its id; the document itself is one of them."""
    found: Standing = {}
    for own_id, body in bodies:
        for line in body.lines:
            if line.corrects:
                _correct(found, document_id, line)
            elif own_id == document_id:
                _add(found, line.line_id, line, line.seconds, line.amount, line.sources)
    return found


def lines_of(body: DraftBody) -> Standing:
    """The lines of one body that bill its own period."""
    found: Standing = {}
    for line in body.lines:
        if not line.corrects:
            _add(found, line.line_id, line, line.seconds, line.amount, line.sources)
    return found


def _correct(found: Standing, document_id: str, line: DraftLine) -> None:
    for one in line.corrects:
        if one.document_id == document_id:
            mine = [source for source in line.sources if source.corrected_line_id == one.line_id]
            _add(found, one.line_id, line, one.seconds, one.amount, mine)


def _add(
    found: Standing, line_id: str, like: DraftLine, seconds: int, amount: Decimal, sources: Sequence[LineSource]
) -> None:
    line = found.setdefault(line_id, StandingLine(like))
    line.seconds += seconds
    line.amount += amount
    for source in sources:
        line.shares.setdefault((source.entry_id, source.work_date), Share(source)).add(source)


def net_of(standing: Standing) -> Decimal:
    """The amount that stands, before tax."""
    return sum((line.amount for line in standing.values()), Decimal(0))


class Moved:
    """Which parts of entries differ between two computations, on whatever line they are, and which lines' own money.

    Without a first computation everything counts as different. A cent is rounding that moved, and no difference.
    """

    def __init__(self, before: Standing | None, after: Standing) -> None:
        self._is_all = before is None
        self._shares: set[ShareKey] = set()
        self._lines: set[str] = set()
        if before is None:
            return
        for line_id in {*before, *after}:
            old, new = before.get(line_id), after.get(line_id)
            self._shares |= _different(old, new)
            if own_amount(old) != own_amount(new):
                self._lines.add(line_id)

    def has(self, share: ShareKey) -> bool:
        """Whether the part of an entry is another than it was."""
        return self._is_all or share in self._shares

    def has_own(self, line_id: str) -> bool:
        """Whether money of the line that is no entry's is another than it was."""
        return self._is_all or line_id in self._lines

    def touches(self, line_id: str, *lines: StandingLine | None) -> bool:
        """Whether anything on one of these states of a line is another than it was."""
        shares = {key for line in lines if line is not None for key in line.shares}
        return self.has_own(line_id) or any(self.has(key) for key in shares)


def _different(old: StandingLine | None, new: StandingLine | None) -> set[ShareKey]:
    before = old.shares if old is not None else {}
    after = new.shares if new is not None else {}
    return {key for key in {*before, *after} if not is_share_same(before.get(key), after.get(key))}


def is_share_same(one: Share | None, other: Share | None) -> bool:
    """Whether the seconds are the same and the amounts differ by no more than rounding that moved."""
    if one is None or other is None:
        known = one or other
        return known is None or known.is_empty
    seconds = (one.worked_seconds, one.delta_seconds) == (other.worked_seconds, other.delta_seconds)
    return seconds and abs(one.amount - other.amount) <= cent_of(one.source.amount)


def own_amount(line: StandingLine | None) -> Decimal:
    """The money of a line that no entry has a part of."""
    if line is None:
        return Decimal(0)
    return line.amount - sum((share.amount for share in line.shares.values()), Decimal(0))


def cent_of(amount: Decimal) -> Decimal:
    """The smallest unit of an amount's currency."""
    exponent = amount.as_tuple().exponent
    assert isinstance(exponent, int), "an amount is finite"
    return Decimal(1).scaleb(exponent)
