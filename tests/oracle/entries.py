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
from schemas.directory import DirectoryDocument, name_index, reference_key
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
    released: set[str] = field(default_factory=set)
    written_off: str = ""
    missing_from: str = ""
    corrections: dict[str, commands.CorrectEntry] = field(default_factory=dict)

    def top(self) -> EntryVersion:
        """The highest version."""
        return max(self.versions, key=order)

    def conflict(self) -> bool:
        """Whether the source gave the highest version's revision another content too."""
        top = self.top()
        rivals = {v.content for v in self.versions if v.deletion is Deletion.NONE and group(v) == group(top)}
        return top.deletion is Deletion.NONE and len(rivals) > 1

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
    input_hash: str
    duplicate_of: str = ""


@dataclass
class Journal:
    """A journal up to an offset, sorted into plain dictionaries."""

    told: dict[str, Told]
    directory: inputs.DirectoryRevision | None
    contracts: dict[str, inputs.ContractRevision]
    rates: dict[tuple[str, str, date], inputs.ExchangeRate]
    clock: datetime | None


def read(journal: Numbered, cut: int) -> Journal:
    """Everything at or before an offset. Commands count once for an id, revisions and imports once for an event."""
    state = Journal({}, None, {}, {}, None)
    seen: set[str] = set()
    for offset, record in journal:
        if offset > cut:
            break
        identity = f"c:{record.command_id}" if isinstance(record, commands.Command) else record.envelope.event_id
        if not isinstance(record, EntryVersion | inputs.Decision) and identity in seen:
            continue
        seen.add(identity)
        take(state, record)
    return state


def take(state: Journal, record: Record) -> None:
    """Add one record to the dictionaries."""
    match record:
        case EntryVersion():
            add_version(state.told.setdefault(record.entry_id, Told()), record)
        case inputs.DirectoryRevision():
            state.directory = record
        case inputs.ContractRevision():
            state.contracts[record.contract_id] = record
        case inputs.ExchangeRate():
            state.rates[record.base, record.quote, record.on] = record
        case inputs.ClockTick() if record.at <= record.envelope.recorded_at + timedelta(days=1):
            state.clock = record.at if state.clock is None else max(state.clock, record.at)
        case inputs.ImportCompleted():
            propose_deletions(state, record)
        case commands.Command():
            told = state.told.get(str(getattr(record, "entry_id", "")))
            names_are_known = not isinstance(record, commands.AssignEntry) or assignable(state, record)
            if told is not None and names_are_known:
                obey(told, record)
        case _:
            pass


def add_version(told: Told, version: EntryVersion) -> None:
    """A version that is higher, or that a newer import holds, takes a proposed deletion back."""
    before = (order(told.top()), told.newest_import()) if told.versions else None
    told.versions.append(version)
    if before is not None and before != (order(told.top()), told.newest_import()):
        told.missing_from = ""


def propose_deletions(state: Journal, done: inputs.ImportCompleted) -> None:
    """What an import's scope holds and the import lacks may be deleted."""
    people, until = {reference_key(name) for name in done.people}, instant_micros(done.observed_at)
    for told in state.told.values():
        top, (seen, import_id) = told.top(), told.newest_import()
        day = top.work_date or local_day(top, top.zone or "UTC")
        inside = (top.source, top.account) == (done.source, done.account) and day is not None
        inside = inside and day is not None and done.date_from <= day < done.date_to
        absent = import_id != done.import_id and max(seen, instant_micros(top.observed_at)) <= until
        if inside and absent and top.deletion is Deletion.NONE and reference_key(top.person_ref) in people:
            told.missing_from = told.missing_from or done.import_id


def assignable(state: Journal, order_given: commands.AssignEntry) -> bool:
    """Whether the directory has what an entry shall be given to; a project must be that of the entry's client."""
    if state.directory is None or order_given.entry_id not in state.told:
        return False
    people = DirectoryDocument.model_validate_json(state.directory.document)
    client = order_given.client_id or resolve_all(state, living=False)[order_given.entry_id].client_id
    projects = [(project.id, project.client) for project in people.projects]
    return (
        order_given.client_id in ["", *(one.id for one in people.clients)]
        and order_given.person_id in ["", *(one.id for one in people.people)]
        and (order_given.project_id == "" or (order_given.project_id, client) in projects)
    )


def obey(told: Told, order_given: commands.Command) -> None:
    """What a person ordered about an entry."""
    reason = f"{order_given.person}: {order_given.reason}"
    match order_given:
        case commands.AssignEntry():
            told.client = order_given.client_id or told.client
            told.person = order_given.person_id or told.person
            told.project = order_given.project_id or told.project
        case commands.CorrectEntry():
            told.corrections[said(told.top())] = order_given
        case commands.HoldEntry():
            told.held_by = reason
        case commands.ReleaseEntry(held_reason="held_by_person"):
            told.held_by = ""
        case commands.ReleaseEntry(held_reason="deletion_proposed"):
            told.missing_from = ""
        case commands.ReleaseEntry():
            told.released.add(order_given.held_reason)
        case commands.DeleteEntry() if told.missing_from:
            told.versions.append(told.top().model_copy(update={"deletion": Deletion.INFERRED}))
            told.missing_from = ""
        case commands.WriteOff():
            told.written_off = reason
        case _:
            pass


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
        context = {"client": client, "facts": "" if ours is None else facts[ours.id], "role": role}
        input_hash = content_hash({"said": said(top), "context": content_hash(context)})[:32]
        found[entry_id] = Resolved(
            top, told, client, person, project, "" if ours is None else ours.id, str(day or ""), role, input_hash
        )
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
    earlier: dict[str, set[str]] = {}
    for members in by_day.values():
        for entry_id in members:
            for other in members:
                if place(found[other]) < place(found[entry_id]) and overlap(found[entry_id], found[other]):
                    earlier.setdefault(entry_id, set()).add(other)
    first = {entry_id: min(others, key=lambda other: place(found[other])) for entry_id, others in earlier.items()}
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
