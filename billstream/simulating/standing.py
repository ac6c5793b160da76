"""What people were promised: an approval names what it approves and is never stale, and no second is billed twice.

Judged from the journal alone, beside the calculator.
"""

from collections import Counter
from collections.abc import Mapping

from billstream.simulating.findings import Findings
from billstream.simulating.oracle.calculator import Calculator
from billstream.simulating.oracle.entries import Resolved
from billstream.simulating.oracle.history import Moment, moment_of
from billstream.simulating.oracle.holds import Verdict
from billstream.simulating.oracle.papers import Paper, papers_at
from billstream.simulating.people import DELIVERY
from billstream.simulating.sink import Destination
from books.testing import BOOK, TENANT
from schemas import commands
from schemas.facts import DocumentApproved

STANDING = ("approved", "issued")


def judge_approvals(calculator: Calculator, found: Findings) -> None:
    """What was approved is what the person named, and its lines were still true when they said so."""
    given = {
        record.command_id: (offset, record)
        for offset, record in reversed(calculator.journal)
        if isinstance(record, commands.ApproveDocument)
    }
    seen: set[str] = set()
    for offset, fact in calculator.journal:
        if not isinstance(fact, DocumentApproved) or fact.fact_id in seen or fact.command_id not in given:
            continue
        seen.add(fact.fact_id)
        at, order = given[fact.command_id]
        if (order.revision, order.content) != (fact.revision, fact.content):
            found.differing.append(f"{fact.command_id} named revision {order.revision}, approved was {fact.revision}")
        paper = calculator.papers(offset).by_id.get(fact.document_id)
        if paper is not None and paper.content == fact.content and (stale := _stale(calculator, paper, at)):
            found.differing.append(f"{fact.command_id} approved a stale draft: {stale}")


def _stale(calculator: Calculator, paper: Paper, at: int) -> str:
    """The first entry of a document's own lines that was another one when it was approved."""
    drafted = next((fact for _, fact in calculator.drafts.values() if fact.content == paper.content), None)
    if drafted is None:
        return ""
    then = _by_id(calculator.entries(moment_of(drafted), paper.body.scope))
    now = _by_id(calculator.entries(Moment(at, at), paper.body.scope))
    for line in paper.body.lines:
        for source in () if line.corrects else line.sources:
            if _meant(then.get(source.entry_id)) != _meant(now.get(source.entry_id)):
                return f"entry {source.entry_id}"
    return ""


def _by_id(known: list[tuple[Resolved, Verdict | None]]) -> dict[str, tuple[Resolved, Verdict | None]]:
    return {one.version.entry_id: (one, verdict) for one, verdict in known}


def _meant(known: tuple[Resolved, Verdict | None] | None) -> tuple[object, ...]:
    if known is None:
        return ()
    one, verdict = known
    return one.version.worked_seconds, one.local_date, one.role, verdict and verdict.category, one.told.written_off


def judge_conservation(calculator: Calculator, found: Findings) -> None:
    """Over all documents of a contract that stand, no entry is billed for more than was ever worked on it."""
    papers = papers_at(calculator.journal, TENANT, BOOK, len(calculator.journal))
    billed: Counter[tuple[str, str]] = Counter()
    for paper in papers.by_id.values():
        if paper.state in STANDING:
            for line in paper.body.lines:
                for source in line.sources:
                    billed[paper.body.scope.contract_id, source.entry_id] += source.worked_seconds
    journal, _ = calculator.state(len(calculator.journal))
    for (contract_id, entry_id), seconds in sorted(billed.items()):
        worked = max(one.worked_seconds for one in journal.told[entry_id].versions)
        if seconds > worked:
            found.doubled.append(f"{contract_id} bills {seconds} s of entry {entry_id}; {worked} s were worked")


def judge_leave(destinations: Mapping[str, Destination], found: Findings) -> None:
    """A document stands at a sink only from the state on from which its client lets it leave."""
    for sink, place in destinations.items():
        for one in place.made:
            policies = {policy["sink"]: policy["leave"] for policy in DELIVERY[one.draft.body.scope.client_id]}
            if sink not in policies:
                found.differing.append(f"{one.draft.body.scope.client_id} never agreed to {sink}")
            elif one.identity[2] == "draft" and policies[sink] != "draft":
                found.differing.append(f"{sink} has the draft {one.identity[0]}, which was not to leave")
