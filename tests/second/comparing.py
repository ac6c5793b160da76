"""Compare both answers, and make a case that differs as small as it can be while it still differs."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from schemas.clauses import DayAttribution
from schemas.contract import ContractDocument
from schemas.inputs import Category
from tests.second.calculator import calculate
from tests.second.case import Case, Facts, differences
from tests.second.product import product_facts

NEEDED = {"id", "client", "currency", "zone"}


def compare(case: Case) -> list[str]:
    """The differences, in words; a calculation that stops is one."""
    try:
        first = product_facts(case)
    except AssertionError as problem:
        return [f"the product stops: {problem!r}"]
    try:
        second = calculate(case)
    except AssertionError as problem:
        return [f"the second calculator stops: {problem!r}"]
    for facts in (first, second):
        forget_rank_of_doubts(case, facts)
    return differences(first, second)


EITHER = {"rate_missing", "role_missing", "category_without_engagement", "premium_time_missing", "contract_missing"}


def forget_rank_of_doubts(case: Case, facts: Facts) -> None:
    """Work of an engagement that the contract lacks may have no rate either; which of them is said first is open.

    The same goes for other work beside engagements, and for work of which a part lies outside of the contract.
    """
    contract = case.contract
    several = contract.day_attribution is DayAttribution.SPLIT
    several = several or bool(contract.tiers or contract.retainers or contract.prepaid_blocks or contract.fixed_cover)
    engaged = {one.entry_id for one in case.entries if several or one.category in (Category.RETAINER, Category.PROJECT)}
    for key in [key for key in facts.placed if key[0] in engaged and key[1] == "held" and key[2] in EITHER]:
        seconds = facts.placed.pop(key)
        facts.buckets[key[1], key[2]] -= seconds[0]
        facts.placed[key[0], "held", "no engagement or rate"] = seconds
    facts.buckets = Counter({key: seconds for key, seconds in facts.buckets.items() if seconds})


def shrink(case: Case, differences_of: Callable[[Case], list[str]] = compare) -> Case:
    """Leave out entries and clauses, one after the other, as long as the answers differ in the same way."""
    kinds, smaller = kinds_of(differences_of(case)), True
    while smaller:
        smaller = False
        for candidate in (*fewer_entries(case), *fewer_clauses(case), *fewer_rows(case)):
            if kinds & kinds_of(differences_of(candidate)):
                case, smaller = candidate, True
                break
    return case


def kinds_of(found: list[str]) -> set[str]:
    """What kinds of differences there are; a smaller case must still have one of them."""
    return {
        " ".join(one.split()[:4]) if one.startswith(("bucket", "total")) else " ".join(one.split()[:2]) for one in found
    }


def fewer_entries(case: Case) -> list[Case]:
    """Halves first, then the case without each one of its entries."""
    entries = case.entries
    half = len(entries) // 2
    found = [replace(case, entries=entries[:half]), replace(case, entries=entries[half:])] if half else []
    return found + [replace(case, entries=entries[:at] + entries[at + 1 :]) for at in range(len(entries))]


def fewer_clauses(case: Case) -> list[Case]:
    """The case without each one of its clauses, where the contract still makes sense."""
    given = case.contract.model_dump(mode="json", by_alias=True, exclude_unset=True)
    found = []
    for name in set(given) - NEEDED:
        try:
            contract = ContractDocument.model_validate({key: given[key] for key in given if key != name})
        except ValueError:
            continue
        found.append(replace(case, contract=contract))
    return found


def fewer_rows(case: Case) -> list[Case]:
    """The case without each row of a clause that has several."""
    given = case.contract.model_dump(mode="json", by_alias=True, exclude_unset=True)
    found = []
    for name, rows in given.items():
        for at in range(len(rows)) if isinstance(rows, list) and len(rows) > 1 else ():
            try:
                contract = ContractDocument.model_validate(given | {name: rows[:at] + rows[at + 1 :]})
            except ValueError:
                continue
            found.append(replace(case, contract=contract))
    return found


def describe(case: Case) -> str:
    """A case and its differences for a person."""
    said = case.contract.model_dump(mode="json", by_alias=True, exclude_unset=True)
    lines = [f"period {case.period.text}, invoice of {case.invoice_date}"]
    lines += [f"  {name}: {value}" for name, value in said.items()]
    for entry in case.entries:
        told = {name: getattr(entry, name) for name in entry.__slots__}
        defaults: tuple[object, ...] = ("", None, (), frozenset(), "work")
        lines.append(
            "  " + ", ".join(f"{k}={_short(v)}" for k, v in told.items() if v not in defaults and k not in ("content",))
        )
    return "\n".join([*lines, *compare(case)])


def _short(value: object) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
