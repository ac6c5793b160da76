"""Money of a client that arrived for an account of held money: a prepayment, a retainer, trust (step 16 of the rules).

A payment is known by its reference within its account: the same one told again changes nothing.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from billstream.cli.exits import Exit
from billstream.cli.failure import CommandFailed
from billstream.cli.results import PaymentResult
from billstream.configuration.problems import nearest
from billstream.gateway import Desk
from billstream.project import envelope, now
from books.book import SEPARATOR, key_of
from books.catalog import Agreement
from books.held_money import drawn_before, received_for
from books.rows import HeldReceiptRow
from schemas.canonical import deterministic_id
from schemas.charges import HeldMoney, has_places
from schemas.draft import DocumentScope
from schemas.inputs import Payment

REFERENCE_CHARACTERS_MAX = 80
BEYOND_ALL = (date(2999, 12, 30), date(2999, 12, 31))


@dataclass(frozen=True)
class Arrived:
    """What a person says about a payment; without an account the contract has to have only one."""

    contract_id: str
    account: str
    amount: Decimal
    paid_on: date
    reference: str


async def receive(desk: Desk, arrived: Arrived, wait_seconds: int, *, dry_run: bool) -> PaymentResult:
    """Bring a payment into the book and wait until it counts; what cannot be one is refused before anything is sent."""
    await desk.catch_up()
    agreement = _agreement(desk, arrived.contract_id)
    held = _account(agreement, arrived.account)
    currency = agreement.document.currency
    _check(arrived, currency)
    key = key_of(agreement.contract_id, held.id, arrived.reference)
    is_known = _known(desk, key, arrived)
    counts = is_known
    if not is_known and not dry_run:
        await desk.publish_orders([_record(desk, agreement, held, arrived)])
        counts = await desk.until(lambda: desk.book.has(HeldReceiptRow, key), wait_seconds)
    received, used = _balance(desk, agreement, held)
    return PaymentResult(
        contract=agreement.contract_id,
        client=agreement.client_id,
        account=held.id,
        reference=arrived.reference,
        paid_on=arrived.paid_on,
        amount=arrived.amount,
        currency=currency,
        known=is_known,
        dry_run=dry_run,
        in_force=None if dry_run else counts,
        received=received,
        used=used,
        balance=received - used,
    )


def _agreement(desk: Desk, contract_id: str) -> Agreement:
    known = desk.catalog.agreements
    if contract_id not in known:
        said = f"The book has no contract '{contract_id}'."
        raise CommandFailed("contract_unknown", said, nearest(contract_id, known), Exit.NOT_FOUND)
    return known[contract_id]


def _account(agreement: Agreement, name: str) -> HeldMoney:
    document = agreement.document
    accounts = {held.id: held for held in (document.money_retainer, document.trust) if held is not None}
    if not accounts:
        said = f"Contract {agreement.contract_id} holds no money of the client."
        fix = "Write `money_retainer` or `trust` into it; money for one document is a matter of your accounts."
        raise CommandFailed("account_unknown", said, fix, Exit.NOT_FOUND)
    if not name and len(accounts) > 1:
        fix = "Name one with --account: " + ", ".join(accounts)
        raise CommandFailed("account_unknown", f"{agreement.contract_id} has two accounts.", fix, Exit.USAGE)
    if name and name not in accounts:
        said = f"Contract {agreement.contract_id} has no account '{name}'."
        raise CommandFailed("account_unknown", said, nearest(name, accounts), Exit.NOT_FOUND)
    return accounts[name] if name else next(iter(accounts.values()))


def _check(arrived: Arrived, currency: str) -> None:
    reference = arrived.reference
    problem = ""
    if arrived.amount <= 0:
        problem = "A payment is more than nothing; money that goes back is no payment."
    elif not has_places(arrived.amount, currency):
        problem = f"{arrived.amount:f} has more decimals than {currency} has."
    elif not reference.strip() or len(reference) > REFERENCE_CHARACTERS_MAX or SEPARATOR in reference:
        problem = f"A reference has 1 to {REFERENCE_CHARACTERS_MAX} characters."
    if problem:
        raise CommandFailed("payment_unusable", problem, "", Exit.USAGE)


def _known(desk: Desk, key: str, arrived: Arrived) -> bool:
    row = desk.book.get(HeldReceiptRow, key)
    if row is None:
        return False
    if (Decimal(row.amount), row.paid_on) != (arrived.amount, arrived.paid_on.isoformat()):
        said = f"Under this reference {row.amount} arrived on {row.paid_on} already."
        raise CommandFailed("payment_differs", said, "Give another payment a reference of its own.", Exit.REFUSED)
    return True


def _record(desk: Desk, agreement: Agreement, held: HeldMoney, arrived: Arrived) -> Payment:
    settings, at = desk.installation.settings, now()
    named = {"tenant": settings.tenant, "book": settings.book, "contract": agreement.contract_id, "held": held.id}
    event = deterministic_id("payment", {**named, "reference": arrived.reference, "at": at})
    return Payment(
        envelope=envelope(desk.installation, event, at),
        payment_id=arrived.reference,
        document_id="",
        amount=arrived.amount,
        currency=agreement.document.currency,
        paid_on=arrived.paid_on,
        contract_id=agreement.contract_id,
        held_id=held.id,
    )


def _balance(desk: Desk, agreement: Agreement, held: HeldMoney) -> tuple[Decimal, Decimal]:
    """All that was received, by contract and by payments, and what approved and issued documents took of it."""
    contract = agreement.compiled
    received = sum((row.amount for row in held.received), Decimal(0))
    received += sum((one.amount for one in received_for(desk.book, contract) if one.held_id == held.id), Decimal(0))
    first, end = BEYOND_ALL
    every = DocumentScope(
        client_id=agreement.client_id, contract_id=agreement.contract_id, date_from=first, date_to=end
    )
    drawn = drawn_before(desk.book, contract, every).values()
    return received, sum((one.get(held.id, Decimal(0)) for one in drawn), received * 0)
