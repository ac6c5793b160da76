"""What sources and people write: versions out of order, closes, approvals that come too late, and things nobody can
read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

from billstream.simulating.log import EPOCH, Log
from books.testing import BOOK, TENANT, contract, directory, entry, entry_id, envelope, firm, scope, terms, week_cap
from schemas import commands, inputs
from schemas.codec import encode
from schemas.draft import DocumentState, PublishedDocument
from schemas.entry import Deletion
from schemas.inputs import Category
from schemas.values import Record
from streams.engine.publisher import Outgoing
from streams.topics import COMMANDS, DOCUMENTS, TIME_ENTRIES, book_name

PERIODS = [*[("2026-10-01", "2026-10-04")] * 4, *[("2026-10-04", "2026-11-01")] * 2, ("2026-10-01", "2026-11-01")]
CORRECTIONS = ("adjust_next", "adjust_next", "credit_and_rebill", "credit_now")
DECISION_WAIT_HOURS = 2
BY_KEY, PLAIN = "books", "plain"
DELIVERY = {
    "acme": ({"sink": BY_KEY, "leave": "approved"}, {"sink": PLAIN, "leave": "approved"}),
    "birch": ({"sink": PLAIN, "leave": "draft"}, {"sink": BY_KEY, "leave": "draft"}),
}


def sent(record: Record) -> Outgoing:
    """A record on its way to the topic of its kind of writer."""
    topic = TIME_ENTRIES if record.schema_name in _OF_SOURCES else COMMANDS
    return Outgoing(topic, 0, book_name(TENANT, BOOK).encode(), encode(record))


_OF_SOURCES = frozenset({"entry_version", "import_completed", "source_watermark"})


def agreed(client: str, random: Random, name: str = "") -> inputs.ContractRevision:
    """A contract of a client; Acme's has a weekly cap."""
    caps = [week_cap(hours=str(random.randint(2, 8)))] if client == "acme" else []
    more: Mapping[str, object] = {"caps": caps, "correction": random.choice(CORRECTIONS)}
    return contract(
        terms(client, delivery=DELIVERY[client], close={"decision_wait_hours": DECISION_WAIT_HOURS}, **more), name
    )


def setting_up(random: Random) -> Sequence[Outgoing]:
    """What stands before everything: the firm and its contracts."""
    return [sent(directory(firm())), sent(agreed("acme", random)), sent(agreed("birch", random))]


@dataclass(frozen=True, slots=True)
class Said:
    """What a source says of an entry."""

    name: str
    start: str
    hours: str
    client: str
    person: str
    deletion: Deletion


@dataclass
class People:
    """All writers; they see the log and write what comes to their mind."""

    log: Log
    orders: int = 0
    versions: list[Said] = field(default_factory=list)

    def say(self, random: Random) -> Outgoing:
        """One thing that somebody writes."""
        roll = random.random()
        if roll < 0.52:
            return sent(self._version(random))
        if roll < 0.64:
            client = random.choice(["acme", "birch"])
            return self._order(commands.CloseDocument, scope=scope(client, *random.choice(PERIODS)))
        if roll < 0.67:
            return sent(agreed(random.choice(["acme", "birch"]), random, f"contract-{self._next()}"))
        if roll < 0.69:
            return self._rubbish(random)
        if roll < 0.75:
            return self._about_an_entry(random)
        return self._about_a_document(random) or sent(self._version(random))

    def _next(self) -> int:
        self.orders += 1
        return self.orders

    def _version(self, random: Random) -> Record:
        """A version of an entry, as often as not the same content as before under another revision."""
        said = Said(
            name=random.choice("abcdef"),
            start=f"2026-10-0{random.randint(1, 5)}T{random.randint(8, 13):02d}:00",
            hours=random.choice(["0.5", "1", "3"]),
            client=random.choice(["Acme Ltd", "Acme Ltd", "Birch AG", "Birch AG", "Nobody"]),
            person=random.choice(["Dana", "Dana", "Dana", "Bo"]),
            deletion=random.choice([Deletion.NONE] * 7 + [Deletion.REPORTED]),
        )
        if self.versions and random.random() < 0.3:
            said = random.choice(self.versions)
        self.versions.append(said)
        return entry(
            said.name,
            said.start,
            said.hours,
            revision=random.randint(1, 5),
            client_ref=said.client,
            person_ref=said.person,
            deletion=said.deletion,
        )

    def _rubbish(self, random: Random) -> Outgoing:
        """What nobody can read, or may not be written there."""
        if random.random() < 0.5:
            return Outgoing(TIME_ENTRIES, 0, b"?", f"rubbish {self._next()}".encode())
        tick = inputs.ClockTick(envelope=envelope(f"tick-{self._next()}"), at=EPOCH + timedelta(days=30))
        return Outgoing(TIME_ENTRIES if random.random() < 0.5 else COMMANDS, 0, b"?", encode(tick))

    def _about_an_entry(self, random: Random) -> Outgoing:
        about = {"entry_id": entry_id(random.choice("abcdef"))}
        match random.randrange(5):
            case 0:
                return self._order(commands.HoldEntry, **about)
            case 1:
                reason = random.choice(["held_by_person", "possible_duplicate", "decision_unsure"])
                return self._order(commands.ReleaseEntry, held_reason=reason, **about)
            case 2:
                return self._order(commands.AssignEntry, client_id=random.choice(["acme", "birch"]), **about)
            case 3:
                return self._order(commands.WriteOff, **about)
            case _:
                return self._order(commands.CorrectEntry, category=Category.BILLABLE, **about)

    def _about_a_document(self, random: Random) -> Outgoing | None:
        """What a person does who sees the documents as they are now; by the time it is read they may be others."""
        seen = [one for _, one in self.log.numbered(DOCUMENTS) if isinstance(one, PublishedDocument)]
        latest = {one.document_id: one for one in seen}
        if not latest:
            return None
        one, rare = random.choice(list(latest.values())), random.random() < 0.25
        match one.state:
            case DocumentState.APPROVED if rare and random.random() < 0.5:
                return self._order(commands.ReopenPeriod, scope=one.body.scope)
            case DocumentState.APPROVED:
                return self._order(commands.IssueDocument, document_id=one.document_id)
            case DocumentState.ISSUED if rare:
                return self._order(commands.VoidDocument, document_id=one.document_id, rebill=random.random() < 0.5)
            case DocumentState.DRAFT if rare:
                return self._order(commands.RejectDocument, document_id=one.document_id, revision=one.revision)
            case DocumentState.DRAFT:
                pinned = {"document_id": one.document_id, "revision": one.revision, "content": one.content}
                return self._order(commands.ApproveDocument, **pinned)
            case _:
                return None

    def _order(self, kind: type[commands.Command], **fields: object) -> Outgoing:
        name = f"order-{self._next()}"
        head = {"envelope": envelope(name), "command_id": name, "person": "dana", "reason": "so"}
        return sent(kind.model_validate({**head, **fields}))
