"""Step 16: prepayments, money retainers and trust money pay an invoice with its tax; the rest is due (BD-40).

Money held is the client's: it is never drawn below zero, and an invoice that is negative draws nothing.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from billing.carried import Used
from billing.contract import Contract
from billing.exact import units_of
from schemas.charges import HeldMoney
from schemas.draft import HeldMoneyKind


class Application(NamedTuple):
    """What one account of held money gives to an invoice, in units; `requested` asks the client for more."""

    held_id: str
    kind: HeldMoneyKind
    name: str
    before: int
    received: int
    applied: int
    after: int
    requested: int


class Paid(NamedTuple):
    """All applications, what is left to pay, and the state behind this invoice."""

    applications: tuple[Application, ...]
    due_units: int
    used: Mapping[str, Used]


def apply_held_money(contract: Contract, invoice_date: date, gross_units: int, used: Mapping[str, Used]) -> Paid:
    """Pay an invoice from held money: the retainer first, then trust."""
    document = contract.document
    found: list[Application] = []
    after = dict(used)
    due = gross_units
    for kind, held in ((HeldMoneyKind.RETAINER, document.money_retainer), (HeldMoneyKind.TRUST, document.trust)):
        if held is None:
            continue
        one = _applied(contract, invoice_date, kind, held, due, after.get(held.id, Used(0, 0)))
        found.append(one)
        due -= one.applied
        known = after.get(held.id, Used(0, 0))
        after[held.id] = Used(known.received + one.received, known.applied + one.applied)
    return Paid(tuple(found), due, after)


def _applied(
    contract: Contract, invoice_date: date, kind: HeldMoneyKind, held: HeldMoney, due: int, used: Used
) -> Application:
    there = sum(_units(contract, row.amount) for row in held.received if row.on <= invoice_date)
    before = used.received - used.applied
    received = max(there - used.received, 0)
    applied = max(min(before + received, due), 0)
    after = before + received - applied
    assert after >= 0, f"held money {held.id} would fall below zero"
    requested = 0
    if held.threshold is not None and held.target is not None and after < _units(contract, held.threshold):
        requested = _units(contract, held.target) - after
    return Application(held.id, kind, held.name or held.id, before, received, applied, after, requested)


def _units(contract: Contract, amount: Decimal) -> int:
    return units_of(Fraction(amount), contract.places, contract.document.rounding.money_rounding)
