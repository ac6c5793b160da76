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
from tests.second.discounts import apply_discounts, discount_earlier
from tests.second.expenses import expense_charges
from tests.second.fees import Fee, fee_of_units
from tests.second.increments import round_time
from tests.second.lines import Charge, Line, lines_of, rate_time, show_quantities
from tests.second.minimum import counted, deposit_use, held_money, least, open_shortfalls, rows_in, true_ups
from tests.second.money import Part, Rounded, apply_amount_caps, keep_limits, parts_of, round_line
from tests.second.sorting import sort_time
from tests.second.stretch import Stretch
from tests.second.taxes import Taxed, fee_tax_index, tax_facts


@dataclass
class Draft:
    """An invoice on the way: its time by bucket, its charges, what is shown of them, and the fees beside them.

    `apart` are discounts on lines of their own: the tax rule of their lines, and units.
    """

    case: Case
    time: list[Stretch] = field(default_factory=list)
    placed: list[tuple[Stretch, str, str]] = field(default_factory=list)
    charges: list[Charge] = field(default_factory=list)
    shown: list[Rounded] = field(default_factory=list)
    parts: list[list[Part]] = field(default_factory=list)
    fees: list[Fee] = field(default_factory=list)
    apart: list[Taxed] = field(default_factory=list)
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
    for one_apart in draft.apart:
        facts.lines[line_fact("discount", 0, 0, one_apart.units, [])] += 1
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
    for minimum_id in dict.fromkeys(row.id for row in contract.minimum if row.shortfall is Shortfall.CARRY):
        draft.fees += carried_shortfalls(case, minimum_id)
    for deposit in [one for one in contract.deposits if one.deduct_from is DepositDeduction.NEXT_INVOICES]:
        draft.fees += next_deduction(draft, deposit)
    taxed = [Taxed(one.units, one.tax) for one in draft.shown] + draft.apart
    for fee in draft.fees:
        taxed.append(Taxed(fee.units - fee.discount, tax_of_fee(case, fee)))
    draft.taxes, draft.tax = tax_facts(case, taxed)
    draft.net = sum(one.units for one in taxed)
    return draft


def tax_of_fee(case: Case, fee: Fee) -> int:
    """The position of its tax rule."""
    return fee_tax_index(case, TaxedKind.FEE, fee.service_item, fee.project, fee.day)


def carried_shortfalls(case: Case, minimum_id: str) -> list[Fee]:
    """What earlier periods, or this one, lack of a minimum and is billed now."""
    over: list[int] = []
    last = case.period.end - timedelta(days=1)
    for period in case.periods():
        other = before_commitments(earlier(case, period))
        rows = rows_in(other.case, minimum_id)
        over.append(counted(rows[-1], other.shown, other.fees) - least(other.case, rows) if rows else 0)
    rows = rows_in(case, minimum_id)
    if not rows:
        return []
    billed = open_shortfalls(case, minimum_id, over)
    return [fee_of_units("minimum_true_up", units, last, rows[-1].service_item) for units in billed]


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
    last = case.period.end - timedelta(days=1)
    return [fee_of_units("deposit", -used, last, deposit.service_item, deposit.project)] if used else []


def earlier(case: Case, period: Period) -> Case:
    """The same firm when the invoice of an earlier period was written, at the end of it."""
    if period == case.period:
        return case
    entries = tuple(replace(entry, billed_on="") for entry in case.entries)
    return replace(case, period=period, invoice_date=period.end - timedelta(days=1), entries=entries)


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
    lines = without_empty(draft, lines_of([one for one in draft.charges if not one.one.entry.billed_on]))
    show_quantities(case, lines)
    present = [line for line in lines if line.key[0] == case.period.start]
    fees = [*agreed_fees(case), *retainer_fees(case), *at_the_end(case, drawn)]
    draft.fees = sorted(fees, key=lambda fee: (fee.day, fee.kind))
    apply_discounts(case, present, draft.fees)
    before = earlier_fees(case)
    shown = {id(charge) for line in present for charge in line.charges}
    discount_earlier(case, [one for one in draft.charges if id(one) not in shown], before)
    apply_amount_caps(case, draft.charges, [*before, *draft.fees])
    show(draft, present, before)
    draft.placed += billed_before(draft)
    discounts_apart(draft)
    return draft


def earlier_fees(case: Case) -> list[Fee]:
    """The agreed fees of all invoices before, where a limit on money counts them, or time that shared a discount."""
    if not case.contract.amount_caps:
        return []
    before = [earlier(case, period) for period in case.periods()[:-1]]
    return [fee for one in before for fee in (*agreed_fees(one), *retainer_fees(one))]


def discounts_apart(draft: Draft) -> None:
    """One line for each discount on a line of its own and each tax of the lines that it reduces (BD-48)."""
    found: dict[tuple[str, int], int] = {}
    for rounded in draft.shown:
        for name, units in rounded.line.apart.items():
            found[name, rounded.tax] = found.get((name, rounded.tax), 0) + units
    for fee in draft.fees:
        for name, units in fee.apart_of.items():
            key = (name, tax_of_fee(draft.case, fee))
            found[key] = found.get(key, 0) + units
    draft.apart = [Taxed(-units, tax) for (_, tax), units in found.items() if units]


def billed_before(draft: Draft) -> list[tuple[Stretch, str, str]]:
    """Time that stands on an approved document already: it keeps its room and is on no line."""
    own = [charge.one for charge in draft.charges if charge.kind == "fee" and charge.one.entry.billed_on]
    return [(one, "billed", "billed_before") for one in own]


def without_empty(draft: Draft, lines: list[Line]) -> list[Line]:
    """A line whose whole time was rounded away is none; its seconds stay billed (BD-75)."""
    kept: list[Line] = []
    for line in lines:
        if line.kind == "fee" and line.seconds == 0:
            draft.placed += [(charge.one, "billed", "rounded_to_zero") for charge in line.charges]
        else:
            kept.append(line)
    return kept


def show(draft: Draft, lines: list[Line], before: list[Fee]) -> None:
    """Round each line and share it out."""
    draft.shown = [round_line(draft.case, line) for line in lines]
    draft.parts = [parts_of(rounded.line, rounded.units) for rounded in draft.shown]
    parts = [part for of_line in draft.parts for part in of_line]
    keep_limits(draft.case, draft.charges, [*before, *draft.fees], parts)
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
