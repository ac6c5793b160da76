"""What people were promised: an approval names what it approves and is never stale, and no second is billed twice.

Judged from the journal alone, beside the calculator.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta

from billstream.simulating.findings import Findings
from billstream.simulating.log import EPOCH
from billstream.simulating.oracle.calculator import Calculator
from billstream.simulating.oracle.entries import Resolved
from billstream.simulating.oracle.history import Moment, moment_of
from billstream.simulating.oracle.holds import Verdict
from billstream.simulating.oracle.papers import Paper, papers_at
from billstream.simulating.people import DECISION_WAIT_HOURS, DELIVERY
from billstream.simulating.sink import Destination
from books.testing import BOOK, TENANT
from schemas import commands
from schemas.draft import DocumentKind, DocumentScope
from schemas.facts import DocumentApproved
from schemas.inputs import ClockTick, Decision

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
        if (scope := _scope_of(calculator, fact, offset)) and (close := _open_close(calculator, scope.client_id, at)):
            found.differing.append(f"{fact.command_id} approved a draft while {close} was open")
        if (order.revision, order.content) != (fact.revision, fact.content):
            found.differing.append(f"{fact.command_id} named revision {order.revision}, approved was {fact.revision}")
        paper = calculator.papers(offset).by_id.get(fact.document_id)
        if paper is not None and paper.content == fact.content and (stale := _stale(calculator, paper, at)):
            found.differing.append(f"{fact.command_id} approved a stale draft: {stale}")


def _scope_of(calculator: Calculator, fact: DocumentApproved, offset: int) -> DocumentScope | None:
    paper = calculator.papers(offset).by_id.get(fact.document_id)
    return None if paper is None else paper.body.scope


def _open_close(calculator: Calculator, client_id: str, at: int) -> str:
    """A close of the client that was given before this offset and drafted behind it."""
    drafted = {fact.command_id.partition("~credit~")[0]: offset for offset, fact in calculator.drafts.values()}
    for offset, record in calculator.journal:
        is_close = isinstance(record, commands.CloseDocument) and record.scope.client_id == client_id
        if is_close and offset < at < drafted.get(getattr(record, "command_id", ""), -1):
            return str(getattr(record, "command_id", ""))
    return ""


def judge_waits(calculator: Calculator, found: Findings) -> None:
    """A close goes on without a decision only when its time was over, or when the entry became another one."""
    for fact_id, (_, fact) in calculator.drafts.items():
        journal, _ = calculator.state(fact.close_offset)
        ends = (journal.clock or EPOCH) + timedelta(hours=DECISION_WAIT_HOURS)
        ticks = [one.at for at, one in calculator.journal if isinstance(one, ClockTick) and at <= fact.decided_offset]
        meanwhile = {
            getattr(record, "entry_id", "")
            for offset, record in calculator.journal
            if fact.close_offset < offset <= fact.decided_offset and not isinstance(record, Decision)
        }
        undecided = {one.rpartition(" ")[2] for one in fact.missing if one.startswith("decision")}
        if undecided - meanwhile and not any(at >= ends for at in ticks):
            found.differing.append(f"draft {fact_id} did not wait for {fact.missing[0]}")


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
        for other in papers.by_id.values():
            apart = paper.body.scope.date_to <= other.body.scope.date_from or not _rivals(paper, other)
            if not apart and paper.body.scope.date_from < other.body.scope.date_to:
                found.doubled.append(f"{paper.document_id} and {other.document_id} cover the same days")
    journal, _ = calculator.state(len(calculator.journal))
    for (contract_id, entry_id), seconds in sorted(billed.items()):
        worked = max(one.worked_seconds for one in journal.told[entry_id].versions)
        if seconds > worked:
            found.doubled.append(f"{contract_id} bills {seconds} s of entry {entry_id}; {worked} s were worked")


def _rivals(paper: Paper, other: Paper) -> bool:
    """Whether two documents that stand are invoices of one contract for two periods."""
    one, two = paper.body.scope, other.body.scope
    same = (one.contract_id, one.kind) == (two.contract_id, two.kind)
    periods = (one.date_from, one.date_to) != (two.date_from, two.date_to)
    return same and periods and one.kind is DocumentKind.INVOICE and {paper.state, other.state} <= {"draft", *STANDING}


def judge_leave(destinations: Mapping[str, Destination], found: Findings) -> None:
    """A document stands at a sink only from the state on from which its client lets it leave."""
    for sink, place in destinations.items():
        for one in place.made:
            policies = {policy["sink"]: policy["leave"] for policy in DELIVERY[one.draft.body.scope.client_id]}
            if sink not in policies:
                found.differing.append(f"{one.draft.body.scope.client_id} never agreed to {sink}")
            elif one.identity[2] == "draft" and policies[sink] != "draft":
                found.differing.append(f"{sink} has the draft {one.identity[0]}, which was not to leave")
