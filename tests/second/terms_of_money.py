"""Clauses of generated firms that look at amounts: limits, lines, expenses, taxes, exchange, discounts, fees."""

from datetime import timedelta
from random import Random

from schemas.period import Period
from tests.second.picking import Clauses, changed_on, day_near, day_within, maybe_changed


def pick_amount_caps(random: Random, period: Period) -> Clauses:
    """A not-to-exceed of one width or two; some count fees beside the hours, some include tax, some change."""
    caps: list[Clauses] = []
    windows = ["entry", "task", "day", "week", "month", "dates", "project", "contract"]
    for window in random.sample(windows, random.randint(1, 2)):
        limit = {"entry": "99.5", "day": "333.33", "week": "1000", "month": "2500.01"}.get(window, "3000")
        counts = random.choice(["fees", "fees_and_expenses", "all_fees", "everything", "expenses"])
        cap: Clauses = {"id": f"nte-{window}", "window": window, "amount": limit, "counts": counts}
        cap["includes_tax"] = random.random() < 0.4
        if window == "dates":
            first = day_within(random, period)
            cap |= {"window_from": str(first), "window_to": str(first + timedelta(days=random.choice([5, 15, 40])))}
        if counts == "fees" and random.random() < 0.3:
            cap["roles"] = ["senior"]
        if random.random() < 0.15:
            cap["projects"] = ["alpha"]
        caps += maybe_changed(random, period, cap, amount="1500.5")
    return {"amount_caps": caps}


def pick_lines(random: Random, _: Period) -> Clauses:
    """Grouping, a roll-up, the basis of amounts and ties."""
    group_by = random.choice([[], ["project", "person"], ["entry"], ["date"], ["service_item", "role"], ["task"]])
    rollup = {
        "id": "m",
        "text": "Maintenance",
        "tags": ["bugfix"],
        "words": random.choice([[], ["upkeep"]]),
        "rates": random.choice(["preserve", "average", "lump"]),
    }
    found: Clauses = {"lines": {"group_by": group_by, "rollups": [rollup] if random.random() < 0.6 else []}}
    basis = random.choice([{}, {"amount_basis": "displayed", "quantity_decimals": random.choice([0, 2, 4])}])
    found["rounding"] = basis | {"money_rounding": random.choice(["half_up", "half_even"])}
    return found


def pick_expenses(random: Random, period: Period) -> Clauses:
    """Mark-up for one category or all, and a category that is not paid."""
    markups = maybe_changed(random, period, {"category": "hotel", "percent": "10"}, percent="12.5")
    if random.random() < 0.5:
        markups.append({"percent": "7.5"})
    show = random.choice(["included", "separate"])
    return {"expenses": {"markups": markups, "show_markup": show, "not_billable": random.choice([[], ["meals"]])}}


def pick_taxes(random: Random, period: Period) -> Clauses:
    """One rate, or several categories; some with a rate that changes in the period."""
    special: list[Clauses] = [
        {"category": "R", "percent": "5", "service_items": ["Meetings"]},
        {"category": "R", "percent": "5", "expense_categories": ["hotel"]},
        {"category": "AE", "percent": "0", "reason": "Reverse charge", "projects": ["beta"]},
        {"category": "S", "percent": "16", "to": str(day_within(random, period))},
        {"category": "F", "percent": "8.1", "kinds": ["fee"], "projects": ["alpha"]},
        {"category": "X", "percent": "3", "kinds": ["expense"]},
    ]
    rules = [
        *random.sample(special, random.randint(0, 2)),
        {"category": "S", "percent": random.choice(["19", "20", "7.25"])},
    ]
    return {"taxes": rules, "tax_rounding": random.choice(["document", "line"])}


def pick_exchange(random: Random, period: Period) -> Clauses:
    """An invoice in another currency than the rates."""
    fx_date = random.choice(["invoice", "work", "period_end", "contract_rate"])
    terms: Clauses = {"fx_date": fx_date, "fallback_days": random.choice([0, 3])}
    if fx_date == "contract_rate":
        agreed: Clauses = {"base": "USD", "rate": "0.925"}
        terms["contract_rates"] = maybe_changed(random, period, agreed, rate="0.9375")
    if random.random() < 0.2:
        terms["rate_source"] = "ECB"
    rates = [{"role": "senior", "rate": "150", "currency": "USD"}, {"rate": "99.95"}]
    return {"exchange": terms, "currency": random.choice(["EUR", "EUR", "JPY", "KWD"]), "rates": rates}


def pick_discounts(random: Random, period: Period) -> Clauses:
    """Discounts on lines or on the invoice, inside of lines or on lines of their own."""
    found: list[Clauses] = []
    for number in range(random.randint(1, 2)):
        counts = ["fees", "all_fees", "expenses", "everything", "fees_and_expenses"]
        row: Clauses = {"id": f"d{number}", "counts": random.choice(counts)}
        row |= random.choice([{"percent": "10"}, {"percent": "7.5", "level": "line"}, {"amount": "100"}])
        row |= random.choice([{}, {}, {"show": "separate"}])
        if row["counts"] != "expenses" and random.random() < 0.3:
            lists = [{"people": ["ana"]}, {"roles": ["senior"]}, {"tasks": ["review"]}, {"projects": ["alpha"]}]
            row |= random.choice([{"service_items": ["Development"]}, *lists])
        change: Clauses = {"amount": "55"} if "amount" in row else {"percent": "12"}
        found += maybe_changed(random, period, row, **change)
    return {"discounts": found}


def pick_fees(random: Random, period: Period) -> Clauses:
    """Fixed, recurring and usage fees."""
    recurring: Clauses = {"id": "r", "amount": random.choice(["310.50", "99.99"])}
    recurring |= {"every": random.choice(["week", "month", "quarter", "year"])}
    recurring |= {"billed_at": random.choice(["start", "end"]), "service_item": random.choice(["", "Meetings"])}
    recurring |= random.choice([{}, {"prorate": "calendar_days"}, {"prorate": "workdays"}])
    recurring |= random.choice([{}, {}, {"from": day_near(random, period)}, {"to": day_near(random, period)}])
    rows = [recurring]
    if not {"from", "to"} & set(recurring) and random.random() < 0.3:
        rows = changed_on(recurring, day_within(random, period), amount="250.25")
    usage: Clauses = {"id": "u", "meter": "calls", "included_units": "1000", "package_units": "300", "price": "0.40"}
    usage |= {"partial_package": random.choice(["full", "pro_rata"]), "reset": random.choice(["period", "contract"])}
    fixed: Clauses = {"id": "f", "amount": "1234.50", "on": day_near(random, period), "project": "beta"}
    return {"recurring_fees": rows, "usage_fees": [usage], "fixed_fees": [fixed]}


def pick_milestones(random: Random, period: Period) -> Clauses:
    """A plan in parts, with a deposit."""
    kinds: list[list[Clauses]] = [
        [{"percent": "30"}, {"percent": "40"}, {"percent": "30"}],
        [{"share": 1}, {"share": 1}, {"share": 1}],
        [{"amount": "2500.50"}, {"amount": "7000"}, {"amount": "499.50"}],
    ]
    parts: list[Clauses] = []
    for number, part in enumerate(random.choice(kinds)):
        due: Clauses = random.choice([{"due": "acceptance"}, {"due": "date", "on": day_near(random, period)}])
        parts.append({"id": f"m{number}", **part, **due})
    found: Clauses = {"milestones": [{"id": "plan", "total": "10000", "parts": parts}]}
    if random.random() < 0.3:
        deposit = {"id": "dep", "amount": "700", "on": day_near(random, period), "deduct_from": "next_invoices"}
        found["deposits"] = [deposit]
    elif random.random() < 0.5:
        on = str(period.start - timedelta(days=random.choice([0, 0, 70])))
        deposit = {"id": "dep", "plan": "plan", "percent": "4", "on": on, "deduct_from": "milestone"}
        parts[-1].pop("on", None)
        parts[-1] |= {"due": "date", "on": str(period.start + timedelta(days=random.choice([0, 3, 27, 40])))}
        found["deposits"] = [deposit]
    return found


def pick_minimum(random: Random, period: Period, every: str) -> Clauses:
    """A minimum that is billed at once or carried."""
    counts = random.choice(["fees", "all_fees", "fees_and_expenses", "everything"])
    row: Clauses = {"amount": random.choice(["2000", "4000"]), "every": every, "counts": counts}
    row |= random.choice([{"shortfall": "bill"}, {"shortfall": "carry", "carry_periods": random.choice([1, 2])}])
    row |= random.choice([{}, {"prorate": "calendar_days"}, {"prorate": "workdays"}])
    return {"minimum": maybe_changed(random, period, row, amount="3000")}


def pick_held_money(random: Random, period: Period) -> Clauses:
    """A money retainer with replenishment, or a prepayment; some have trust money beside it."""
    received = [{"on": day_near(random, period), "amount": random.choice(["500", "5000"])} for _ in range(2)]
    asks: Clauses = random.choice([{}, {"threshold": "2000", "target": "5000"}])
    held: Clauses = {"money_retainer": {"id": "held", "received": received, **asks}}
    if random.random() < 0.3:
        held["trust"] = {"id": "trust", "received": [{"on": day_near(random, period), "amount": "800"}]}
    return held
