"""Step 16: prepayments, money retainers and trust money pay an invoice with its tax; the rest is due (BD-40).

Money held is the client's: it is never drawn below zero, and an invoice that is negative draws nothing.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from billing.carried import Received, Used
from billing.contract import Contract
from billing.exact import decimal_of, units_of
from schemas.charges import HeldMoney
from schemas.draft import DraftBody, HeldMoneyKind, HeldMoneyUse


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


def apply_held_money(
    contract: Contract, invoice_date: date, gross_units: int, arrived: Sequence[Received], used: Mapping[str, Used]
) -> Paid:
    """Pay an invoice from held money: the retainer first, then trust. `arrived` is beside what the contract says."""
    found: list[Application] = []
    after = dict(used)
    due = gross_units
    for kind, held in _accounts(contract):
        known = after.get(held.id, Used(0, 0))
        receipts = [(row.on, row.amount) for row in held.received]
        receipts += [(one.on, one.amount) for one in arrived if one.held_id == held.id]
        there = sum(_units(contract, amount) for on, amount in receipts if on <= invoice_date)
        before, received = known.received - known.applied, max(there - known.received, 0)
        one = _applied(contract, held, kind, before, received, due)
        found.append(one)
        due -= one.applied
        after[held.id] = Used(known.received + received, known.applied + one.applied)
    return Paid(tuple(found), due, after)


def paid_again(contract: Contract, body: DraftBody) -> DraftBody:
    """The body after its gross changed: held money pays what is due now, from the balances it stated before."""
    due = units_of(Fraction(body.gross), contract.places, contract.document.rounding.money_rounding)
    accounts = {held.id: held for _, held in _accounts(contract)}
    uses: list[HeldMoneyUse] = []
    for use in body.held_money:
        before, received = _units(contract, use.balance_before), _units(contract, use.received)
        one = _applied(contract, accounts[use.held_id], use.kind, before, received, due)
        uses.append(use_of(contract, one))
        due -= one.applied
    return body.model_copy(update={"held_money": tuple(uses), "due": decimal_of(due, contract.places)})


def use_of(contract: Contract, one: Application) -> HeldMoneyUse:
    """An application as a document says it."""
    return HeldMoneyUse(
        held_id=one.held_id,
        kind=one.kind,
        name=one.name,
        balance_before=decimal_of(one.before, contract.places),
        received=decimal_of(one.received, contract.places),
        applied=decimal_of(one.applied, contract.places),
        balance_after=decimal_of(one.after, contract.places),
        requested=decimal_of(one.requested, contract.places) if one.requested else Decimal(0),
    )


def _accounts(contract: Contract) -> list[tuple[HeldMoneyKind, HeldMoney]]:
    document = contract.document
    known = ((HeldMoneyKind.RETAINER, document.money_retainer), (HeldMoneyKind.TRUST, document.trust))
    return [(kind, held) for kind, held in known if held is not None]


def _applied(
    contract: Contract, held: HeldMoney, kind: HeldMoneyKind, before: int, received: int, due: int
) -> Application:
    applied = max(min(before + received, due), 0)
    after = before + received - applied
    requested = 0
    if held.threshold is not None and held.target is not None and after < _units(contract, held.threshold):
        requested = _units(contract, held.target) - after
    return Application(held.id, kind, held.name or held.id, before, received, applied, after, requested)


def _units(contract: Contract, amount: Decimal) -> int:
    return units_of(Fraction(amount), contract.places, contract.document.rounding.money_rounding)
