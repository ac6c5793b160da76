"""An agreed amount, and how amounts and shares of a calendar span are rounded and counted."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from schemas.engagement import Prorate
from tests.second.case import Case
from tests.second.exact import units_of, whole
from tests.second.stretch import is_workday


@dataclass
class Fee:
    """An agreed amount in smallest units; `discount` is what discounts take."""

    kind: str
    units: int
    service_item: str = ""
    project: str = ""
    discount: int = 0


def rounded(case: Case, amount: Fraction) -> int:
    """An amount in smallest units, rounded as the contract says."""
    return whole(units_of(amount, case.contract.currency), case.contract.rounding.money_rounding)


def weight(days: Iterable[date], prorate: Prorate, holidays: tuple[date, ...]) -> int:
    """How many days count."""
    return len([day for day in days if prorate is not Prorate.WORKDAYS or is_workday(day, holidays)])
