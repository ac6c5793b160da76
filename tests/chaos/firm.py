"""A firm's two months as hostile input: repeats, shuffled versions, edits there and back, moves, deletions, new terms.

Everything follows from a seed. The plan says what is sent in which order, and what each entry is in the end.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from books.testing import contract, directory, entry, envelope, scope, terms, week_cap
from schemas import commands
from schemas.entry import Deletion, EntryVersion
from schemas.values import Record

FIRST_DAY = date(2026, 9, 1)
DAYS = 61
SLOTS_A_DAY = 36
SHUFFLED_TOGETHER = 3_000


@dataclass(frozen=True)
class Size:
    """How many people and clients a firm has, how many closes are asked for, and the sinks that get every draft."""

    people: int = 40
    clients: int = 10
    chunks_per_close: int = 3
    sinks: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """The clients."""
        return [f"client-{number}" for number in range(self.clients)]


CLOSED = 2
"""So many of the clients are closed, again and again."""
SMALL = Size()


@dataclass
class Plan:
    """What is sent: chunks of records for `time-entries` and commands in order, and each entry's last version."""

    setup: list[Record]
    chunks: list[list[Record]]
    final: dict[str, EntryVersion] = field(default_factory=dict)
    entries: int = 0

    @property
    def sent(self) -> int:
        """Entry versions that are sent, repeats included."""
        return sum(isinstance(record, EntryVersion) for chunk in self.chunks for record in chunk)


def plan(entries: int, chunks: int, seed: int, size: Size = SMALL) -> Plan:
    """Make the plan. Closes of two clients, new terms and a new directory stand between the entries."""
    random = Random(seed)
    setup = [people(0, size), *(terms_of(client, size) for client in size.names)]
    made = Plan(setup, [[] for _ in range(chunks)], entries=entries)
    sent: list[Record] = []
    for number in range(entries):
        versions = list(history(random, number, size))
        made.final[versions[-1].entry_id] = versions[-1]
        sent += versions
        sent += [version for version in versions if random.random() < 0.05]
    for start in range(0, len(sent), SHUFFLED_TOGETHER):
        part = sent[start : start + SHUFFLED_TOGETHER]
        random.shuffle(part)
        sent[start : start + SHUFFLED_TOGETHER] = part
    each = -(-len(sent) // chunks)
    for number in range(chunks):
        made.chunks[number] += sent[number * each : (number + 1) * each]
    for number in range(size.chunks_per_close, chunks, size.chunks_per_close):
        made.chunks[number] += [close(client, f"{number}") for client in size.names[:CLOSED]]
    made.chunks[chunks // 2].append(people(1, size))
    made.chunks[chunks * 2 // 3].append(terms_of(size.names[0], size, rate="175.00", cap="4"))
    return made


def people(revision: int, size: Size) -> Record:
    """The directory; in the second revision every seventh person has another role since October."""
    october = [{"role": "junior", "to": "2026-10-01"}, {"role": "senior", "from": "2026-10-01"}]
    changed = {number for number in range(size.people) if revision and number % 7 == 0}
    document = {
        "firm": {"name": "Kestrel", "zone": "UTC", "currency": "EUR", "tax_id": "98-7654321"},
        "clients": [{"id": client, "name": client.title()} for client in size.names],
        "people": [
            {
                "id": f"p{number}",
                "name": f"Person {number}",
                "roles": october if number in changed else [{"role": ("senior", "junior")[number % 2]}],
            }
            for number in range(size.people)
        ],
    }
    return directory(document)


def terms_of(client: str, size: Size, rate: str = "150.00", cap: str = "3") -> Record:
    """A contract by the hour with a weekly cap per person; its drafts go to the sinks by themselves."""
    rates = [{"role": "senior", "rate": rate}, {"role": "junior", "rate": "90.00"}]
    delivery = [{"sink": sink, "leave": "draft"} for sink in size.sinks]
    matter = {"id": f"M-{client}"}
    return contract(terms(client, rates=rates, caps=[week_cap(hours=cap)], delivery=delivery, matter=matter))


def close(client: str, name: str) -> commands.CloseDocument:
    """Close October of a client."""
    return commands.CloseDocument(
        envelope=envelope(f"close-{client}-{name}"),
        command_id=f"close-{client}-{name}",
        person="p0",
        reason="end of the month",
        scope=scope(client),
    )


def history(random: Random, number: int, size: Size) -> Iterator[EntryVersion]:
    """The versions of one entry, lowest first: most have one, the others are edited, moved, deleted or edited back."""
    person, turn = number % size.people, number // size.people
    day = FIRST_DAY + timedelta(days=turn * 37 % DAYS)
    slot = turn // DAYS % SLOTS_A_DAY
    start = f"{day}T{slot * 40 // 60:02d}:{slot * 40 % 60:02d}"
    facts = {"person_ref": f"Person {person}", "client_ref": random.choice(size.names).title(), "work": "build"}
    hours = random.choice(["0.2", "0.3", "0.5"])
    first = version(number, start, hours, 1, facts)
    yield first
    kind = random.random()
    if kind < 0.06:
        yield version(number, start, random.choice(["0.1", "0.4", "0.6"]), 2, facts)
    elif kind < 0.10:
        yield version(number, start, "0.6", 2, facts)
        yield version(number, start, hours, 3, facts)
    elif kind < 0.14:
        yield version(number, start, hours, 2, {**facts, "client_ref": random.choice(size.names).title()})
    elif kind < 0.17:
        yield version(number, start, hours, 2, facts, Deletion.REPORTED)
    elif kind < 0.19:
        yield version(number, start, hours, 2, {**facts, "work": "internal training"})
    elif kind < 0.20:
        yield version(number, start, hours, 2, facts, Deletion.REPORTED)
        yield version(number, start, hours, 3, facts)


def version(
    number: int, start: str, hours: str, revision: int, facts: dict[str, str], deletion: Deletion = Deletion.NONE
) -> EntryVersion:
    """A version; every fiftieth entry comes from a second source half an hour later, over the next one's time."""
    source = "harvest" if number % 50 == 0 else "toggl"
    return entry(
        f"e{number}",
        start if source == "toggl" else f"{start[:-2]}{int(start[-2:]) // 20 * 20 + 10:02d}",
        hours if source == "toggl" else "1",
        source=source,
        revision=revision,
        seen=revision,
        person_ref=facts["person_ref"],
        client_ref=facts["client_ref"],
        description=f"{facts['work']} of part {number % 300}",
        deletion=deletion,
    )
