"""Generated firms: a contract that combines some clauses, a directory, and entries near every boundary there is.

One seed is one case, for ever the same as long as these files are; a difference names its seed.
"""

from collections.abc import Callable
from datetime import timedelta
from random import Random
from zoneinfo import ZoneInfo

from schemas.contract import ContractDocument
from schemas.period import Period, parse_period
from tests.second.case import Case
from tests.second.picking import ZONES, Clauses
from tests.second.terms_of_money import (
    pick_amount_caps,
    pick_discounts,
    pick_exchange,
    pick_expenses,
    pick_fees,
    pick_held_money,
    pick_lines,
    pick_milestones,
    pick_minimum,
    pick_taxes,
)
from tests.second.terms_of_time import (
    pick_blended,
    pick_blocks,
    pick_caps,
    pick_cover,
    pick_increments,
    pick_premiums,
    pick_rates,
    pick_retainers,
    pick_split,
    pick_tiers,
    start_of,
    with_premium_weights,
)
from tests.second.wider import FIRST_WIDER_SEED, widen
from tests.second.work import directory_of, documents_of, entry_of, exchange_rates, payments_of

# Months with clock changes in one of the zones, a leap day, and a year's end whose ISO week is not the calendar's.
MONTHS = ("2025-03", "2025-10", "2025-01", "2024-12", "2024-02", "2025-04", "2025-11", "2027-01")
WEEKS = ("2025-W01", "2025-W13", "2025-W40", "2026-W53", "2025-W10")

PICKS: tuple[Callable[[Random, Period], Clauses], ...] = (
    pick_increments,
    pick_premiums,
    pick_caps,
    pick_caps,
    pick_amount_caps,
    pick_lines,
    pick_expenses,
    pick_taxes,
    pick_blended,
    pick_split,
    pick_exchange,
    pick_discounts,
    pick_cover,
    pick_retainers,
)
SELDOM: tuple[Callable[[Random, Period], Clauses], ...] = (
    pick_fees,
    pick_milestones,
    pick_held_money,
    pick_blocks,
    pick_tiers,
)


def contract_clauses(random: Random, period: Period, every: str) -> Clauses:
    """Rates and some more clauses."""
    clauses: Clauses = {"id": "c-1", "client": "acme", "currency": "USD", "zone": random.choice(ZONES)}
    clauses |= {"from": start_of(random, period, every), "close": {"every": every}}
    clauses["holidays"] = [period.start + timedelta(days=random.randint(0, 20))]
    clauses |= pick_rates(random, period)
    for pick in random.sample(PICKS, random.randint(1, 5)):
        clauses |= pick(random, period)
    for pick in SELDOM:
        if random.random() < 0.12:
            clauses |= pick(random, period)
    if random.random() < 0.12:
        clauses |= pick_minimum(random, period, every)
    if random.random() < 0.1:
        clauses["to"] = period.end - timedelta(days=random.choice([0, 0, 3]))
    if random.random() < 0.1:
        clauses["project"] = "alpha"
    fit_together(random, clauses)
    return clauses


def rows_of(clauses: Clauses, name: str) -> list[Clauses]:
    """The rows of a clause; none when the contract does not have it."""
    rows = clauses.get(name, [])
    assert isinstance(rows, list)
    return rows


def fit_together(random: Random, clauses: Clauses) -> None:
    """Leave out what the language refuses beside something else, and tie weights to premiums."""
    if clauses.get("tiers"):
        clauses.pop("blended", None)
        for name in ("retainers", "prepaid_blocks"):
            beyond = {"overage_rate", "allow_deficit"}
            rows = [{key: row[key] for key in row if key not in beyond} for row in rows_of(clauses, name)]
            clauses |= {name: rows} if rows else {}
        if any(row.get("mode") == "block" for row in rows_of(clauses, "tiers")):
            clauses.pop("amount_caps", None)
    if clauses.get("currency") == "JPY":
        for name in ("fixed_fees", "milestones", "deposits"):
            clauses.pop(name, None)
    if clauses.get("retainers") and random.random() < 0.3:
        credit = {"surplus_at_end": "credit", "credit_rate": "60"}
        clauses["retainers"] = [row | credit for row in rows_of(clauses, "retainers")]
    premiums = sorted({str(row["id"]) for row in rows_of(clauses, "premiums")})
    for name in ("retainers", "prepaid_blocks"):
        if premiums and clauses.get(name) and random.random() < 0.5:
            clauses[name] = [with_premium_weights(random, row, premiums) for row in rows_of(clauses, name)]


def generate(seed: int) -> Case:
    """The case of a seed."""
    random = Random(seed)
    every = "month" if random.random() < 0.8 else "week"
    period = parse_period(random.choice(MONTHS if every == "month" else WEEKS))
    clauses = contract_clauses(random, period, every)
    if seed >= FIRST_WIDER_SEED:
        widen(random, period, clauses)
    contract = ContractDocument.model_validate(clauses)
    zone = ZoneInfo(contract.zone)
    entries = tuple(entry_of(random, number, period, zone) for number in range(random.randint(0, 24)))
    rates = exchange_rates(random, period, contract.currency)
    invoice_date = period.end + timedelta(days=random.randint(0, 3))
    payments = payments_of(random, period, contract)
    drawn, written = documents_of(random, period, contract)
    return Case(contract, directory_of(random), entries, rates, period, invoice_date, payments, drawn, written)
