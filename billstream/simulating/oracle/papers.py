"""Which documents stand at an offset, and what each billed period rests on: counted from the journal, plainly."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from billstream.simulating.oracle.entries import Numbered
from schemas import commands
from schemas.draft import BucketTotal, CorrectionPart, DocumentKind, DocumentScope, DraftBody, document_id_of
from schemas.facts import CommandRefused, DocumentApproved, DocumentDrafted, DocumentIssued, DocumentVoided
from schemas.values import Record

STANDING = ("approved", "issued")
OPEN = ("draft", "rejected", "withdrawn")


@dataclass(frozen=True)
class Paper:
    """A document: its newest revision, the offsets it was made of, and its state."""

    document_id: str
    body: DraftBody
    content: str
    close_offset: int
    decided_offset: int
    revision: int = 1
    close: str = ""
    state: str = "draft"
    number: str = ""


@dataclass
class Billed:
    """A period that a document bills: what corrects it, and the paper whose facts it rests on.

    `rates_of` are the offsets whose exchange rates it keeps, the first of them first; `lacks_rate` says that time was
    held for want of one.
    """

    first: Paper
    documents: list[str]
    pinned: Paper
    rates_of: list[int]
    returned: bool = False
    lacks_rate: bool = False


@dataclass
class Papers:
    """All documents at an offset, and the approvals in their order."""

    tenant: str
    book: str
    by_id: dict[str, Paper] = field(default_factory=dict)
    billed: dict[str, Billed] = field(default_factory=dict)
    approvals: list[str] = field(default_factory=list)
    counted: dict[DocumentKind, int] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)

    def take(self, record: Record, refused: frozenset[str]) -> None:
        """One record of the journal, in order."""
        match record:
            case DocumentDrafted() | DocumentApproved() | DocumentIssued() | DocumentVoided():
                if record.fact_id not in self.seen:
                    self.seen.add(record.fact_id)
                    self._fact(record)
            case CommandRefused() if record.fact_id not in self.seen:
                self.seen.add(record.fact_id)
                for paper in list(self.by_id.values()):
                    is_over = record.reason in ("already_approved", "nothing_to_credit") and paper.state == "draft"
                    if is_over and paper.body.scope == record.scope:
                        self.by_id[paper.document_id] = replace(paper, state="withdrawn")
            case commands.RejectDocument() | commands.ReopenPeriod():
                if record.command_id not in self.seen and record.command_id not in refused:
                    self.seen.add(record.command_id)
                    self._order(record)
            case _:
                pass

    def _fact(self, fact: DocumentDrafted | DocumentApproved | DocumentIssued | DocumentVoided) -> None:
        match fact:
            case DocumentDrafted():
                place, old = self.place(fact.body.scope)
                revision = 1 if old is None else old.revision + 1
                close = f"{fact.close_offset} {fact.command_id.partition('~credit~')[0]}"
                paper = Paper(place, fact.body, fact.content, fact.close_offset, fact.decided_offset, revision, close)
                self.by_id[place] = paper
                if fact.body.scope.kind is DocumentKind.INVOICE:
                    self._drop_notes(paper)
            case DocumentApproved():
                known = self.by_id.get(fact.document_id)
                if known is not None and (known.state, known.content) == ("draft", fact.content):
                    self._approve(replace(known, state="approved"))
            case DocumentIssued():
                known = self.by_id.get(fact.document_id)
                if known is not None and known.state == "approved":
                    self.by_id[fact.document_id] = self._numbered(known)
            case DocumentVoided():
                known = self.by_id.get(fact.document_id)
                if known is not None and known.state == "issued" and fact.body is not None:
                    self._void(known, fact, fact.body)

    def _drop_notes(self, made: Paper) -> None:
        """Credit notes of older closes that this one did not draft again are settled."""
        for paper in list(self.by_id.values()):
            scope = paper.body.scope
            is_note = scope.kind is DocumentKind.CREDIT_NOTE and paper.state == "draft" and paper.close != made.close
            if is_note and scope.contract_id == made.body.scope.contract_id:
                self.by_id[paper.document_id] = replace(paper, state="withdrawn")

    def _order(self, order: commands.RejectDocument | commands.ReopenPeriod) -> None:
        if isinstance(order, commands.RejectDocument):
            known = self.by_id.get(order.document_id)
            if known is not None:
                self.by_id[order.document_id] = replace(known, state="rejected")
            return
        for paper in sorted(self.by_id.values(), key=lambda one: one.document_id):
            scope = paper.body.scope
            same = (scope.client_id, scope.contract_id, scope.kind)
            wanted = (order.scope.client_id, order.scope.contract_id, order.scope.kind)
            touches = scope.date_from < order.scope.date_to and order.scope.date_from < scope.date_to
            if same == wanted and touches and paper.state in ("draft", "approved"):
                if paper.state == "approved":
                    self._take_back(paper, "")
                    self.approvals.remove(paper.document_id)
                self.by_id[paper.document_id] = replace(paper, state="withdrawn")

    def place(self, scope: DocumentScope) -> tuple[str, Paper | None]:
        """Under which id the next document of a scope stands, and what stood there."""
        sequence = 1
        while True:
            place = document_id_of(self.tenant, self.book, scope, sequence)
            known = self.by_id.get(place)
            if known is None or known.state in OPEN:
                return place, known
            sequence += 1

    def _approve(self, paper: Paper) -> None:
        self.by_id[paper.document_id] = paper
        self.approvals.append(paper.document_id)
        span = (paper.body.scope.date_from, paper.body.scope.date_to)
        own = any((one.date_from, one.date_to) == span for one in paper.body.corrections)
        if paper.body.scope.kind is DocumentKind.INVOICE and not own:
            rates_of, lacks = [paper.close_offset], lacks_rate(paper.body.buckets)
            self.billed[paper.document_id] = Billed(paper, [paper.document_id], paper, rates_of, lacks_rate=lacks)
        for one in paper.body.corrections:
            billed = self.billed.get(one.document_id)
            if billed is not None:
                billed.documents.append(paper.document_id)
                billed.returned = one.part is CorrectionPart.CREDIT
                if not billed.returned:
                    billed.pinned, billed.lacks_rate = paper, lacks_rate(one.buckets)
                    billed.rates_of.append(paper.close_offset)

    def _numbered(self, paper: Paper) -> Paper:
        kind = paper.body.scope.kind
        self.counted[kind] = self.counted.get(kind, 0) + 1
        prefix = "CN-" if kind is DocumentKind.CREDIT_NOTE else ""
        return replace(paper, state="issued", number=f"{prefix}{self.counted[kind]:04d}")

    def _void(self, paper: Paper, fact: DocumentVoided, body: DraftBody) -> None:
        self.by_id[paper.document_id] = replace(paper, state="void")
        place, _ = self.place(body.scope)
        note = Paper(place, body, fact.content, fact.void_offset, fact.void_offset)
        self.by_id[place] = self._numbered(note)
        self._take_back(paper, place)
        if fact.rebill:
            self.approvals.remove(paper.document_id)
        else:
            self.approvals.append(place)

    def _take_back(self, paper: Paper, note: str) -> None:
        self.billed.pop(paper.document_id, None)
        for one in paper.body.corrections:
            billed = self.billed.get(one.document_id)
            if billed is not None:
                billed.returned = True
                billed.documents = (
                    [*billed.documents, note]
                    if note
                    else [each for each in billed.documents if each != paper.document_id]
                )

    def ranks(self, contract_id: str) -> dict[tuple[str, str], int]:
        """When each entry version of a contract was approved first, counted: what stands is older than what is late."""
        found: dict[tuple[str, str], int] = {}
        for number, document_id in enumerate(self.approvals):
            body = self.by_id[document_id].body
            if body.scope.contract_id != contract_id:
                continue
            newest: dict[tuple[str, str], str] = {}
            for line in body.lines:
                corrects = line.corrects[0].document_id if line.corrects else ""
                newest |= {(source.entry_id, corrects): source.content for source in line.sources}
            for (entry_id, _), content in newest.items():
                found.setdefault((entry_id, content), number)
        return found

    def contracts_of(self, entry_id: str) -> list[str]:
        """The contracts of the standing documents that hold an entry, in the order of their approvals."""
        found = []
        for document_id in self.approvals:
            body = self.by_id[document_id].body
            if any(source.entry_id == entry_id for line in body.lines for source in line.sources):
                found.append(body.scope.contract_id)
        return found


def lacks_rate(buckets: Sequence[BucketTotal]) -> bool:
    """Whether time was held for want of an exchange rate."""
    return any(one.reason == "exchange_rate_missing" for one in buckets)


def papers_at(journal: Numbered, tenant: str, book: str, cut: int) -> Papers:
    """The documents at an offset."""
    refused = frozenset(record.command_id for _, record in journal if isinstance(record, CommandRefused))
    found = Papers(tenant, book)
    for offset, record in journal:
        if offset > cut:
            break
        found.take(record, refused)
    return found


def revisions_of(journal: Numbered, tenant: str, book: str) -> dict[tuple[str, int], DocumentDrafted]:
    """Each revision that ever was, with the fact that drafted it."""
    found = Papers(tenant, book)
    made: dict[tuple[str, int], DocumentDrafted] = {}
    refused = frozenset(record.command_id for _, record in journal if isinstance(record, CommandRefused))
    for _, record in journal:
        is_new = isinstance(record, DocumentDrafted) and record.fact_id not in found.seen
        place = found.place(record.body.scope)[0] if isinstance(record, DocumentDrafted) and is_new else ""
        found.take(record, refused)
        if isinstance(record, DocumentDrafted) and place:
            made[place, found.by_id[place].revision] = record
    return made


def bodies_of(papers: Papers, billed: Billed) -> Sequence[tuple[str, DraftBody]]:
    """A document and all that corrects it."""
    return [(one, papers.by_id[one].body) for one in billed.documents]


def numbers_of(papers: Papers) -> Mapping[str, str]:
    """The number of each document that has one."""
    return {paper.document_id: paper.number for paper in papers.by_id.values() if paper.number}
