"""Settling dead letters: replay them, send a repaired record, or discard them. Each leaves an order in the journal.

What is sent goes first, and the order that says so after its acknowledgement: a crash between them leaves the letter
open, and sending the same bytes once more changes nothing.
"""

from collections.abc import Mapping, Sequence
from contextlib import aclosing
from pathlib import Path

from billstream.cli.exits import Exit
from billstream.cli.failure import CommandFailed
from billstream.cli.letter_results import ChangeItem, RepairResult, SentItem, SettledLettersResult
from billstream.cli.results import RefusedItem
from billstream.closing import Order
from billstream.dead_letters.asking import Found, find, find_all
from billstream.dead_letters.port import LetterDesk, Raw
from billstream.dead_letters.repairing import draft_of, fields_of_file, repair, with_changes, write_file
from billstream.dead_letters.rules import SHORT_ID, LetterRefused, objection, way_of_replay
from billstream.dead_letters.sending import Gone, Sender, settlement, what_came
from billstream.dead_letters.standing import LetterState, Standing
from billstream.project import now, speaker
from schemas.commands import LetterOutcome
from schemas.outputs import DeadLetter

SETTLED_AT_ONCE = 500
"""Letters of one call; the answer says how many are left."""


async def replay(
    desk: LetterDesk, chosen: "Chosen", order: Order, *, anyway: bool = False, dry_run: bool = False
) -> SettledLettersResult:
    """Send the bytes of letters again, as they are, and say what came of them.

    A letter that today's workers would refuse again is left alone unless `anyway`.
    """
    found = await find_all(desk)
    chosen_ones, more = chosen.among(found)
    # In the order in which they lie: reading from partition to partition and back costs much more.
    standing = sorted(chosen_ones, key=lambda one: one.note.place)
    sender = Sender(desk, LetterOutcome.REPLAYED, order, dry_run=dry_run)
    refused: list[RefusedItem] = []
    async with aclosing(desk.letters.several([one.note.place for one in standing])) as letters:
        for one in standing:
            try:
                raw = _again(one, await anext(letters), desk.installation.settings.partitions, anyway=anyway)
            except LetterRefused as error:
                refused.append(_refused(one, error))
            else:
                await sender.add(raw)
    gone = await sender.finish()
    done = _would(gone) if dry_run else await what_came(desk, gone, found, order.wait_seconds)
    return SettledLettersResult(done=done, refused=tuple(refused), dry_run=dry_run, more=more)


async def discard(desk: LetterDesk, chosen: "Chosen", order: Order, *, dry_run: bool = False) -> SettledLettersResult:
    """Settle letters without sending anything: somebody decided so and says why. The letters stay in their topic."""
    if not order.reason.strip():
        raise CommandFailed("reason_missing", "A letter is discarded for a reason.", "Say --because.", Exit.USAGE)
    found = await find_all(desk)
    standing, more = chosen.among(found)
    person, at = speaker(desk.installation, order.person), now()
    refused = [_refused(one, _settled_already(one)) for one in standing if one.state is not LetterState.OPEN]
    orders = [
        settlement(desk, one.note.letter_id, LetterOutcome.DISCARDED, person, order.reason, at)
        for one in standing
        if one.state is LetterState.OPEN
    ]
    answered: Mapping[str, object] = {}
    if not dry_run:
        await desk.publish_orders(orders)
        answered = await desk.verdicts([one.command_id for one in orders], order.wait_seconds)
    done = tuple(
        SentItem(
            letter_id=one.dead_letter_id,
            outcome=one.outcome.value,
            came="" if dry_run else "accepted" if one.command_id in answered else "no_answer",
        )
        for one in orders
    )
    return SettledLettersResult(done=done, refused=tuple(refused), dry_run=dry_run, more=more)


async def repair_to_file(desk: LetterDesk, name: str, path: Path) -> RepairResult:
    """Write what can be read of a letter's record into a file for editing; nothing is sent."""
    one = find((await find_all(desk)).standings, name)
    letter = await desk.letters.letter(one.note.place)
    write_file(draft_of(letter), path)
    return RepairResult(letter_id=letter.dead_letter_id, file=str(path), dry_run=True)


async def repair_and_send(
    desk: LetterDesk, name: str, source: Path | None, changes: Sequence[str], order: Order, *, dry_run: bool = False
) -> RepairResult:
    """Send a corrected record in the place of a letter's: from an edited file, from single changes, or from both."""
    found = await find_all(desk)
    one = find(found.standings, name)
    letter = await desk.letters.letter(one.note.place)
    draft = draft_of(letter)
    _check_not_repaired(one)
    fields = with_changes(draft.model, draft.fields if source is None else fields_of_file(letter, source), changes)
    repaired = repair(draft, fields, desk.installation.settings.partitions)
    told = tuple(ChangeItem(field=each.field, before=each.before, after=each.after) for each in repaired.changes)
    sender = Sender(desk, LetterOutcome.REPAIRED, order, dry_run=dry_run)
    way = repaired.way
    await sender.add(Raw(letter.dead_letter_id, way.topic, way.partition, letter.key, repaired.value))
    gone = await sender.finish()
    (sent,) = _would(gone) if dry_run else await what_came(desk, gone, found, order.wait_seconds)
    return RepairResult(letter_id=letter.dead_letter_id, changes=told, sent=sent, dry_run=dry_run)


class Chosen:
    """Letters by their ids, or all open ones of a reason, a topic or both."""

    def __init__(self, names: Sequence[str] = (), reason: str = "", topic: str = "") -> None:
        self._names = names
        self._reason = reason
        self._topic = topic

    def among(self, found: Found) -> tuple[Sequence[Standing], int]:
        """The letters, and how many more fit and are left for the next call. Raises CommandFailed when none fits."""
        if self._names:
            return list(
                {one.note.letter_id: one for one in (find(found.standings, n) for n in self._names)}.values()
            ), 0
        open_letters = [one for one in found.standings if one.state is LetterState.OPEN]
        fitting = [one for one in open_letters if self._fits(one)]
        if not fitting:
            known = ", ".join(sorted({one.note.reason for one in open_letters}))
            hint = f"Open letters have these reasons: {known}." if known else "No letter is open."
            raise CommandFailed("nothing_to_do", "No open letter fits.", hint, Exit.NOT_FOUND)
        return fitting[:SETTLED_AT_ONCE], max(0, len(fitting) - SETTLED_AT_ONCE)

    def _fits(self, one: Standing) -> bool:
        return self._reason in ("", one.note.reason) and self._topic in ("", one.note.topic)


def _again(one: Standing, letter: DeadLetter, partitions: int, *, anyway: bool) -> Raw:
    """The bytes of a letter for their way; raises LetterRefused with the reason."""
    _check_not_repaired(one)
    way = way_of_replay(letter)
    said = "" if anyway else objection(letter.value, way, partitions)
    if said:
        short = one.note.letter_id[:SHORT_ID]
        fix = f"`billstream dead-letters repair {short}`, or replay it with --anyway."
        raise LetterRefused("letter_would_fail", f"It would be refused again: {said}", fix)
    return Raw(one.note.letter_id, way.topic, way.partition, letter.key, letter.value)


def _check_not_repaired(one: Standing) -> None:
    if one.state is LetterState.REPAIRED:
        raise _settled_already(one)


def _settled_already(one: Standing) -> LetterRefused:
    said = f"{one.note.letter_id[:SHORT_ID]} was {one.state.value} by {one.settlements[-1].person}."
    fix = f"See `billstream dead-letters show {one.failed_again[:SHORT_ID]}`." if one.failed_again else ""
    return LetterRefused("letter_settled", said, fix)


def _refused(one: Standing, error: LetterRefused) -> RefusedItem:
    detail = f"{error.message} {error.fix}".strip()
    return RefusedItem(command_id="", about=one.note.letter_id, reason=error.code, detail=detail)


def _would(gone: Sequence[Gone]) -> tuple[SentItem, ...]:
    return tuple(
        SentItem(letter_id=one.letter_id, outcome=one.outcome, topic=one.topic, partition=one.partition) for one in gone
    )
