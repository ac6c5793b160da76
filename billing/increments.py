"""Increments and minimums. Billing-domain section 3, step 5; BD-01..07, BD-75.

A rounding delta lies at the end of what was rounded as a whole: a positive one follows the last worked second, a
negative one takes away the last ones, so no part of an entry is ever billed below zero.
"""

from collections.abc import Sequence

from schemas.clauses import IncrementMode, IncrementRule

NO_INCREMENT = IncrementRule()


def counted_seconds(worked_seconds: int, rule: IncrementRule) -> int:
    """Worked seconds as the rule sees them: whole minutes when it ignores seconds (BD-07)."""
    return worked_seconds // 60 * 60 if rule.ignore_seconds else worked_seconds


def round_seconds(counted: int, rule: IncrementRule) -> int:
    """Billable seconds of something rounded as a whole; nothing worked stays nothing."""
    if counted == 0:
        return 0
    step = rule.minutes * 60
    billable = counted
    if step:
        whole, rest = counted // step, counted % step
        match rule.mode:
            case IncrementMode.UP:
                # A tolerated remainder is dropped, but work never disappears by tolerance (BD-06).
                tolerated = rest <= rule.tolerance_minutes * 60 and (whole > 0 or rest == 0)
                billable = step * (whole if tolerated else whole + 1)
            case IncrementMode.NEAREST:
                billable = step * (whole + 1 if 2 * rest >= step else whole)
            case IncrementMode.DOWN:
                billable = step * whole
    return max(billable, rule.minimum_minutes * 60)


def delta_of(worked_seconds: int, rule: IncrementRule) -> int:
    """The rounding delta of something rounded as a whole, worked seconds of one entry."""
    if rule is NO_INCREMENT:
        return 0
    return round_seconds(counted_seconds(worked_seconds, rule), rule) - worked_seconds


def lay_delta(worked_seconds: Sequence[int], delta_seconds: int) -> list[int]:
    """The rounding delta of each part, in work order: at the end, reaching back if the last part is too short."""
    deltas = [0] * len(worked_seconds)
    if delta_seconds >= 0:
        if deltas:
            deltas[-1] = delta_seconds
        return deltas
    left = -delta_seconds
    for index in range(len(worked_seconds) - 1, -1, -1):
        taken = min(left, worked_seconds[index])
        deltas[index] = -taken
        left -= taken
        if not left:
            break
    assert left == 0, "a rounding takes no more than was worked"
    return deltas


def rule_text(rule: IncrementRule) -> str:
    """The rule in words, for explanations."""
    words = [f"{rule.minutes} min {rule.mode.value} per {rule.scope.value}" if rule.minutes else "no increment"]
    if rule.minimum_minutes:
        words.append(f"at least {rule.minimum_minutes} min")
    if rule.tolerance_minutes:
        words.append(f"{rule.tolerance_minutes} min tolerated")
    if rule.ignore_seconds:
        words.append("seconds ignored")
    return ", ".join(words)
