"""What a sentence of a contract leaves open, as the question to ask its author (billing-domain section 7).

Where no default exists the question is an error. Where one exists it counts, and `assumptions` says which reading was
taken, so that nobody has to know the defaults by heart.
"""

from collections.abc import Iterator

from billstream.configuration.source import Place
from schemas.clauses import Cap, CapWindow
from schemas.contract import ContractDocument

Question = tuple[str, str]
"""The question, and what can be written as its answer."""

MISSING: dict[tuple[str, str], Question] = {
    ("Cap", "window"): ("in which span do the hours count?", "window: week, month, day, project or contract"),
    ("Cap", "hours"): ("at most how many hours?", "hours: 40"),
    ("AmountCap", "counts"): ("not to exceed, with or without expenses?", "counts: fees or fees_and_expenses"),
    ("AmountCap", "window"): ("is the limit per phase or for all of it?", "window: contract, project, month or dates"),
    ("Discount", "counts"): (
        "what does the discount apply to?",
        "counts: fees, all_fees, expenses, fees_and_expenses or everything",
    ),
    ("Minimum", "counts"): ("do fixed fees and expenses count towards the minimum?", "counts: fees or all_fees"),
    ("Minimum", "shortfall"): ("is a shortfall billed or carried?", "shortfall: bill or carry"),
    ("Minimum", "every"): ("the minimum of which span?", "every: month"),
    ("Milestone", "due"): ("is it due at a date or by acceptance?", "due: date (with `on`) or acceptance"),
    ("Deposit", "deduct_from"): (
        "where is the deposit deducted?",
        "deduct_from: milestone or next_invoices",
    ),
    ("RecurringFee", "billed_at"): ("is the fee billed in advance or in arrears?", "billed_at: start or end"),
    ("RecurringFee", "every"): ("a fee for which span?", "every: week, month, quarter or year"),
    ("Retainer", "hours"): ("how many hours does the fee buy for each period?", "hours: 20"),
    ("Retainer", "fee"): ("what does the retainer cost for each period?", "fee: 2400.00"),
    ("UsageFee", "price"): ("what does a package cost?", "price: 0.40"),
    ("Markup", "percent"): ("at cost, or with how many percent?", "percent: 0 for at cost"),
    ("ContractDocument", "zone"): ("in which time zone do days and months begin?", "zone: Europe/Berlin"),
    ("ContractDocument", "currency"): ("in which currency is the invoice?", "currency: EUR"),
}


def pool_question(cap: Cap) -> Question:
    """A cap does not say who shares it (BD-33)."""
    who = " or ".join(cap.roles) if cap.roles else "everybody"
    said = f"{cap.hours:f} hours per {cap.window.value}"
    return (
        f"cap {cap.id}: '{said}' for {who}: each person by itself, or all of them together?",
        "write `pool: person` for each, `pool: role` for all of a role, or `pool: all`",
    )


def open_questions(contract: ContractDocument) -> Iterator[tuple[Place, Question]]:
    """What the contract's model accepts and billing could not bill: the question, at its place."""
    for index, cap in enumerate(contract.caps):
        if cap.pool is None and cap.window is not CapWindow.ENTRY:
            yield ("caps", index), pool_question(cap)


def assumptions(contract: ContractDocument) -> Iterator[tuple[Place, str]]:
    """The readings that were taken because the file does not say, where another one would cost another amount."""
    yield from _of_increments(contract)
    yield from _of_caps(contract)
    yield from _of_money(contract)
    for index, retainer in enumerate(contract.retainers):
        if "rollover" not in retainer.model_fields_set:
            yield ("retainers", index), f"retainer {retainer.id}: unused hours lapse (`rollover: none`)"
        if retainer.overage_rate is None and not retainer.allow_deficit:
            said = "hours beyond are billed at the contract's rates (no `overage_rate`)"
            yield ("retainers", index), f"retainer {retainer.id}: {said}"


def _of_increments(contract: ContractDocument) -> Iterator[tuple[Place, str]]:
    for index, rule in enumerate(contract.increments):
        if not rule.minutes:
            continue
        if "scope" not in rule.model_fields_set:
            said = f"{rule.minutes} minutes are rounded per entry, not per day (`scope: entry`)"
            yield ("increments", index), said
        if "mode" not in rule.model_fields_set:
            yield ("increments", index), f"{rule.minutes} minutes are always rounded up (`mode: up`)"


def _of_caps(contract: ContractDocument) -> Iterator[tuple[Place, str]]:
    for index, cap in enumerate(contract.caps):
        if "overflow" not in cap.model_fields_set:
            said = f"cap {cap.id}: what is above waits for an approval (`overflow: hold_for_approval`)"
            yield ("caps", index), said
        if contract.increments and "basis" not in cap.model_fields_set:
            yield ("caps", index), f"cap {cap.id}: rounded time counts, not worked time (`basis: billable`)"


def _of_money(contract: ContractDocument) -> Iterator[tuple[Place, str]]:
    foreign = sorted(
        {row.currency for row in (*contract.rates, *contract.blended) if row.currency not in ("", contract.currency)}
    )
    if foreign and "fx_date" not in contract.exchange.model_fields_set:
        said = f"{', '.join(foreign)} becomes {contract.currency} at the invoice date's rate (`fx_date: invoice`)"
        yield ("exchange",), said
    marked_up = any(row.percent for row in contract.expenses.markups)
    if marked_up and "show_markup" not in contract.expenses.model_fields_set:
        yield ("expenses",), "mark-up is inside the expense lines (`show_markup: included`)"
