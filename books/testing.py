"""A small firm as records, and its whole book in one process: for tests of books, simulations and proofs."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import cast

from books.billed import EntryState
from books.bodies import read_body
from books.book import Book
from books.catalog import Catalog
from books.local import Answer, LocalJournal
from books.preview import preview
from books.rows import DocumentRow, EntryRow
from books.states import entry_state
from schemas import commands, inputs
from schemas.canonical import canonical_bytes, content_hash
from schemas.commands import Command
from schemas.contract import ContractDocument
from schemas.directory import DirectoryDocument
from schemas.draft import DocumentScope, DraftBody
from schemas.entry import EntryKind, EntryVersion, content_of, entry_id_of
from schemas.envelope import Envelope
from schemas.facts import DocumentDrafted, Fact
from schemas.inputs import Category, ContractRevision, Decision, DecisionRank, DirectoryRevision
from schemas.work import DecideEntry, DeliverDocument

TENANT = "firm"
BOOK = "main"
NOON = datetime(2026, 10, 1, 12, tzinfo=UTC)
Fields = Mapping[str, object]


def envelope(event_id: str, recorded_at: datetime = NOON) -> Envelope:
    """An envelope of the book."""
    return Envelope(
        event_id=event_id, tenant=TENANT, book=BOOK, origin="test", recorded_at=recorded_at, producer="test/1"
    )


def firm(**changed: object) -> dict[str, object]:
    """The directory of a firm: Dana (senior), Bo (junior) and Kim (no role); Acme with two projects, and Birch."""
    return {
        "firm": {"name": "Kestrel", "zone": "UTC", "currency": "EUR"},
        "clients": [{"id": "acme", "name": "Acme Ltd"}, {"id": "birch", "name": "Birch AG"}],
        "projects": [
            {"id": "portal", "client": "acme", "name": "Portal"},
            {"id": "shop", "client": "acme", "name": "Shop"},
            {"id": "move", "client": "birch", "name": "Move"},
        ],
        "people": [
            {"id": "dana", "name": "Dana", "roles": [{"role": "senior"}]},
            {"id": "bo", "name": "Bo", "roles": [{"role": "junior"}]},
            {"id": "kim", "name": "Kim"},
        ],
        **changed,
    }


def terms(client: str = "acme", **changed: object) -> dict[str, object]:
    """A contract of a client: seniors at 150, juniors at 90, in EUR and UTC."""
    return {
        "id": f"{client}-2026",
        "client": client,
        "currency": "EUR",
        "zone": "UTC",
        "rates": [{"role": "senior", "rate": "150.00"}, {"role": "junior", "rate": "90.00"}],
        **changed,
    }


def week_cap(**changed: object) -> dict[str, object]:
    """A cap of 40 hours a week for each person; what is above is written down."""
    return {"id": "week", "window": "week", "hours": "40", "pool": "person", "overflow": "write_down", **changed}


def directory(document: Fields, event_id: str = "") -> DirectoryRevision:
    """A revision of the directory."""
    model = DirectoryDocument.model_validate(document)
    text = canonical_bytes(model.model_dump(mode="json", by_alias=True)).decode()
    revision = content_hash({"document": text})
    return DirectoryRevision(
        envelope=envelope(event_id or f"directory-{revision[:12]}"),
        revision_hash=revision,
        document=text,
        person="dana",
        reason="set up",
    )


def contract(document: Fields, event_id: str = "") -> ContractRevision:
    """A revision of a contract."""
    model = ContractDocument.model_validate(document)
    text = canonical_bytes(model.model_dump(mode="json", by_alias=True)).decode()
    revision = content_hash({"document": text})
    return ContractRevision(
        envelope=envelope(event_id or f"contract-{revision[:12]}"),
        contract_id=model.id,
        client_id=model.client,
        revision_hash=revision,
        document=text,
        person="dana",
        reason="signed",
    )


def entry_id(name: str, source: str = "toggl") -> str:
    """The id of the entry that a source calls so."""
    return entry_id_of(TENANT, BOOK, source, "account", name)


def entry(name: str, start: str = "2026-10-05T09:00", hours: str = "1", **said: object) -> EntryVersion:
    """A version of an entry: Dana's work for Acme, in UTC, as source `toggl` tells it. `said` changes any field.

    `revision` is the source's revision; `seen` the hour at which it was observed.
    """
    source = str(said.pop("source", "toggl"))
    revision, seen = cast(int, said.pop("revision", 1)), cast(int, said.pop("seen", 0))
    worked_seconds = int(Decimal(hours) * 3600)
    begin = datetime.fromisoformat(start).replace(tzinfo=UTC) if start else None
    fields: dict[str, object] = {
        "source": source,
        "account": "account",
        "source_entry_id": name,
        "person_ref": "Dana",
        "client_ref": "Acme Ltd",
        "description": f"Work on {name}",
        "start": begin,
        "end": None if begin is None else begin + timedelta(seconds=worked_seconds),
        "worked_seconds": worked_seconds,
        **said,
    }
    observed_at = NOON + timedelta(hours=seen)
    content = content_of(fields)
    about = (name, revision, seen, said.get("deletion", ""), said.get("mapping_version", 1), content)
    return EntryVersion.model_validate(
        {
            "envelope": envelope(content_hash({"about": [str(part) for part in about]})[:32], observed_at),
            "entry_id": entry_id(name, source),
            "source_revision": revision,
            "observed_at": observed_at,
            "content": content,
            **fields,
        }
    )


def expense(name: str, amount: str, day: str = "2026-10-05", **said: object) -> EntryVersion:
    """An expense of Dana for Acme."""
    more = {
        "kind": EntryKind.EXPENSE,
        "amount": Decimal(amount),
        "currency": "EUR",
        "work_date": date.fromisoformat(day),
    }
    return entry(name, "", "0", **{**more, "category": "travel", **said})


def scope(
    client: str = "acme", first: str = "2026-10-01", end: str = "2026-11-01", contract_id: str = ""
) -> DocumentScope:
    """The scope of a client's document, October 2026 unless another period is given."""
    return DocumentScope(
        client_id=client,
        contract_id=contract_id or f"{client}-2026",
        date_from=date.fromisoformat(first),
        date_to=date.fromisoformat(end),
    )


def decision(
    request: DecideEntry,
    category: Category = Category.BILLABLE,
    rank: DecisionRank = DecisionRank.OFFLINE,
    **more: object,
) -> Decision:
    """An answer to a request."""
    fields: dict[str, object] = {"decider_version": 1, "confidence": Decimal("0.9"), "evidence": ("said so",), **more}
    identity = {"request": request.request_id, "category": category, "rank": rank, **fields}
    return Decision.model_validate(
        {
            "envelope": envelope(content_hash(identity)[:32]),
            "request_id": request.request_id,
            "entry_id": request.entry_id,
            "input_hash": request.input_hash,
            "rank": rank,
            "decider": "test",
            "category": category,
            **fields,
        }
    )


def billable(request: DecideEntry | DeliverDocument) -> Decision | None:
    """Decides at once that everything is billable; texts with `internal` in them are not."""
    if not isinstance(request, DecideEntry):
        return None
    internal = "internal" in request.description
    return decision(request, Category.NON_BILLABLE if internal else Category.BILLABLE)


def undecided(request: DecideEntry | DeliverDocument) -> None:
    """Answers nothing."""


def tick(text: str) -> inputs.ClockTick:
    """The clock of the book at an instant in UTC."""
    at = datetime.fromisoformat(text).replace(tzinfo=UTC)
    return inputs.ClockTick(envelope=envelope(f"tick-{text}", at), at=at)


class Story:
    """One book from its first record on: what is said is applied at once, with everything that follows from it."""

    def __init__(self, answer: Answer = billable) -> None:
        self.journal = LocalJournal(answer)
        self._orders = 0

    @property
    def book(self) -> Book:
        """The rows as they are now."""
        return Book(self.journal.rows, TENANT, BOOK)

    @property
    def catalog(self) -> Catalog:
        """Directory and contracts as they are now."""
        return Catalog(self.book)

    def begin(self, **changed: object) -> "Story":
        """Set up the firm with a contract for each client; `changed` changes Acme's."""
        self.say(directory(firm()), contract(terms("acme", **changed)), contract(terms("birch")))
        return self

    def say(self, *records: object) -> None:
        """Append records."""
        self.journal.append(*records)  # type: ignore[arg-type]  # any record of the language

    def order(self, make: type[Command], **fields: object) -> str:
        """Give a command; returns its id."""
        self._orders += 1
        command_id = str(fields.pop("command_id", f"command-{self._orders}"))
        given = {
            "envelope": envelope(command_id),
            "command_id": command_id,
            "person": "dana",
            "reason": "asked",
            **fields,
        }
        self.say(make.model_validate(given))
        return command_id

    def close(self, wanted: DocumentScope | None = None, **fields: object) -> str:
        """Close a scope, Acme's October unless another is given; returns the command's id."""
        return self.order(commands.CloseDocument, scope=wanted or scope(), **fields)

    def approve(self, document: DocumentRow, **fields: object) -> str:
        """Approve a document as it is; returns the command's id."""
        seen = {"document_id": document.document_id, "revision": document.revision, "content": document.content}
        return self.order(commands.ApproveDocument, **{**seen, **fields})

    def verdicts(self, command_id: str) -> list[Fact]:
        """All facts about a command, in journal order."""
        found = [record for record in self.journal.records if isinstance(record, Fact)]
        return [fact for fact in found if getattr(fact, "command_id", "") == command_id]

    def verdict(self, command_id: str) -> Fact:
        """The one fact about a command."""
        (fact,) = self.verdicts(command_id)
        return fact

    def body(self, command_id: str) -> DraftBody:
        """What a close drafted."""
        fact = self.verdict(command_id)
        assert isinstance(fact, DocumentDrafted), fact
        return fact.body

    def document(self, client: str = "acme") -> DocumentRow:
        """The only document of a client."""
        (row,) = [row for _, row in self.book.scan(DocumentRow) if row.client_id == client]
        return row

    def documents(self, client: str = "acme") -> list[DocumentRow]:
        """All documents of a client, by period."""
        found = [row for _, row in self.book.scan(DocumentRow) if row.client_id == client]
        return sorted(found, key=lambda row: (row.date_from, row.sequence))

    def at(self, document_id: str) -> DocumentRow:
        """The document of an id."""
        row = self.book.get(DocumentRow, document_id)
        assert row is not None, f"no document {document_id}"
        return row

    def stored(self, document: DocumentRow) -> DraftBody:
        """The body of a document."""
        return read_body(self.book, document.document_id)

    def state(self, name: str, source: str = "toggl") -> EntryState:
        """The state of an entry's time."""
        return entry_state(self.book, entry_id(name, source))

    def row(self, name: str, source: str = "toggl") -> EntryRow:
        """The row of an entry."""
        row = self.book.get(EntryRow, entry_id(name, source))
        assert row is not None, f"no entry {name}"
        return row

    def preview(self, wanted: DocumentScope | None = None) -> DraftBody:
        """What a close would draft now."""
        body = preview(self.book, self.catalog, wanted or scope())
        assert body is not None, "no contract or no directory"
        return body
