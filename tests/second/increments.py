"""Step 5: increments and minimums for an entry, a day, a line or a period (BD-01 to BD-07, BD-75)."""

from collections import defaultdict
from dataclasses import replace

from schemas.clauses import IncrementMode, IncrementRule, IncrementScope
from tests.second.case import Case
from tests.second.lines import grouping_key
from tests.second.stretch import Stretch


def rounded(rule: IncrementRule, seconds: list[int]) -> int:
    """Billable seconds of a group whose members have worked so many; each may lose its odd seconds first."""
    found = sum(own - own % 60 if rule.ignore_seconds else own for own in seconds)
    if found == 0:
        return 0
    step = rule.minutes * 60
    if step:
        rest = found % step
        up = {
            IncrementMode.UP: rest > rule.tolerance_minutes * 60,
            IncrementMode.NEAREST: rest * 2 >= step,
            IncrementMode.DOWN: False,
        }[rule.mode]
        whole = found - rest + (step if rest and up else 0)
        if rule.mode is IncrementMode.UP and found and not whole:
            whole = step
        found = whole
    return max(found, rule.minimum_minutes * 60)


def rule_of(case: Case, one: Stretch) -> IncrementRule | None:
    """The increment rule of the local work date."""
    return next((row for row in case.contract.increments if row.covers(one.day)), None)


def group_of(case: Case, rule: IncrementRule, one: Stretch) -> tuple[object, ...]:
    """What is rounded as a whole (BD-04, BD-75)."""
    entry = one.entry
    person = (entry.person_id, entry.project_id, entry.service_item)
    match rule.scope:
        case IncrementScope.ENTRY:
            return ("entry", entry.entry_id)
        case IncrementScope.DAY:
            return ("day", *person, one.day)
        case IncrementScope.PERIOD:
            return ("period", *person, case.period_of(one.day).start)
        case IncrementScope.LINE:
            return ("line", case.period_of(one.day).start, *grouping_key(case, one))


def round_time(case: Case, live: list[Stretch]) -> list[Stretch]:
    """Give every group its delta, at its end in work-time order."""
    groups: dict[tuple[object, ...], list[Stretch]] = defaultdict(list)
    rules: dict[tuple[object, ...], IncrementRule] = {}
    done: list[Stretch] = []
    for one in sorted(live, key=lambda one: (one.order, one.first)):
        rule = rule_of(case, one)
        if rule is None:
            done.append(one)
            continue
        says = (rule.minutes, rule.mode, rule.minimum_minutes, rule.tolerance_minutes, rule.ignore_seconds)
        key = (*says, *group_of(case, rule, one))
        groups[key].append(one)
        rules[key] = rule
    for key, members in groups.items():
        entries: dict[str, int] = defaultdict(int)
        for one in members:
            entries[one.entry.entry_id] += one.worked
        done += _at_the_end(members, rounded(rules[key], list(entries.values())) - sum(entries.values()))
    return done


def _at_the_end(members: list[Stretch], delta: int) -> list[Stretch]:
    """The last member has the delta; one that takes away more than the last one has goes on with the one before."""
    last_worked = max((at for at, one in enumerate(members) if one.worked), default=0)
    found: list[Stretch] = []
    for at in range(len(members) - 1, -1, -1):
        one = members[at]
        own = (delta if at == last_worked else 0) if delta > 0 else -min(-delta, one.worked)
        found.append(replace(one, delta=own))
        delta -= own
    return found
