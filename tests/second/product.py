"""The product's answer to a case, in the facts of the second calculator."""

from collections import Counter
from fractions import Fraction

from billing.contract import compile_contract
from billing.directory import compile_directory
from billing.invoice import InvoiceRequest, compute_invoice, to_body
from schemas.draft import DocumentScope, DraftBody
from tests.second.case import Case, Facts, line_fact
from tests.second.exact import fraction, units_of


def request_of(case: Case) -> InvoiceRequest:
    """What `billing` is asked about a case."""
    return InvoiceRequest(
        tenant="firm",
        book="main",
        scope=DocumentScope(
            client_id=case.contract.client,
            contract_id=case.contract.id,
            date_from=case.period.start,
            date_to=case.period.end,
        ),
        contract=compile_contract(case.contract),
        contract_revision="contract-1",
        directory=compile_directory(case.directory),
        directory_revision="directory-1",
        entries=case.entries,
        exchange_rates=case.rates,
        invoice_date=case.invoice_date,
        received=case.payments,
        drawn=case.drawn,
        written=case.written,
    )


def product_body(case: Case) -> DraftBody:
    """The body that `billing` makes of a case."""
    return to_body(compute_invoice(request_of(case)))


def product_facts(case: Case) -> Facts:
    """What the product's body says, as facts."""
    return facts_of(case, product_body(case))


def facts_of(case: Case, body: DraftBody) -> Facts:
    """A body as facts; without tax rules the breakdown only says so."""

    def units(amount: object) -> int:
        exact = units_of(fraction(str(amount)), body.currency)
        assert exact.denominator == 1, amount
        return int(exact)

    facts = Facts()
    for line in body.lines:
        sources = [(one.entry_id, one.worked_seconds, one.delta_seconds, units(one.amount)) for one in line.sources]
        kind = line.kind.value
        if kind not in ("fee", "expense", "markup"):
            sources = []
            if not line.amount and not line.adjustment:
                continue  # what a balance paid is shown without amount; the buckets say it
        if kind == "markup" and case.contract.discounts:
            sources = [(entry_id, 0, 0, 0) for entry_id, *_ in sources]
        facts.lines[line_fact(kind, line.seconds, units(line.adjustment), units(line.amount), sources)] += 1
    for row in body.taxes if case.contract.taxes else ():
        if row.base or row.tax:
            facts.taxes[row.category, Fraction(row.rate), units(row.base), units(row.tax)] += 1
    totals = {"net": body.net, "tax": body.tax, "gross": body.gross, "due": body.due}
    facts.totals = {name: units(amount) for name, amount in totals.items()} | {"worked": body.worked_seconds}
    for held in body.held_money:
        there = held.balance_before + held.received
        for name, amount in zip(
            ("before", "applied", "after", "requested"),
            (there, held.applied, held.balance_after, held.requested),
            strict=True,
        ):
            facts.totals[f"{held.held_id} {name}"] = units(amount)
    for balance in body.retainers:
        used = balance.used_rolled_in_seconds + balance.used_granted_seconds + balance.used_deficit_seconds
        assert balance.rolled_in_seconds + balance.granted_seconds - balance.deficit_in_seconds == (
            used
            + balance.lapsed_seconds
            + balance.credited_seconds
            + balance.rolled_out_seconds
            - balance.deficit_out_seconds
        ), balance
        if used:
            name = f"{balance.engagement_id} used"
            facts.totals[name] = facts.totals.get(name, 0) + int(used)
    for bucket in body.buckets:
        facts.buckets[bucket.bucket.value, bucket.reason] += bucket.seconds
    facts.buckets = Counter({key: seconds for key, seconds in facts.buckets.items() if seconds})
    for one in body.placements:
        facts.place(one.entry_id, one.bucket.value, one.reason, one.seconds, one.delta_seconds)
    return facts
