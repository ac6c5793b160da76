"""The state of every entry at an offset, from the whole journal and in the plainest way; it knows nothing of books.

All versions of an entry are kept and the highest is looked for; names, contracts, days and duplicates are found by
going through everything. Only the words of the holds and the recipe of the input hash are said again here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from schemas import commands, inputs
from schemas.canonical import content_hash, instant_micros
from schemas.contract import ContractDocument
from schemas.directory import DirectoryDocument, name_index
from schemas.entry import Deletion, EntryKind, EntryVersion
from schemas.values import Record

UNASSIGNED = "_unassigned"
RANKS = {"none": 0, "inferred": 1, "reported": 2, "unknown": 3}
Numbered = Sequence[tuple[int, Record]]


@dataclass
class Told:
    """Everything the journal says about one entry: its versions, and what people and imports said of it."""

    versions: list[EntryVersion] = field(default_factory=list)
    client: str = ""
    person: str = ""
    project: str = ""
    held_by: str = ""
    released: set[tuple[str, str]] = field(default_factory=set)
    written_off: str = ""
    missing_from: str = ""
    corrections: dict[str, commands.CorrectEntry] = field(default_factory=dict)

    def top(self) -> EntryVersion:
        """The highest version."""
        return max(self.versions, key=order)

    def contents(self) -> set[str]:
        """What the source said under the highest version's revision."""
        top = self.top()
        return {v.content for v in self.versions if v.deletion is Deletion.NONE and group(v) == group(top)}

    def conflict(self) -> bool:
        """Whether the source gave the highest version's revision another content too."""
        return self.top().deletion is Deletion.NONE and len(self.contents()) > 1

    def newest_import(self) -> tuple[int, str]:
        """When it was last seen in an import, and in which."""
        return max(
            [(instant_micros(v.observed_at), v.import_id) for v in self.versions if v.import_id], default=(0, "")
        )


def order(version: EntryVersion) -> tuple[int, int, int, int, str]:
    """The order of versions: by what they say."""
    observed = instant_micros(version.observed_at)
    return version.source_revision, version.mapping_version, observed, RANKS[version.deletion.value], version.content


def group(version: EntryVersion) -> tuple[int, int, int]:
    """Versions of one group are one revision of the source."""
    observed = 0 if version.source_revision else instant_micros(version.observed_at)
    return version.source_revision, version.mapping_version, observed


@dataclass(frozen=True)
class Resolved:
    """An entry as it stands at an offset."""

    version: EntryVersion
    told: Told
    client_id: str
    person_id: str
    project_id: str
    contract_id: str
    local_date: str
    role: str
    facts: str
    duplicate_of: str = ""

    @property
    def input_hash(self) -> str:
        """The recipe of the hash that a decision rests on."""
        context = {"client": self.client_id, "facts": self.facts, "role": self.role}
        return content_hash({"said": said(self.version), "context": content_hash(context)})[:32]


@dataclass
class Journal:
    """A journal up to an offset, sorted into plain dictionaries."""

    told: dict[str, Told]
    directory: inputs.DirectoryRevision | None
    contracts: dict[str, inputs.ContractRevision]
    rates: dict[tuple[str, str, date], inputs.ExchangeRate]
    clock: datetime | None
    answers: dict[tuple[str, str], inputs.Decision] = field(default_factory=dict)


def said(version: EntryVersion) -> str:
    """The recipe of the hash of what a decider may look at."""
    hint = {None: "", True: "yes", False: "no"}[version.billable_hint]
    return content_hash(
        {
            "kind": version.kind.value,
            "client": version.client_ref,
            "project": version.project_ref,
            "task": version.task_ref,
            "service_item": version.service_item,
            "tags": "\n".join(version.tags),
            "description": version.description,
            "billable": hint,
            "category": version.category,
        }
    )


def local_day(version: EntryVersion, zone: str) -> date | None:
    """The local date of the work."""
    if version.work_date is not None or version.start is None:
        return version.work_date
    return version.start.astimezone(ZoneInfo(zone)).date()


def resolve_all(state: Journal, *, living: bool = True) -> dict[str, Resolved]:
    """Every (living) entry with its names, contract, day, role and input hash; then the duplicates among them."""
    people = None if state.directory is None else DirectoryDocument.model_validate_json(state.directory.document)
    contracts = [ContractDocument.model_validate_json(r.document) for _, r in sorted(state.contracts.items())]
    facts = {one.id: facts_hash(one) for one in contracts}
    index = None if people is None else name_index(people)
    roles = {} if people is None else {person.id: person.roles for person in people.people}
    found: dict[str, Resolved] = {}
    for entry_id, told in state.told.items():
        top = told.top()
        if living and top.deletion is not Deletion.NONE:
            continue
        client = project = person = ""
        if index is not None:
            client = index.client(top.client_ref, top.source) or ""
            project = index.project(top.project_ref, top.source, client) or ""
            if not client and not top.client_ref and project:
                client = index.client_of_project[project]
            person = index.person(top.person_ref, top.source) or ""
            if told.client and told.client != client:
                project = index.project(top.project_ref, top.source, told.client) or ""
        client, person, project = told.client or client or UNASSIGNED, told.person or person, told.project or project
        project = "" if client == UNASSIGNED else project
        mine = [one for one in contracts if one.client == client]
        first = next((one for one in mine if one.project == project), mine[0] if mine else None)
        firm_zone = "UTC" if people is None else people.firm.zone
        day = local_day(top, first.zone if first is not None else firm_zone)
        valid = [] if day is None else [one for one in mine if one.covers(day)]
        ours = next((one for wanted in (project, "") for one in valid if one.project == wanted), None)
        if day is not None:
            day = local_day(top, ours.zone if ours is not None else firm_zone)
        role = next((row.role for row in roles.get(person, ()) if day is not None and row.covers(day)), "")
        known = "" if ours is None else facts[ours.id]
        place_of = (client, person, project, "" if ours is None else ours.id, str(day or ""), role)
        found[entry_id] = Resolved(top, told, *place_of, known)
    return with_duplicates(found)


def facts_hash(document: ContractDocument) -> str:
    """What deciders are told about a contract, as a hash."""
    matter = None if document.matter is None else document.matter.model_dump(mode="json")
    return content_hash({"decide": document.decide.model_dump(mode="json"), "matter": matter})


def with_duplicates(found: Mapping[str, Resolved]) -> dict[str, Resolved]:
    """Each entry with each other of the same person and day: the later one may repeat the first it overlaps."""
    by_day: dict[tuple[str, str], list[str]] = {}
    for entry_id, one in found.items():
        for day in days_of(one):
            by_day.setdefault((one.person_id or f"?{one.version.person_ref}", day), []).append(entry_id)
    places = {entry_id: place(one) for entry_id, one in found.items()}
    earlier: dict[str, set[str]] = {}
    for members in by_day.values():
        for entry_id in members:
            for other in members:
                if places[other] < places[entry_id] and overlap(found[entry_id], found[other]):
                    earlier.setdefault(entry_id, set()).add(other)
    first = {entry_id: min(others, key=places.__getitem__) for entry_id, others in earlier.items()}
    return {entry_id: replace(one, duplicate_of=first.get(entry_id, "")) for entry_id, one in found.items()}


def days_of(one: Resolved) -> Iterable[str]:
    """The local date of finished time, and the UTC days its clock times touch."""
    version = one.version
    if version.kind is not EntryKind.TIME or version.running or not version.worked_seconds:
        return ()
    days = {one.local_date} if one.local_date else set()
    if version.start is not None:
        day = version.start.astimezone(UTC).date()
        last = max(version.start, (version.end or version.start) - timedelta(microseconds=1)).astimezone(UTC).date()
        while day <= last:
            days.add(day.isoformat())
            day += timedelta(days=1)
    return days


def place(one: Resolved) -> tuple[int, int, str, str, str]:
    """Which of two entries is the first."""
    version = one.version
    start = 0 if version.start is None else instant_micros(version.start)
    return int(version.start is None), start, version.source, version.account, version.entry_id


def overlap(one: Resolved, other: Resolved) -> bool:
    """Whether two entries of one person may be the same time."""
    a, b = one.version, other.version
    if a.start is not None and a.end is not None and b.start is not None and b.end is not None:
        return min(a.end, b.end) > max(a.start, b.start)
    alike = abs(a.worked_seconds - b.worked_seconds) <= 60
    clients = {one.client_id, other.client_id}
    return (a.source, a.account) != (b.source, b.account) and alike and (len(clients) == 1 or UNASSIGNED in clients)
