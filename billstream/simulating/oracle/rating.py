"""Rating once more, without billing/: for contracts of hours times a role's rate under one weekly cap per person.

It knows nothing of lines and buckets; it says what the total must be and where each second must have gone.
"""

from collections import defaultdict
from datetime import date
from decimal import Decimal

from billstream.simulating.oracle.calculator import Calculator
from billstream.simulating.oracle.entries import Resolved
from billstream.simulating.oracle.history import moment_of
from billstream.simulating.oracle.holds import Verdict, holds_of
from schemas.contract import ContractDocument
from schemas.draft import DocumentKind, DraftBody
from schemas.entry import EntryKind
from schemas.facts import DocumentDrafted
from schemas.inputs import Category

Counted = dict[str, int]


def wrong_amounts(calculator: Calculator, fact: DocumentDrafted) -> str:
    """What does not add up in a draft; empty when everything does."""
    scope, body = fact.body.scope, fact.body
    if not is_regular(body):
        return ""  # Corrections alone; the calculator has compared them.
    journal, _ = calculator.state(fact.close_offset)
    document = ContractDocument.model_validate_json(journal.contracts[scope.contract_id].document)
    known = calculator.entries(moment_of(fact), scope)
    entries = [pair for pair in known if pair[0].version.kind is EntryKind.TIME]
    inside = [one for one, _ in entries if scope.date_from.isoformat() <= one.local_date < scope.date_to.isoformat()]
    worked = sum(one.version.worked_seconds for one in inside)
    if body.worked_seconds != worked:
        return f"worked {body.worked_seconds} s, the entries say {worked} s"
    seconds: defaultdict[str, int] = defaultdict(int)
    own_lines = [line for line in body.lines if not line.corrects]
    for line in own_lines:
        for source in line.sources:
            seconds[source.entry_id] += source.worked_seconds
    for placement in body.placements:
        seconds[placement.entry_id] += placement.seconds
    for one in inside:
        if seconds.pop(one.version.entry_id, 0) != one.version.worked_seconds:
            return f"seconds of {one.version.source_entry_id} are missing or doubled"
    if any(seconds.values()):
        return f"seconds of entries that are not in the period: {dict(seconds)}"
    first, end = scope.date_from.isoformat(), scope.date_to.isoformat()
    billed = [pair for pair in billed_seconds(document, entries) if first <= pair[0].local_date < end]
    net = sum((price(document, one, billed_here) for one, billed_here in billed), Decimal(0))
    own_net = sum((line.amount for line in own_lines), Decimal(0))
    return "" if net == own_net else f"net {own_net}, hours times rates say {net}"


def is_regular(body: DraftBody) -> bool:
    """Whether a document bills the work of its own period."""
    own = any((one.date_from, one.date_to) == (body.scope.date_from, body.scope.date_to) for one in body.corrections)
    return body.scope.kind is DocumentKind.INVOICE and not own


def billed_seconds(
    document: ContractDocument, entries: list[tuple[Resolved, Verdict | None]]
) -> list[tuple[Resolved, int]]:
    """Entry -> seconds below the cap of its person's week, in the order of the work."""
    room: defaultdict[tuple[str, str], int] = defaultdict(lambda: limit_of(document))
    found = []
    for one, verdict in sorted(entries, key=lambda pair: work_order(pair[0])):
        if verdict is None or verdict.category is not Category.BILLABLE or one.told.written_off or not one.role:
            continue
        if holds_of(one, verdict):
            continue
        year, week, _ = date.fromisoformat(one.local_date).isocalendar()
        key = (one.person_id, f"{year}-{week}")
        billed = min(one.version.worked_seconds, room[key])
        room[key] -= billed
        found.append((one, billed))
    return found


def limit_of(document: ContractDocument) -> int:
    """Seconds a person may be billed for in a week."""
    return int(document.caps[0].hours * 3600) if document.caps else 10**9


def work_order(one: Resolved) -> tuple[object, ...]:
    """By start, then source and the source's id."""
    assert one.version.start is not None, "the simple contracts of this check have clock times"
    return one.version.start, one.version.source, one.version.source_entry_id


def price(document: ContractDocument, one: Resolved, seconds: int) -> Decimal:
    """Hours times the role's rate; exact, because the entries of this check are."""
    (rate,) = [row.rate for row in document.rates if row.role == one.role]
    return Decimal(seconds) * rate / 3600
