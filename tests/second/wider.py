"""What the first generated firms lack, for the seeds of a later range: those before it stay what they always were.

Fees due before a contract's first day, limits that change twice or are tight, a rule that stands in two rows.
"""

from datetime import date, timedelta
from decimal import Decimal
from random import Random

from schemas.period import Period
from tests.second.picking import Clauses, changed_on, day_within

FIRST_WIDER_SEED = 1_000_000_000
TIGHT = ("54.72", "99.99", "150", "333.33")


def widen(random: Random, period: Period, clauses: Clauses) -> None:
    """Change some clauses of a contract in place."""
    if clauses["currency"] != "JPY" and random.random() < 0.2:
        clauses["fixed_fees"] = [*_rows(clauses, "fixed_fees"), _early_fee(random, period, clauses)]
    if random.random() < 0.5:
        clauses |= _with_limits(random, period, _rows(clauses, "amount_caps"))
    rules = _rows(clauses, "increments")
    if len(rules) == 1 and random.random() < 0.5:
        clauses["increments"] = changed_on(rules[0], day_within(random, period))


def _rows(clauses: Clauses, name: str) -> list[Clauses]:
    rows = clauses.get(name, [])
    assert isinstance(rows, list)
    return rows


def _early_fee(random: Random, period: Period, clauses: Clauses) -> Clauses:
    """A fee that is due shortly before the contract begins, or shortly after."""
    start = clauses["from"]
    assert isinstance(start, date)
    if "to" not in clauses and random.random() < 0.5:
        start = clauses["from"] = period.start + timedelta(days=random.choice([-25, -3, 4, 9]))
    return {"id": "early", "amount": "120.35", "on": str(start + timedelta(days=random.choice([-6, -2, -1, 0, 2])))}


def _with_limits(random: Random, period: Period, limits: list[Clauses]) -> Clauses:
    """The limits on money, some so tight that rounding passes them, some changed once more."""
    found: list[Clauses] = []
    for given in limits:
        amount = random.choice(TIGHT) if random.random() < 0.6 else given["amount"]
        row = given | {"amount": amount}
        later = day_within(random, period) + timedelta(days=4)
        first = row.get("from")
        if "to" not in row and random.random() < 0.5 and (first is None or str(first) < str(later)):
            other = Decimal(str(amount)) * random.choice([Decimal("0.5"), Decimal("0.9"), Decimal(2)])
            found += changed_on(row, later, amount=f"{other:.2f}")
        else:
            found.append(row)
    return {"amount_caps": found} if found else {}
