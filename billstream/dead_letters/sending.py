"""The way out of dead letters: bytes first, the order that says so second, and then a look at what came of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from billstream.cli.letter_results import SentItem
from billstream.closing import Order, head_of
from billstream.dead_letters.asking import Found
from billstream.dead_letters.port import LetterDesk, Raw
from billstream.dead_letters.rules import event_of
from billstream.project import now, speaker
from schemas.commands import LetterOutcome, SettleDeadLetter
from streams.letter_log import hash_of
from streams.topics import WORK

TOGETHER_BYTES_MAX = 4 * 1024 * 1024
TOGETHER_MAX = 100
LOOK_SECONDS = 1


@dataclass(frozen=True, slots=True)
class Gone:
    """A letter whose bytes went out: `sent` is their hash, `event_id` is empty when nobody can read it."""

    letter_id: str
    outcome: str
    topic: str
    partition: int
    sent: str
    event_id: str


class Sender:
    """Sends some letters at a time, so that memory is bounded; a dry run only says where they would go."""

    def __init__(self, desk: LetterDesk, outcome: LetterOutcome, order: Order, *, dry_run: bool) -> None:
        self._desk = desk
        self._outcome = outcome
        self._order = order
        self._person = speaker(desk.installation, order.person)
        self._dry_run = dry_run
        self._waiting: list[Raw] = []
        self._gone: list[Gone] = []

    async def add(self, raw: Raw) -> None:
        """Take one more; it may go out at once."""
        self._waiting.append(raw)
        size_bytes = sum(len(one.value) for one in self._waiting)
        if len(self._waiting) >= TOGETHER_MAX or size_bytes >= TOGETHER_BYTES_MAX:
            await self._flush()

    async def finish(self) -> Sequence[Gone]:
        """Send the rest; returns all that went out."""
        await self._flush()
        return self._gone

    async def _flush(self) -> None:
        raws, self._waiting = self._waiting, []
        # Taken before anything is sent: what fails again is stamped later than this, and so is known again.
        at = now()
        gone = [
            Gone(one.letter_id, self._outcome.value, one.topic, one.partition, hash_of(one.value), event_of(one.value))
            for one in raws
        ]
        self._gone += gone
        if self._dry_run or not raws:
            return
        self._desk.watch(one.event_id for one in gone if one.event_id)
        await self._desk.send_again(raws)
        await self._desk.publish_orders(
            [
                settlement(self._desk, one.letter_id, self._outcome, self._person, self._order.reason, at, one.sent)
                for one in gone
            ]
        )


def settlement(
    desk: LetterDesk, letter_id: str, outcome: LetterOutcome, person: str, reason: str, at: datetime, sent: str = ""
) -> SettleDeadLetter:
    """The order that settles a letter: the record of who did what, and why."""
    command_id, head = head_of(desk, f"letter-{outcome.value}", {"letter": letter_id}, at)
    return SettleDeadLetter(
        envelope=head,
        command_id=command_id,
        person=person,
        reason=reason,
        dead_letter_id=letter_id,
        outcome=outcome,
        sent=sent,
    )


async def what_came(desk: LetterDesk, gone: Sequence[Gone], found: Found, wait_seconds: int) -> tuple[SentItem, ...]:
    """Wait until each is in the journal or a dead letter again; after the time the rest has no answer yet."""
    watched = {one.event_id for one in gone if one.event_id and one.topic != WORK}
    again: dict[str, str] = {}
    for _ in range(max(1, wait_seconds // LOOK_SECONDS)):
        await desk.until(lambda: watched <= desk.arrivals.keys(), LOOK_SECONDS)
        page = await desk.letters.page(after=found.ends)
        again = {note.value_hash: note.letter_id for note in page.notes}
        if all(_answered(one, desk.arrivals, again) for one in gone):
            break
    return tuple(_item(one, desk.arrivals, again) for one in gone)


def _answered(one: Gone, arrivals: Mapping[str, str], again: Mapping[str, str]) -> bool:
    return one.topic == WORK or one.sent in again or arrivals.get(one.event_id) == ""


def _item(one: Gone, arrivals: Mapping[str, str], again: Mapping[str, str]) -> SentItem:
    came, detail = "no_answer", arrivals.get(one.event_id, "")
    if one.sent in again or detail:
        came = "failed_again"
    elif one.event_id in arrivals:
        came = "accepted"
    elif one.topic == WORK:
        came = "sent"
    return SentItem(
        letter_id=one.letter_id,
        outcome=one.outcome,
        topic=one.topic,
        partition=one.partition,
        came=came,
        detail=detail,
        failed_again=again.get(one.sent, ""),
    )
