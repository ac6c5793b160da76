"""Increments and minimums. Billing-domain section 3, step 5; BD-01..07, BD-75.

A rounding delta lies at the end of what was rounded as a whole: a positive one follows the last worked second, a
negative one takes away the last ones, so no part of an entry is ever billed below zero.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from schemas.clauses import IncrementMode, IncrementRule

NO_INCREMENT = IncrementRule()


@dataclass(frozen=True, slots=True, eq=False)
class Rounding:
    """An increment rule as plain numbers, made once and asked for each entry; seconds.

    `is_up_only` says that it rounds up to whole steps and knows no exception.
    """

    mode: IncrementMode
    step_seconds: int
    tolerated_seconds: int
    minimum_seconds: int
    ignores_seconds: bool
    is_up_only: bool

    def billable(self, counted: int) -> int:
        """Billable seconds of something rounded as a whole; nothing worked stays nothing."""
        if counted == 0:
            return 0
        step, billable = self.step_seconds, counted
        if step and (rest := counted % step):
            billable = counted - rest
            match self.mode:
                case IncrementMode.UP:
                    # A tolerated remainder is dropped, but work never disappears by tolerance (BD-06).
                    if rest > self.tolerated_seconds or billable == 0:
                        billable += step
                case IncrementMode.NEAREST:
                    if 2 * rest >= step:
                        billable += step
                case IncrementMode.DOWN:
                    pass
        return billable if billable > self.minimum_seconds else self.minimum_seconds

    def delta(self, worked_seconds: int) -> int:
        """The rounding delta of something rounded as a whole, worked seconds of one entry."""
        if self.is_up_only and worked_seconds:
            # The usual rule is one division: up to the next whole step.
            return -worked_seconds % self.step_seconds
        # Whole minutes when the rule ignores seconds (BD-07).
        counted = worked_seconds // 60 * 60 if self.ignores_seconds else worked_seconds
        return self.billable(counted) - worked_seconds


def rounding_of(rule: IncrementRule) -> Rounding:
    """A rule made ready."""
    has_exceptions = bool(rule.tolerance_minutes or rule.minimum_minutes or rule.ignore_seconds)
    return Rounding(
        mode=rule.mode,
        step_seconds=rule.minutes * 60,
        tolerated_seconds=rule.tolerance_minutes * 60,
        minimum_seconds=rule.minimum_minutes * 60,
        ignores_seconds=rule.ignore_seconds,
        is_up_only=rule.mode is IncrementMode.UP and rule.minutes > 0 and not has_exceptions,
    )


RuleSays = tuple[object, ...]


def what_rule_says(rule: IncrementRule) -> RuleSays:
    """The same for rows that say the same: a rule that stands in two of them, each with its dates, is one rule."""
    minimum, tolerance = rule.minimum_minutes, rule.tolerance_minutes
    return (rule.minutes, rule.mode, rule.scope, minimum, tolerance, rule.ignore_seconds)


def counted_seconds(worked_seconds: int, rule: IncrementRule) -> int:
    """Worked seconds as the rule sees them: whole minutes when it ignores seconds (BD-07)."""
    return worked_seconds // 60 * 60 if rule.ignore_seconds else worked_seconds


def round_seconds(counted: int, rule: IncrementRule) -> int:
    """Billable seconds of something rounded as a whole; nothing worked stays nothing."""
    return rounding_of(rule).billable(counted)


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
