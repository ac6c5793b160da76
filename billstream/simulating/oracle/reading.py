"""A journal up to an offset, sorted into plain dictionaries, with every order judged where it stands."""

from datetime import timedelta

from billstream.simulating.oracle.entries import Journal, Numbered, Told, local_day, order, resolve_all, said
from billstream.simulating.oracle.holds import holds_of, looked_at, rank, verdict_of
from schemas import commands, inputs
from schemas.canonical import instant_micros
from schemas.contract import ContractDocument
from schemas.directory import DirectoryDocument, reference_key
from schemas.draft import DraftBody
from schemas.entry import Deletion, EntryVersion
from schemas.facts import DocumentVoided
from schemas.values import Record


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
        case inputs.Decision():
            known = state.answers.get((record.entry_id, record.input_hash))
            if known is None or rank(record) > rank(known):
                state.answers[record.entry_id, record.input_hash] = record
        case inputs.ClockTick() if record.at <= record.envelope.recorded_at + timedelta(days=1):
            state.clock = record.at if state.clock is None else max(state.clock, record.at)
        case inputs.ImportCompleted():
            propose_deletions(state, record)
        case commands.Command():
            told = state.told.get(str(getattr(record, "entry_id", "")))
            names_are_known = not isinstance(record, commands.AssignEntry) or assignable(state, record)
            if told is not None and names_are_known:
                obey(told, record)
            if told is not None and isinstance(record, commands.ReleaseEntry):
                release(state, told, record)
        case DocumentVoided() if record.written_off and record.body is not None:
            for entry_id in taken_back(record.body):
                state.told[entry_id].written_off = record.written_off
        case _:
            pass


def taken_back(note: DraftBody) -> set[str]:
    """The entries that a credit note takes time from, or money where they have no time."""
    sources = [source for line in note.lines for source in line.sources]
    found = set()
    for entry_id in {source.entry_id for source in sources}:
        mine = [source for source in sources if source.entry_id == entry_id]
        seconds, amount = sum(one.worked_seconds for one in mine), sum(one.amount for one in mine)
        if seconds < 0 or (seconds == 0 and amount < 0):
            found.add(entry_id)
    return found


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
        case commands.DeleteEntry() if told.missing_from:
            told.versions.append(told.top().model_copy(update={"deletion": Deletion.INFERRED}))
            told.missing_from = ""
        case commands.WriteOff():
            told.written_off = reason
        case _:
            pass


def release(state: Journal, told: Told, order_given: commands.ReleaseEntry) -> None:
    """A release settles only what holds the entry at that moment; overflow of a cap needs no more than the cap."""
    word, one = order_given.held_reason, resolve_all(state).get(order_given.entry_id)
    if one is None:
        return
    verdict = verdict_of(one, state.answers)
    held = {hold.reason for hold in holds_of(one, verdict)} - {"running"}
    if one.contract_id:
        contract = ContractDocument.model_validate_json(state.contracts[one.contract_id].document)
        held |= {f"cap:{cap.id}" for cap in contract.caps}
        if verdict is not None and verdict.confidence < contract.decide.confidence_min:
            held.add("low_confidence")
    if word not in held:
        return
    if word == "held_by_person":
        told.held_by = ""
    elif word == "deletion_proposed":
        told.missing_from = ""
    else:
        told.released.add((word, looked_at(one, word)))
