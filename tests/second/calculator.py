"""The whole invoice, step by step in the order of the rules (section 3), with nothing but fractions and patience."""

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import timedelta
from fractions import Fraction

from schemas.charges import Deposit, DepositDeduction, Shortfall
from schemas.clauses import TaxedKind
from schemas.period import Period
from tests.second.agreed import agreed_fees, deposit_units
from tests.second.balances import at_the_end, draw, retainer_fees
from tests.second.caps import apply_caps
from tests.second.case import Case, Facts, line_fact
from tests.second.cover import remove_covered
from tests.second.discounts import apply_discounts
from tests.second.expenses import expense_charges
from tests.second.fees import Fee
from tests.second.increments import round_time
from tests.second.lines import Charge, Line, lines_of, rate_time, show_quantities
from tests.second.minimum import counted, deposit_use, held_money, least, open_shortfalls, true_ups
from tests.second.money import Part, Rounded, apply_amount_caps, keep_limits, parts_of, round_line
from tests.second.sorting import sort_time
from tests.second.stretch import Stretch
from tests.second.taxes import Taxed, fee_tax_index, tax_facts


@dataclass
class Draft:
    """An invoice on the way: its time by bucket, its charges, what is shown of them, and the fees beside them."""

    case: Case
    time: list[Stretch] = field(default_factory=list)
    placed: list[tuple[Stretch, str, str]] = field(default_factory=list)
    charges: list[Charge] = field(default_factory=list)
    shown: list[Rounded] = field(default_factory=list)
    parts: list[list[Part]] = field(default_factory=list)
    fees: list[Fee] = field(default_factory=list)
    taxes: Counter[tuple[object, ...]] = field(default_factory=Counter)
    burnt: dict[str, Fraction] = field(default_factory=dict)
    net: int = 0
    tax: int = 0

    @property
    def gross(self) -> int:
        """Net and tax."""
        return self.net + self.tax


def calculate(case: Case) -> Facts:
    """The facts of the invoice of a case."""
    draft = compute(case)
    facts = Facts()
    for one, bucket, reason in draft.placed:
        if one.counted in case.period:
            facts.place(one.entry.entry_id, bucket, reason, one.worked, one.delta)
    for rounded, parts in zip(draft.shown, draft.parts, strict=True):
        kind, seconds = rounded.line.kind, rounded.line.seconds
        sources = [one.fact for one in parts]
        if kind == "markup" and case.contract.discounts:
            sources = [(entry_id, 0, 0, 0) for entry_id, *_ in sources]
        facts.lines[line_fact(kind, seconds, rounded.adjustment, rounded.units, sources)] += 1
        if kind == "fee":
            facts.buckets["billed", ""] += sum(one.fact[1] for one in parts)
    for fee in [fee for fee in draft.fees if fee.units]:
        facts.lines[line_fact(fee.kind, 0, -fee.discount, fee.units - fee.discount, [])] += 1
    facts.taxes = draft.taxes
    facts.totals = {"net": draft.net, "tax": draft.tax, "gross": draft.gross, "due": draft.gross}
    facts.totals["worked"] = sum(one.worked for one in draft.time if one.day in case.period)
    facts.totals |= {f"{name} used": int(seconds) for name, seconds in draft.burnt.items() if seconds}
    pay_from_held_money(case, facts)
    for (_, bucket, reason), (worked, _) in facts.placed.items():
        facts.buckets[bucket, reason] += worked
    facts.buckets = Counter({key: seconds for key, seconds in facts.buckets.items() if seconds})
    return facts


def compute(case: Case) -> Draft:
    """Steps 2 to 15."""
    draft = before_commitments(case)
    contract = case.contract
    draft.fees += true_ups(case, draft.shown, draft.fees)
    for row in [row for row in contract.minimum if row.shortfall is Shortfall.CARRY]:
        over = []
        for period in case.periods():
            other = before_commitments(earlier(case, period))
            over.append(counted(row, other.shown, other.fees) - least(other.case, row))
        draft.fees += [Fee("minimum_true_up", units, row.service_item) for units in open_shortfalls(case, row, over)]
    for deposit in [one for one in contract.deposits if one.deduct_from is DepositDeduction.NEXT_INVOICES]:
        draft.fees += next_deduction(draft, deposit)
    taxed = [Taxed(one.units, one.tax) for one in draft.shown]
    for fee in draft.fees:
        at = fee_tax_index(case, TaxedKind.FEE, fee.service_item, fee.project)
        taxed.append(Taxed(fee.units - fee.discount, at))
    draft.taxes, draft.tax = tax_facts(case, taxed)
    draft.net = sum(one.units for one in taxed)
    return draft


def next_deduction(draft: Draft, deposit: Deposit) -> list[Fee]:
    """What this invoice takes from a deposit of an earlier one."""
    case = draft.case
    periods = case.periods()
    asked_on = [number for number, period in enumerate(periods) if deposit.on in period]
    if not asked_on and deposit.on > periods[0].start:
        return []
    without = replace(case, contract=case.contract.model_copy(update={"deposits": ()}))
    nets = [compute(earlier(without, period)).net for period in periods]
    used = deposit_use(deposit_units(case, deposit), asked_on[0] if asked_on else -1, nets)[-1]
    return [Fee("deposit", -used, deposit.service_item, deposit.project)] if used else []


def earlier(case: Case, period: Period) -> Case:
    """The same firm when the invoice of an earlier period was written, at the end of it."""
    if period == case.period:
        return case
    return replace(case, period=period, invoice_date=period.end - timedelta(days=1))


def before_commitments(case: Case) -> Draft:
    """Steps 2 to 12, but for what depends on the amounts of this and earlier invoices."""
    draft = Draft(case)
    sorted_time = sort_time(case)
    draft.time = sorted_time.live + [one for one, _, _ in sorted_time.placed]
    rounded = [one for one in round_time(case, sorted_time.live) if one.worked or one.delta]
    uncovered, covered = remove_covered(case, rounded)
    capped = apply_caps(case, uncovered)
    drawn = draw(case, capped.live)
    draft.placed = [*sorted_time.placed, *covered, *capped.placed, *drawn.placed]
    draft.burnt = drawn.burnt
    draft.charges = [*rate_time(case, drawn.live, draft.placed), *expense_charges(case)]
    lines = without_empty(draft, lines_of(draft.charges))
    show_quantities(case, lines)
    present = [line for line in lines if line.key[0] == case.period.start]
    draft.fees = [*agreed_fees(case), *retainer_fees(case), *at_the_end(case, drawn)]
    apply_discounts(case, present, draft.fees)
    apply_amount_caps(case, draft.charges)
    show(draft, present)
    return draft


def without_empty(draft: Draft, lines: list[Line]) -> list[Line]:
    """A line whose whole time was rounded away is none; its seconds stay billed (BD-75)."""
    kept: list[Line] = []
    for line in lines:
        if line.kind == "fee" and line.seconds == 0:
            draft.placed += [(charge.one, "billed", "rounded_to_zero") for charge in line.charges]
        else:
            kept.append(line)
    return kept


def show(draft: Draft, lines: list[Line]) -> None:
    """Round each line and share it out."""
    draft.shown = [round_line(draft.case, line) for line in lines]
    draft.parts = [parts_of(rounded.line, rounded.units) for rounded in draft.shown]
    keep_limits(draft.case, draft.charges, [part for of_line in draft.parts for part in of_line])
    for rounded, of_line in zip(draft.shown, draft.parts, strict=True):
        kept = sum(part.units for part in of_line)
        rounded.adjustment += kept - rounded.units
        rounded.units = kept


def pay_from_held_money(case: Case, facts: Facts) -> None:
    """Step 16, over all invoices since the contract's start."""
    contract = case.contract
    accounts = [one for one in (contract.money_retainer, contract.trust) if one is not None]
    if not accounts:
        return
    dues = [compute(earlier(case, period)).gross for period in case.periods()]
    for held in accounts:
        uses = held_money(case, held, dues)
        for name, units in zip(("before", "applied", "after", "requested"), uses[-1], strict=True):
            facts.totals[f"{held.id} {name}"] = units
        dues = [due - use[1] for due, use in zip(dues, uses, strict=True)]
    facts.totals["due"] = dues[-1]
