"""Fees agreed beside the hours, as parts of an invoice: what they are, on which day they count, and what they cost.

Billing-domain step 12. Every clause that is not time or expense gives such parts: fixed fees here, others in
`billing.milestones`, `billing.recurring`, `billing.usage`; retainers and blocks add theirs in the same form.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from billing.contract import Contract
from billing.entries import BillingEntry, OrderKey, day_start
from billing.exact import shown
from billing.portions import Placed
from schemas.draft import LineKind
from schemas.entry import EntryKind


class AgreedPart(NamedTuple):
    """One agreed amount that counts on a day.

    `clause_id` and `key` name it for good (`hosting`, `2025-03`). `entries` are the events behind it, `weights` their
    shares. `counts` says whether caps, discounts and minimums may look at it; deposits are an advance and do not.
    """

    kind: LineKind
    clause_id: str
    key: str
    day: date
    text: str
    amount: Fraction
    quantity: Decimal
    unit: str
    unit_price: Decimal
    origin: str
    steps: tuple[str, ...] = ()
    service_item: str = ""
    project_id: str = ""
    entries: tuple[BillingEntry, ...] = ()
    weights: tuple[Fraction, ...] = ()
    counts: bool = True

    def order(self, contract: Contract) -> OrderKey:
        """Its place among charges: by day, then by clause."""
        return (1, day_start(self.day, contract.zone), 0, self.kind.value, self.clause_id, self.key)


class Agreed(NamedTuple):
    """Agreed parts of a span of days, and events that no part takes, with the reason."""

    parts: list[AgreedPart]
    placed: list[Placed]


def lump(contract: Contract, amount: Fraction) -> tuple[Decimal, str, Decimal]:
    """Quantity, unit and price of an amount that is sold as one piece."""
    return Decimal(1), "unit", shown(amount, contract.places)


def fixed_fees(contract: Contract, first: date, end: date) -> list[AgreedPart]:
    """Fees that are charged once, on their date."""
    found = []
    for fee in contract.document.fixed_fees:
        if first <= fee.on < end:
            amount = Fraction(fee.amount)
            found.append(
                AgreedPart(
                    LineKind.FIXED_FEE,
                    fee.id,
                    fee.on.isoformat(),
                    fee.on,
                    fee.title,
                    amount,
                    *lump(contract, amount),
                    origin=f"fixed fee {fee.id}",
                    service_item=fee.service_item,
                    project_id=fee.project,
                )
            )
    return found


def of_kind(entries: Iterable[BillingEntry], kind: EntryKind) -> list[BillingEntry]:
    """The entries of a kind."""
    return [entry for entry in entries if entry.kind is kind]


def in_order(parts: Sequence[AgreedPart]) -> list[AgreedPart]:
    """Parts by day, kind and clause, so that nothing depends on the order of clauses or entries."""
    return sorted(parts, key=lambda part: (part.day, part.kind.value, part.clause_id, part.key))
