"""An agreed amount, and how amounts and shares of a calendar span are rounded and counted."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

from schemas.engagement import Prorate
from tests.second.case import Case
from tests.second.exact import units_of, whole
from tests.second.stretch import is_workday


@dataclass
class Fee:
    """An agreed amount of a day, exact and in smallest units; discounts take `discount`, on lines of their own `apart`.

    `left` is what discounts leave of the exact amount: what a limit on money counts.
    """

    kind: str
    units: int
    day: date
    service_item: str = ""
    project: str = ""
    exact: Fraction = Fraction(0)
    discount: int = 0
    apart: int = 0
    left: Fraction = Fraction(0)
    apart_of: dict[str, int] = field(default_factory=dict)

    @property
    def net(self) -> int:
        """What is left of the units after all discounts."""
        return self.units - self.discount - self.apart


def fee_of(case: Case, kind: str, amount: Fraction, day: date, service_item: str = "", project: str = "") -> Fee:
    """An agreed amount, rounded as the contract says."""
    unit = units_of(Fraction(1), case.contract.currency)
    return Fee(kind, rounded(case, amount), day, service_item, project, amount * unit, left=amount * unit)


def fee_of_units(kind: str, units: int, day: date, service_item: str = "", project: str = "") -> Fee:
    """An amount that is whole already."""
    return Fee(kind, units, day, service_item, project, Fraction(units), left=Fraction(units))


def rounded(case: Case, amount: Fraction) -> int:
    """An amount in smallest units, rounded as the contract says."""
    return whole(units_of(amount, case.contract.currency), case.contract.rounding.money_rounding)


def weight(days: Iterable[date], prorate: Prorate, holidays: tuple[date, ...]) -> int:
    """How many days count."""
    return len([day for day in days if prorate is not Prorate.WORKDAYS or is_workday(day, holidays)])
