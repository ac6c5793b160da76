"""What must hold when a world has come to rest, judged from its log and its sinks alone.

Only one question asks the rows of the worker: whether a rebuild from the journal gives the same (rule 1).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import pairwise

from billstream.simulating.findings import Findings
from billstream.simulating.log import Log
from billstream.simulating.oracle.calculator import Calculator
from billstream.simulating.oracle.entries import UNASSIGNED, Numbered, Resolved
from billstream.simulating.oracle.holds import verdict_of
from billstream.simulating.oracle.papers import numbers_of, papers_at, revisions_of
from billstream.simulating.oracle.rating import wrong_amounts
from billstream.simulating.sink import Destination
from billstream.simulating.standing import judge_approvals, judge_conservation, judge_leave, judge_waits
from books.testing import BOOK, TENANT
from schemas import commands
from schemas.draft import DocumentState, PublishedDocument
from schemas.entry import EntryKind
from schemas.facts import AlertRaised, Fact
from schemas.inputs import Decision, DeliveryState, SinkReceipt
from schemas.outputs import Alert, DeadLetter, HoursTotal
from schemas.values import Record
from schemas.work import DecideEntry, DeliverDocument
from streams.topics import ALERTS, COMMANDS, DEAD_LETTERS, DOCUMENTS, HOURS, JOURNAL, TIME_ENTRIES, WORK

ENDED = (DeliveryState.DELIVERED, DeliveryState.NEEDS_PERSON, DeliveryState.FAILED)


def judge_log(log: Log, destinations: Mapping[str, Destination], found: Findings) -> None:
    """Everything again from the log, in the plainest way."""
    journal = log.numbered(JOURNAL)
    calculator = Calculator(journal, TENANT, BOOK)
    judge_inputs(log, found)
    judge_drafts(calculator, found)
    judge_approvals(calculator, found)
    judge_conservation(calculator, found)
    judge_leave(destinations, found)
    judge_waits(calculator, found)
    documents = log.numbered(DOCUMENTS)
    judge_documents(calculator, seen_once(documents), documents, found)
    judge_numbers(journal, documents, found)
    judge_alerts(journal, log.numbered(ALERTS), found)
    judge_verdicts(journal, found)
    judge_work(log, found)
    _, entries = calculator.state(len(journal))
    judge_hours(entries, log.numbered(HOURS), found)
    judge_decided(entries, journal, found)
    judge_deliveries(log, destinations, found)


def judge_inputs(log: Log, found: Findings) -> None:
    """What writers wrote stands in the journal, in the order of its topic; what nobody can read is a dead letter."""
    stand: dict[bytes, int] = {}
    for offset, record in enumerate(log.topics[JOURNAL]):
        stand.setdefault(record.value or b"", offset)
    letters = {(one.topic, one.offset) for _, one in log.numbered(DEAD_LETTERS) if isinstance(one, DeadLetter)}
    for topic in (TIME_ENTRIES, COMMANDS):
        highest = -1
        seen: set[bytes] = set()
        for offset, record in enumerate(log.topics[topic]):
            value = record.value or b""
            if value not in stand:
                if (topic, offset) not in letters:
                    found.lost.append(f"{topic}[{offset}] is neither in the journal nor a dead letter")
                continue
            if value not in seen and stand[value] < highest:
                found.differing.append(f"{topic}[{offset}] stands in the journal before what was written before it")
            seen.add(value)
            highest = max(highest, stand[value])


def judge_drafts(calculator: Calculator, found: Findings) -> None:
    """Each draft that counts is what the calculator makes, and every second and cent of it adds up."""
    for one in calculator.differences(wrong_amounts):
        found.differing.append(f"draft {one.fact_id} at {one.offset}: {one.what}")


def judge_documents(calculator: Calculator, seen: Sequence[Record], documents: Numbered, found: Findings) -> None:
    """Each draft that counts is published as the revision it is, once for a consumer, with its fact's offsets."""
    wanted = revisions_of(calculator.journal, TENANT, BOOK)
    drafts = [one for one in seen if isinstance(one, PublishedDocument) and one.state is DocumentState.DRAFT]
    counted = Counter((one.document_id, one.revision) for one in drafts)
    found.lost += [f"document {key} was never published" for key in wanted if key not in counted]
    found.doubled += [f"a consumer sees document {key} {n} times" for key, n in counted.items() if n > 1]
    for _, record in documents:
        if isinstance(record, PublishedDocument) and record.state is DocumentState.DRAFT:
            fact_of = wanted.get((record.document_id, record.revision))
            said = (record.content, record.close_offset, record.decided_offset, record.code_version)
            told = fact_of and (fact_of.content, fact_of.close_offset, fact_of.decided_offset, fact_of.code_version)
            if said != told:
                found.differing.append(
                    f"document {record.document_id}/{record.revision} is not its fact: {said} {told}"
                )


def judge_numbers(journal: Numbered, documents: Numbered, found: Findings) -> None:
    """Issued invoices are numbered 1, 2, ... in the order in which their facts count, credit notes in theirs."""
    numbers = {
        record.document_id: record.number
        for _, record in documents
        if isinstance(record, PublishedDocument) and record.state is DocumentState.ISSUED
    }
    wanted = numbers_of(papers_at(journal, TENANT, BOOK, len(journal)))
    if numbers != wanted:
        found.differing.append(f"numbers {numbers}, the facts say {wanted}")


def judge_alerts(journal: Numbered, alerts: Numbered, found: Findings) -> None:
    """Each alert that counts is seen once."""
    facts = {record.fact_id for _, record in journal if isinstance(record, AlertRaised)}
    counted = Counter(one.alert_id for one in seen_once(alerts) if isinstance(one, Alert))
    found.lost += [f"alert {one} was never published" for one in sorted(facts - counted.keys())]
    found.doubled += [f"a consumer sees alert {one} {n} times" for one, n in counted.items() if n > 1]
    found.differing += [f"alert {one} has no fact" for one in sorted(counted.keys() - facts)]


def judge_verdicts(journal: Numbered, found: Findings) -> None:
    """Each close, approval, issue and void has one verdict that counts."""
    orders = (commands.CloseDocument, commands.ApproveDocument, commands.IssueDocument, commands.VoidDocument)
    given = {record.command_id for _, record in journal if isinstance(record, orders)}
    facts = {record.fact_id: record for _, record in reversed(journal) if isinstance(record, Fact)}
    answered = Counter(getattr(fact, "command_id", "") for fact in facts.values())
    found.lost += [f"command {one} has no verdict" for one in sorted(given) if not answered[one]]
    found.doubled += [f"command {one} has {answered[one]} verdicts" for one in sorted(given) if answered[one] > 1]


def judge_work(log: Log, found: Findings) -> None:
    """Each request of the fold has an answer in the journal, or a dead letter."""
    ended = {
        record.request_id
        for _, record in log.numbered(JOURNAL)
        if isinstance(record, Decision) or (isinstance(record, SinkReceipt) and record.state in ENDED)
    }
    letters = {one.offset for _, one in log.numbered(DEAD_LETTERS) if isinstance(one, DeadLetter) and one.topic == WORK}
    refused = {
        record.request_id
        for offset, record in log.numbered(WORK)
        if offset in letters and isinstance(record, DecideEntry | DeliverDocument)
    }
    for offset, record in log.numbered(WORK):
        assert isinstance(record, DecideEntry | DeliverDocument), type(record).__name__
        if record.request_id not in ended | refused:
            found.lost.append(f"work[{offset}] {record.request_id} was never answered")
            ended.add(record.request_id)


def judge_decided(entries: Mapping[str, Resolved], journal: Numbered, found: Findings) -> None:
    """Each entry of a contract has, as it is now, an answer or the word of a person."""
    answers = {(one.entry_id, one.input_hash): one for _, one in journal if isinstance(one, Decision)}
    for one in entries.values():
        needs = one.contract_id and one.client_id != UNASSIGNED and not one.version.running
        if needs and one.version.kind is EntryKind.TIME and verdict_of(one, answers) is None:
            found.lost.append(f"entry {one.version.source_entry_id} was never decided")


def judge_hours(entries: Mapping[str, Resolved], hours: Numbered, found: Findings) -> None:
    """The running hours that stand last are the sums over the entries."""
    wanted: Counter[tuple[str, str, str, str]] = Counter()
    for one in entries.values():
        if one.version.kind is EntryKind.TIME and one.local_date:
            wanted[hours_key(one)] += one.version.worked_seconds
    last: dict[tuple[str, str, str, str], HoursTotal] = {}
    for _, total in hours:
        assert isinstance(total, HoursTotal), type(total).__name__
        key = (total.client_id, total.week, total.role, total.person_id)
        if key not in last or last[key].origin_offset <= total.origin_offset:
            last[key] = total
    said = Counter({key: one.worked_seconds for key, one in last.items()})
    for key in sorted(wanted.keys() | said.keys()):
        if wanted[key] != said[key]:
            found.differing.append(f"hours {key}: {said[key]} s, the entries say {wanted[key]} s")


def hours_key(one: Resolved) -> tuple[str, str, str, str]:
    """Where an entry's time is counted."""
    year, week, _ = date.fromisoformat(one.local_date).isocalendar()
    return one.client_id, f"{year}-W{week:02d}", one.role, one.person_id or f"?{one.version.person_ref}"


def judge_deliveries(log: Log, destinations: Mapping[str, Destination], found: Findings) -> None:
    """What may leave stands at its sink once; what may not, does not."""
    requests = {
        (one.sink, one.document_id, one.revision, one.state): one
        for _, one in log.numbered(WORK)
        if isinstance(one, DeliverDocument)
    }
    states = {
        (one.document_id, one.revision, one.state.value): one
        for _, one in log.numbered(DOCUMENTS)
        if isinstance(one, PublishedDocument)
    }
    for sink, place in destinations.items():
        made = Counter(one.identity for one in place.made)
        for one in place.made:
            document_id, revision, state, _ = one.identity
            published = states.get((document_id, revision, state))
            if published is None or published.content != one.content:
                found.differing.append(f"{sink} has {document_id}/{revision} {state}, which was never published so")
        found.doubled += [f"{sink} has {key} twice" for key, n in made.items() if n > 1 and not _in_the_gap(place, key)]
        delivered = {
            (one.document_id, one.revision)
            for _, one in log.numbered(JOURNAL)
            if isinstance(one, SinkReceipt) and one.sink == sink and one.state is DeliveryState.DELIVERED
        }
        there = {(one.identity[0], one.identity[1]) for one in place.made}
        found.lost += [f"{sink} was said to have {key}" for key in sorted(delivered - there)]
        wanted = {key for key in requests if key[0] == sink}
        extra = {(sink, *one.identity[:3]) for one in place.made} - wanted
        found.doubled += [f"nobody asked {sink} for {key}" for key in sorted(extra)]


def _in_the_gap(place: Destination, key: object) -> bool:
    """A sink without keys may double when two looked before either had sent (rule 9)."""
    made = [one for one in place.made if one.identity == key]
    return not place.has_keys and all(later.looked_seconds <= one.at_seconds for one, later in pairwise(made))


def seen_once(records: Numbered) -> list[Record]:
    """What a consumer of an ordered topic does: it keeps the highest origin and the ids at it, and skips the rest."""
    high, ids = -1, set[str]()
    found: list[Record] = []
    for _, record in records:
        assert isinstance(record, PublishedDocument | Alert), type(record).__name__
        identity = record.envelope.event_id
        if record.origin_offset < high or (record.origin_offset == high and identity in ids):
            continue
        ids = ids | {identity} if record.origin_offset == high else {identity}
        high = record.origin_offset
        found.append(record)
    return found
