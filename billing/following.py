"""An invoice that follows its entries: after a change, only the days from the first changed one on are allotted anew.

It answers exactly as `compute_invoice` and `to_body` do: `billing.followed_days` remembers the days,
`billing.followed_body` what a body says of them.
"""

from collections import Counter
from dataclasses import replace

from billing.body import to_body
from billing.carried import Carried, needs_earlier_invoices
from billing.contract import Contract, needed_dates, own_dates
from billing.followed_body import FollowedBody
from billing.followed_days import Days
from billing.invoice import Invoice, InvoiceRequest, bill, compute_invoice, hash_of_versions
from schemas.clauses import CapWindow, DayAttribution, GroupBy, IncrementScope
from schemas.draft import DraftBody

FOLLOWED = "followed"
BEGUN = "begun"


class FollowedInvoice:
    """Computes an invoice again and again. `answers` counts how: followed, begun anew, or why it was computed whole.

    `bodies` counts the same for bodies.
    """

    def __init__(self) -> None:
        self.answers: Counter[str] = Counter()
        self.bodies: Counter[str] = Counter()
        self._known: tuple[Days, FollowedBody] | None = None

    def compute(self, request: InvoiceRequest) -> Invoice:
        """The invoice of a request, as `compute_invoice` computes it.

        An entry that did not change should be the same object as the last time; one that is not is looked at again.
        """
        known, answer = self._follow(request)
        self.answers[answer] += 1
        if known is None:
            return compute_invoice(request)
        days, _ = known
        traced = bill(request, Carried(), list(days.others.values()), days.allotted())
        return replace(traced.invoice, entries_hash=hash_of_versions(days.versions))

    def body(self, request: InvoiceRequest) -> DraftBody:
        """The body of the invoice of a request, as `to_body` makes it."""
        reason = why_not(request) or why_not_lines(request.contract)
        known, answer = (None, reason) if reason else self._follow(request)
        body = None if known is None else known[1].body(request)
        self.bodies["discounts" if known is not None and body is None else answer] += 1
        return to_body(self.compute(request)) if body is None else body

    def _follow(self, request: InvoiceRequest) -> tuple[tuple[Days, FollowedBody] | None, str]:
        """The days of a request with its entries, and how it is answered."""
        reason = why_not(request)
        if reason:
            return None, reason
        terms = (request.contract, request.directory, request.period)
        known, answer = self._known, FOLLOWED
        if known is None or (known[0].contract, known[0].directory, known[0].period) != terms:
            days, answer = Days(*terms), BEGUN
            known = days, FollowedBody(days)
        # What is refused half way is not gone on from.
        self._known = None
        known[0].take(request.entries)
        is_in_order = known[0].are_in_order()
        if is_in_order:
            known[0].allot()
        self._known = known
        return (known, answer) if is_in_order else (None, "order_of_days")


def why_not(request: InvoiceRequest) -> str:
    """Why an invoice cannot be followed day by day, as a word; empty when it can."""
    contract, document = request.contract, request.contract.document
    reasons = {
        "earlier_invoices": needs_earlier_invoices(contract),
        "carried_time": any(cap.carries for cap in contract.caps),
        "windows_of_entries": any(cap.window is CapWindow.ENTRY for cap in contract.caps),
        "split_days": document.day_attribution is DayAttribution.SPLIT,
        "rounded_groups": any(rule.scope is not IncrementScope.ENTRY for rule in document.increments),
        "events": own_dates(contract, request.period) != needed_dates(contract, request.period),
    }
    return next((reason for reason, is_so in reasons.items() if is_so), "")


def why_not_lines(contract: Contract) -> str:
    """Why all lines of a body are made anew though its invoice is followed, as a word; empty when they are not."""
    document = contract.document
    reasons = {
        "dated_discounts": any(
            row.percent is not None and (row.date_from or row.date_to) for row in document.discounts
        ),
        "amount_caps": bool(contract.money_caps),
        "premiums": bool(document.premiums),
        "lines_of_entries": GroupBy.ENTRY in document.lines.group_by,
    }
    return next((reason for reason, is_so in reasons.items() if is_so), "")
