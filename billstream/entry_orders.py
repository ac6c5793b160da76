"""Orders about single entries: hold, release, assign, correct, delete, write off."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from billstream.cli.exits import Exit
from billstream.cli.failure import CommandFailed
from billstream.cli.results import EntriesResult, RefusedItem
from billstream.closing import Order
from billstream.configuration.problems import nearest
from billstream.gateway import Desk
from billstream.project import envelope, now, speaker
from books.rows import EntryRow
from schemas.canonical import deterministic_id
from schemas.commands import AssignEntry, Command, CorrectEntry, DeleteEntry, HoldEntry, ReleaseEntry, WriteOff
from schemas.envelope import Envelope
from schemas.inputs import Category

SHORTEST_ENTRY_ID = 6


@dataclass(frozen=True)
class Head:
    """What all commands about an entry begin with."""

    envelope: Envelope
    command_id: str
    person: str
    reason: str
    entry_id: str

    def fields(self) -> dict[str, object]:
        """As keyword arguments of a command."""
        return {name: getattr(self, name) for name in ("envelope", "command_id", "person", "reason", "entry_id")}


Make = Callable[[Head], Command]


def hold(head: Head) -> Command:
    """Keep it off invoices."""
    return HoldEntry.model_validate(head.fields())


def release(held_reason: str) -> Make:
    """Settle one reason for which it is held."""
    return lambda head: ReleaseEntry.model_validate({**head.fields(), "held_reason": held_reason})


def assign(client: str, person: str, project: str) -> Make:
    """Say whose it is."""
    named = {"client_id": client, "person_id": person, "project_id": project}
    return lambda head: AssignEntry.model_validate({**head.fields(), **named})


def correct(category: Category, service_item: str, utbms_task: str, utbms_activity: str, *, remember: bool) -> Make:
    """Say what it is."""
    named = {
        "category": category,
        "service_item": service_item,
        "utbms_task": utbms_task,
        "utbms_activity": utbms_activity,
        "remember": remember,
    }
    return lambda head: CorrectEntry.model_validate({**head.fields(), **named})


def delete(head: Head) -> Command:
    """Accept that it is gone at its source."""
    return DeleteEntry.model_validate(head.fields())


def write_off(head: Head) -> Command:
    """Decide not to bill it."""
    return WriteOff.model_validate(head.fields())


async def order_entries(desk: Desk, named: Sequence[str], verb: str, make: Make, order: Order) -> EntriesResult:
    """Give the same order about each named entry and wait for the answers."""
    await desk.catch_up()
    person = speaker(desk.installation, order.person)
    at = now()
    settings = desk.installation.settings
    commands: list[Command] = []
    ids = [find_entry(desk, name).entry_id for name in named]
    for entry_id in ids:
        identity = {"tenant": settings.tenant, "book": settings.book, "at": at, "entry": entry_id}
        command_id = deterministic_id(verb, identity)
        head = Head(envelope(desk.installation, command_id, at), command_id, person, order.reason, entry_id)
        commands.append(make(head))
    await desk.publish_orders(commands)
    verdicts = await desk.verdicts([command.command_id for command in commands], order.wait_seconds)
    done, refused = [], []
    for command, entry_id in zip(commands, ids, strict=True):
        verdict = verdicts.get(command.command_id)
        if verdict is not None and not verdict.refused:
            done.append(entry_id)
        else:
            reason, detail = ("no_answer", "") if verdict is None else (verdict.reason, verdict.detail)
            refused.append(RefusedItem(command_id=command.command_id, about=entry_id, reason=reason, detail=detail))
    return EntriesResult(done=tuple(done), refused=tuple(refused))


def find_entry(desk: Desk, name: str) -> EntryRow:
    """The entry of an id, its source's id, or the beginning of an id that fits only one."""
    if (row := desk.book.get(EntryRow, name)) is not None:
        return row
    rows = [row for _, row in desk.book.scan(EntryRow)]
    found = [row for row in rows if row.source_entry_id == name]
    if not found and len(name) >= SHORTEST_ENTRY_ID:
        found = [row for row in rows if row.entry_id.startswith(name)]
    if len(found) == 1:
        return found[0]
    said = f"'{name}' fits {len(found)} entries." if found else f"There is no entry '{name}'."
    hint = nearest(name, (row.source_entry_id for row in rows[:1000])) if not found else "Write more letters of its id."
    raise CommandFailed("entry_unknown", said, hint, Exit.NOT_FOUND)


def check_assignment(desk: Desk, client: str, person: str, project: str) -> None:
    """Refuse ids that the directory does not know, before anything is sent."""
    people = desk.catalog.people
    if people is None:
        raise CommandFailed(
            "no_directory", "The book has no directory yet.", "Run `billstream contracts apply`.", Exit.NOT_FOUND
        )
    for what, name, known in (
        ("client", client, {one.id for one in people.document.clients}),
        ("person", person, {one.id for one in people.document.people}),
        ("project", project, {one.id for one in people.document.projects}),
    ):
        if name and name not in known:
            raise CommandFailed(
                f"{what}_unknown", f"There is no {what} '{name}'.", nearest(name, known), Exit.NOT_FOUND
            )
