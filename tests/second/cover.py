"""Step 6: what a fixed fee pays for leaves, before caps and balances (BD-43)."""

from schemas.engagement import FixedCover, Takes
from schemas.inputs import Category
from tests.second.case import Case
from tests.second.rates import in_work_scope, takes, tier_of
from tests.second.stretch import Stretch


def covers(row: FixedCover, one: Stretch) -> bool:
    """Whether a fixed fee pays for this time: what was decided to be project work, or all."""
    decided = one.entry.category is Category.PROJECT
    wanted = decided or (row.takes is Takes.ALL and one.entry.category is Category.BILLABLE)
    return row.covers(one.day) and in_work_scope(row, one) and wanted


def remove_covered(case: Case, live: list[Stretch]) -> tuple[list[Stretch], list[tuple[Stretch, str, str]]]:
    """What is left, and what is covered."""
    left: list[Stretch] = []
    covered: list[tuple[Stretch, str, str]] = []
    for one in live:
        row = next((row for row in case.contract.fixed_cover if covers(row, one)), None)
        if row is None:
            left.append(one)
        else:
            covered.append((one, "fixed_fee", f"fixed_fee:{row.id}"))
    return left, covered


def is_covered(case: Case, one: Stretch) -> bool:
    """Whether a fixed fee pays for this time."""
    return any(covers(row, one) for row in case.contract.fixed_cover)


def has_engagement(case: Case, one: Stretch) -> bool:
    """Whether the contract has something for work that was decided to be retainer or project work."""
    if one.entry.category is Category.PROJECT:
        return is_covered(case, one)
    return has_retainer(case, one)


def has_retainer(case: Case, one: Stretch) -> bool:
    """Whether a retainer or block of the work date would pay for this time, if it has hours."""
    retainers = [row for row in case.contract.retainers if row.covers(one.day)]
    return any(takes(row, one) for row in retainers) or any(takes(row, one) for row in case.contract.prepaid_blocks)


def needs_rate(case: Case, one: Stretch) -> bool:
    """Whether nothing but a rate can price this time."""
    drawn = has_retainer(case, one)
    return tier_of(case, one) is None and not drawn and not is_covered(case, one)
