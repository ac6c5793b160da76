"""The offline decider: source field, contract rule, approved memory, then contract facts and words, in that order
(rule 11).

It answers at once and without a network. What it cannot settle it says so: the entry is held and shown, never guessed.
"""

from collections.abc import Sequence
from decimal import Decimal

from schemas.clauses import ContractRule
from schemas.directory import reference_key
from schemas.entry import EntryKind
from schemas.inputs import Category, DecisionRank
from schemas.work import DecideEntry
from streams.deciding.facts import Facts, read_facts
from streams.deciding.port import Verdict
from streams.deciding.words import (
    ACTIVITIES,
    MAYBE_OWN_COST,
    OWN_COST,
    SERVICE_ITEMS,
    TASKS,
    first_label,
    first_match,
    is_vague,
    normal,
)
from streams.engine.slices import Slices

_CERTAIN = Decimal("1")
_STRONG = Decimal("0.95")
_GOOD = Decimal("0.90")
_FAIR = Decimal("0.85")
_WEAK = Decimal("0.50")
UNSURE = "decision_unsure"
CODE_MISSING = "utbms_code_missing"
REVIEW = "review_by_rule"


class OfflineDecider:
    """Decides from the request alone."""

    name = "offline"
    version = 1

    async def decide(self, requests: Sequence[DecideEntry]) -> Sequence[Verdict]:
        """See `Decider`; waits for nothing, but lets others have their turn."""
        verdicts: list[Verdict] = []
        slices = Slices()
        for request in requests:
            verdicts.append(decide(request))
            if slices.is_over():
                await slices.rest()
        return verdicts


def decide(request: DecideEntry) -> Verdict:
    """The verdict for a request; the same request always gets the same."""
    facts = read_facts(request.facts)
    text = normal(f"{request.description} {request.task_ref}")
    verdict = (
        _by_source(request) or _by_rule(request, facts, text) or _by_memory(request) or _by_facts(request, facts, text)
    )
    if request.kind is not EntryKind.TIME:
        return verdict
    return _with_codes(_with_item(verdict, request, facts, text), facts, text)


def _by_source(request: DecideEntry) -> Verdict | None:
    """A source that says "not billable" is believed; "billable" is most tools' default and says little."""
    if request.billable_hint is not False:
        return None
    return Verdict(DecisionRank.SOURCE_FIELD, Category.NON_BILLABLE, _STRONG, ("source says not billable",))


def _by_rule(request: DecideEntry, facts: Facts, text: str) -> Verdict | None:
    for rule in facts.decide.rules:
        if not _meets(rule, request, text):
            continue
        category = rule.category or Category.BILLABLE
        evidence = (f"contract rule {rule.id}", *((rule.clause,) if rule.clause else ()))
        return Verdict(
            DecisionRank.CONTRACT_RULE,
            category,
            _CERTAIN,
            evidence,
            rule.service_item,
            rule.utbms_task,
            rule.utbms_activity,
            REVIEW if rule.review else "",
        )
    return None


def _meets(rule: ContractRule, request: DecideEntry, text: str) -> bool:
    """Every condition that the rule states holds."""
    return (
        _among(rule.tags, request.tags)
        and _among(rule.projects, (request.project_ref,))
        and _among(rule.tasks, (request.task_ref,))
        and _among(rule.service_items, (request.service_item,))
        and (not rule.words or bool(first_match(text, rule.words)))
        and (rule.source_billable is None or rule.source_billable == request.billable_hint)
    )


def _among(wanted: tuple[str, ...], found: tuple[str, ...]) -> bool:
    return not wanted or bool({reference_key(one) for one in wanted} & {reference_key(one) for one in found})


def _by_memory(request: DecideEntry) -> Verdict | None:
    known = request.remembered
    if known is None:
        return None
    return Verdict(
        DecisionRank.MEMORY,
        known.category,
        _STRONG,
        (f"approved for the same text in entry {known.entry_id}",),
        known.service_item,
        known.utbms_task,
        known.utbms_activity,
    )


def _by_facts(request: DecideEntry, facts: Facts, text: str) -> Verdict:
    told = facts.decide
    if request.kind is not EntryKind.TIME:
        return _offline(Category.BILLABLE, _GOOD, "a cost that nobody called the firm's own")
    if word := first_match(text, told.review):
        return _offline(Category.BILLABLE, _WEAK, f"the contract wants {word!r} looked at", REVIEW)
    if word := first_match(text, (*told.non_billable, *told.excludes)):
        return _offline(Category.NON_BILLABLE, _GOOD, f"the contract does not pay for {word!r}")
    if word := first_match(text, (word for words in OWN_COST for word in words)):
        return _offline(Category.NON_BILLABLE, _FAIR, f"{word!r} is not a client's cost")
    for project in told.projects:
        if word := first_match(
            normal(f"{request.project_ref} {request.description}"), (project.name, *project.aliases)
        ):
            return _offline(Category.PROJECT, _GOOD, f"{word!r} names the project {project.name}")
    if word := first_match(text, told.covers):
        return _offline(Category.RETAINER, _GOOD, f"the retainer covers {word!r}")
    return _by_absence(request, facts, text)


def _by_absence(request: DecideEntry, facts: Facts, text: str) -> Verdict:
    """Nothing in the contract speaks of this text. Only plain work of a client who pays by the hour is settled so."""
    told = facts.decide
    if word := first_match(text, (word for words in MAYBE_OWN_COST for word in words)):
        return _offline(Category.NON_BILLABLE, _WEAK, f"{word!r} is often the firm's own cost", UNSURE)
    if is_vague(request.description) and not request.task_ref and not request.service_item:
        return _offline(Category.BILLABLE, _WEAK, "the text does not say what was done", UNSURE)
    if told.hourly and not told.covers and not told.projects:
        return _offline(Category.BILLABLE, _FAIR, "work by the hour that nothing else claims")
    if told.hourly:
        return _offline(Category.BILLABLE, _WEAK, "it may belong to the retainer or a project, or be hourly", UNSURE)
    return _offline(Category.BILLABLE, _WEAK, "neither covered nor hourly by the contract", UNSURE)


def _offline(category: Category, confidence: Decimal, evidence: str, held_reason: str = "") -> Verdict:
    return Verdict(DecisionRank.OFFLINE, category, confidence, (evidence,), held_reason=held_reason)


def _with_item(verdict: Verdict, request: DecideEntry, facts: Facts, text: str) -> Verdict:
    if verdict.service_item or request.service_item:
        return verdict
    allowed = facts.decide.service_items
    by_task = next((item for item in allowed if reference_key(item) == reference_key(request.task_ref)), "")
    item, _ = (by_task, "") if by_task else first_label(text, SERVICE_ITEMS)
    if not item or (allowed and item not in allowed):
        return verdict
    return _replaced(verdict, service_item=item)


def _with_codes(verdict: Verdict, facts: Facts, text: str) -> Verdict:
    """UTBMS codes for a matter that wants them; without a code the entry is held, no default code is made up."""
    matter = facts.matter
    if matter is None or not matter.code_sets or verdict.category is Category.NON_BILLABLE:
        return verdict
    tasks = [label for code_set in matter.code_sets for label in TASKS.get(code_set.value, ())]
    task = verdict.utbms_task or first_label(text, tasks)[0]
    activity = verdict.utbms_activity or first_label(text, ACTIVITIES)[0]
    missing = matter.codes_required and not (task and activity) and not verdict.held_reason
    return _replaced(
        verdict,
        utbms_task=task,
        utbms_activity=activity,
        held_reason=CODE_MISSING if missing else verdict.held_reason,
    )


def _replaced(
    verdict: Verdict,
    service_item: str | None = None,
    utbms_task: str | None = None,
    utbms_activity: str | None = None,
    held_reason: str | None = None,
) -> Verdict:
    return Verdict(
        verdict.rank,
        verdict.category,
        verdict.confidence,
        verdict.evidence,
        verdict.service_item if service_item is None else service_item,
        verdict.utbms_task if utbms_task is None else utbms_task,
        verdict.utbms_activity if utbms_activity is None else utbms_activity,
        verdict.held_reason if held_reason is None else held_reason,
    )
