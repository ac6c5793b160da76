"""Lines on their way from exact amounts to whole units: what clauses took, and the share of each source."""

from dataclasses import dataclass, field
from fractions import Fraction

from billing.lines import OpenCharge, OpenLine
from billing.results import SourceShare


@dataclass(slots=True)
class SettledCharge:
    """A charge with its whole units, its sources, and what amount caps and discounts took from it, by their ids."""

    charge: OpenCharge
    units: int = 0
    sources: list[SourceShare] = field(default_factory=list)
    taken: dict[str, Fraction] = field(default_factory=dict)
    discounts: dict[str, Fraction] = field(default_factory=dict)

    @property
    def net(self) -> Fraction:
        """The exact amount that is left."""
        if not self.taken and not self.discounts:
            return self.charge.gross
        zero = Fraction(0)
        return self.charge.gross - sum(self.taken.values(), zero) - sum(self.discounts.values(), zero)


@dataclass(slots=True)
class SettledLine:
    """A line with its whole units after discounts and caps.

    `discount_units` is what discounts took inside of it, `separate_units` what those take, by id, that stand on lines
    of their own.
    """

    line: OpenLine
    units: int
    charges: list[SettledCharge]
    discount_units: int = 0
    separate_units: dict[str, int] = field(default_factory=dict)

    @property
    def net_units(self) -> int:
        """What is left when discounts on lines of their own are taken off too."""
        return self.units - sum(self.separate_units.values())
