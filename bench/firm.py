"""A large firm for benchmarks: people, clients with weekly caps, and a month of entries, the same in every run."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from schemas.canonical import canonical_bytes, content_hash
from schemas.contract import ContractDocument
from schemas.directory import DirectoryDocument
from schemas.entry import EntryVersion, content_of, entry_id_of
from schemas.envelope import Envelope
from schemas.inputs import ContractRevision, DirectoryRevision

TENANT = "bench"
BOOK = "main"
PEOPLE = 400
CLIENTS = 100


@dataclass(frozen=True)
class Size:
    """How many people and clients the firm has. A person's slots of a month are used up after 320 entries."""

    people: int = PEOPLE
    clients: int = CLIENTS


USUAL = Size()
FIRST_DAY = date(2026, 10, 1)
DAYS = 30
MORNING = datetime(2026, 10, 1, 7, tzinfo=UTC)
_SLOT_MINUTES = 55


def directory(size: Size = USUAL) -> DirectoryRevision:
    """The directory of the firm."""
    document = {
        "firm": {"name": "Bench & Co", "zone": "Europe/Berlin", "currency": "EUR"},
        "clients": [{"id": f"client-{n}", "name": f"Client {n}"} for n in range(size.clients)],
        "projects": [
            {"id": f"project-{n}", "client": f"client-{n}", "name": f"Project {n}"} for n in range(size.clients)
        ],
        "people": [
            {
                "id": f"person-{n}",
                "name": f"Person {n}",
                "emails": [f"person-{n}@example.com"],
                "roles": [{"role": "senior" if n % 3 else "junior"}],
            }
            for n in range(size.people)
        ],
    }
    text = canonical_bytes(DirectoryDocument.model_validate(document).model_dump(mode="json", by_alias=True)).decode()
    return DirectoryRevision(
        envelope=envelope("directory"),
        revision_hash=content_hash({"text": text}),
        document=text,
        person="bench",
        reason="x",
    )


def contracts(tight_every: int = 0, size: Size = USUAL) -> Iterator[ContractRevision]:
    """A contract with a weekly cap for each person for every client; each so-many-th client's is used up at once."""
    for number in range(size.clients):
        cap_hours = "0.1" if tight_every and number % tight_every == 0 else "40"
        document = {
            "id": f"contract-{number}",
            "client": f"client-{number}",
            "currency": "EUR",
            "zone": "Europe/Berlin",
            "rates": [{"role": "senior", "rate": "150"}, {"role": "junior", "rate": "95"}],
            "increments": [{"minutes": 6}],
            "caps": [
                {"id": "week", "pool": "person", "hours": cap_hours, "window": "week", "overflow": "write_down"},
            ],
        }
        checked = ContractDocument.model_validate(document)
        text = canonical_bytes(checked.model_dump(mode="json", by_alias=True)).decode()
        yield ContractRevision(
            envelope=envelope(checked.id),
            contract_id=checked.id,
            client_id=checked.client,
            revision_hash=content_hash({"text": text}),
            document=text,
            person="bench",
            reason="x",
        )


def envelope(event_id: str, recorded_at: datetime = MORNING) -> Envelope:
    """An envelope of the bench's book."""
    return Envelope(
        event_id=event_id,
        tenant=TENANT,
        book=BOOK,
        origin="connector:bench",
        recorded_at=recorded_at,
        producer="bench/1",
    )


def entry(number: int, recorded_at: datetime = MORNING, client: int | None = None, size: Size = USUAL) -> EntryVersion:
    """Entry number so-and-so: people work in turn, one slot after another, without overlaps.

    A client that is given gets all the work, else people go round the clients.
    """
    person, turn = number % size.people, number // size.people
    day, slot = turn // 8 % DAYS, turn % 8 + turn // (8 * DAYS) * 8
    client = (person * 7 + slot) % size.clients if client is None else client
    start = MORNING + timedelta(days=day, minutes=_SLOT_MINUTES * slot)
    worked_seconds = 600 + number % 40 * 60
    fields: dict[str, object] = {
        "person_ref": f"person-{person}@example.com",
        "client_ref": f"Client {client}",
        "project_ref": f"Project {client}",
        "description": f"Worked on the design of screen {number % 900} with the client's team",
        "billable_hint": True,
        "start": start,
        "end": start + timedelta(seconds=worked_seconds),
        "zone": "Europe/Berlin",
        "worked_seconds": worked_seconds,
        "tags": ("design",),
    }
    return EntryVersion.model_validate(
        {
            "envelope": envelope(f"event-{number:09d}", recorded_at),
            "entry_id": entry_id_of(TENANT, BOOK, "toggl", "acme", str(number)),
            "source": "toggl",
            "account": "acme",
            "source_entry_id": str(number),
            "source_revision": 1,
            "observed_at": MORNING,
            "content": content_of(fields),
            **fields,
        }
    )
