"""Replay, repair and discard on a whole book in memory: what is sent is still what it was, and who did it is told."""

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from billstream.cli.failure import CommandFailed
from billstream.closing import Order
from billstream.dead_letters.asking import Wanted, list_letters, moment, show
from billstream.dead_letters.rules import LetterRefused
from billstream.dead_letters.settling import Chosen, discard, repair_and_send, repair_to_file, replay
from billstream.memory_desk import MemoryDesk
from billstream.project import now
from billstream.reporting import status
from books.rows import EntryRow
from books.testing import contract, entry, entry_id, envelope, terms
from schemas.codec import decode, encode, encode_fields
from schemas.commands import SettleDeadLetter, WriteOff
from schemas.entry import EntryVersion, content_of
from schemas.outputs import DeadLetter
from streams.letter_log import note_of
from streams.letters import KEPT_BYTES_MAX, Place, dead_letter
from streams.topics import COMMANDS, HOURS, JOURNAL, RESULTS, TIME_ENTRIES, WORK

Poison = Callable[..., Awaitable[str]]
MINUS_AN_HOUR = {"worked_seconds": -3600}


def wrong(name: str = "a", **fields: object) -> bytes:
    """An entry version with values that no entry can have."""
    version = entry(name)
    return encode_fields(EntryVersion, {**version.model_dump(), **(fields or MINUS_AN_HOUR)})


def key(name: str = "a") -> bytes:
    return entry_id(name).encode()


def journal_letter(desk: MemoryDesk, value: bytes, reason: str, topic: str = JOURNAL, stage: str = "fold") -> str:
    """A letter that an agent behind the sequence wrote."""
    place = Place(topic, 0, 7, 1_790_000_000_000, b"k", value)
    settings = desk.installation.settings
    letter = decode(dead_letter(place, settings.tenant, settings.book, stage, reason, "it says").value)
    assert isinstance(letter, DeadLetter)
    desk.letters.keep(letter)
    return letter.dead_letter_id


async def test_a_repaired_entry_is_the_same_entry_and_counts(desk: MemoryDesk, poison: Poison, order: Order) -> None:
    """One field is set, the ids stay, the hash of its content follows, and the letter tells who did it."""
    letter = await poison(wrong(), key())
    result = await repair_and_send(desk, letter, None, ["worked_seconds=3600"], order)
    assert [(one.field, one.before, one.after) for one in result.changes] == [("worked_seconds", "-3600", "3600")]
    assert result.sent is not None
    assert (result.sent.came, result.sent.topic) == ("accepted", TIME_ENTRIES)
    row = desk.book.get(EntryRow, entry_id("a"))
    assert row is not None
    right = entry("a")
    content = content_of({name: getattr(right, name) for name in EntryVersion.model_fields})
    assert (row.worked_seconds, row.content) == (3600, content)
    told = (await list_letters(desk, Wanted(settled_too=True))).letters[0]
    assert (told.state, told.settled_by, told.settled_because) == ("repaired", "dana", "looked at it")


async def test_a_repair_that_makes_it_another_record_is_refused(desk: MemoryDesk, poison: Poison, order: Order) -> None:
    """Event id, entry id and source stay; the refusal names the field, and nothing is sent."""
    letter = await poison(wrong(), key())
    before = desk.next_offset
    for change in ("entry_id=other", "envelope.event_id=other", "source_entry_id=other", "envelope.book=other"):
        with pytest.raises(LetterRefused, match=change.split("=")[0].replace(".", "\\.")) as refused:
            await repair_and_send(desk, letter, None, ["worked_seconds=3600", change], order)
        assert refused.value.code == "letter_identity"
    assert desk.next_offset == before


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        ("worked_seconds=-1", "repair_invalid", "worked_seconds"),
        ("worked_secnods=1", "repair_setting", "did you mean 'worked_seconds'"),
        ("kind=tiem", "repair_invalid", "'tiem' is no word"),
        ("3600", "repair_setting", "not field=value"),
        ("description.more=1", "repair_setting", "has no fields"),
    ],
)
async def test_a_wrong_correction_is_told(
    desk: MemoryDesk, poison: Poison, order: Order, change: str, code: str, said: str
) -> None:
    """A value out of its domain, a field or a word that does not exist, something that is no setting."""
    letter = await poison(wrong(), key())
    with pytest.raises(LetterRefused) as refused:
        await repair_and_send(desk, letter, None, ["worked_seconds=3600", change], order)
    assert refused.value.code == code
    assert said in f"{refused.value.message} {refused.value.fix}"


async def test_a_record_cut_short_is_filled_in_and_proven(
    desk: MemoryDesk, poison: Poison, order: Order, tmp_path: Path
) -> None:
    """The file holds what was read; the source that was lost is checked by the entry's id, which is its hash."""
    whole = encode(entry("a"))
    letter = await poison(whole[: whole.index(key()) + len(key())], key())
    file = tmp_path / "a.json"
    await repair_to_file(desk, letter, file)
    about = json.loads(file.read_text())
    assert (about["letter"], about["record"]["entry_id"]) == (letter, entry_id("a"))
    assert "source_entry_id" in about["not_read"]
    complete = entry("a").model_dump(mode="json")
    for source_entry_id, passes in (("b", False), ("a", True)):
        about["record"] = {**complete, **about["record"], "source_entry_id": source_entry_id}
        file.write_text(json.dumps(about))
        if passes:
            result = await repair_and_send(desk, letter, file, [], order)
            assert result.sent is not None
            assert result.sent.came == "accepted"
        else:
            with pytest.raises(LetterRefused, match="their hash"):
                await repair_and_send(desk, letter, file, [], order)
    assert desk.book.get(EntryRow, entry_id("a")) is not None


async def test_the_id_of_an_entry_is_not_doubted_when_its_source_is_readable(
    desk: MemoryDesk, poison: Poison, order: Order
) -> None:
    """Another producer may make its ids otherwise; only what was lost has to be proven."""
    letter = await poison(wrong("a", entry_id="its-own", worked_seconds=-1), b"its-own")
    result = await repair_and_send(desk, letter, None, ["worked_seconds=60"], order)
    assert result.sent is not None
    assert result.sent.came == "accepted"


async def test_nothing_is_repaired_whose_identity_is_lost(
    desk: MemoryDesk, poison: Poison, order: Order, tmp_path: Path
) -> None:
    """Cut before the event id was read, nobody can say what it was; of random bytes there is nothing to edit."""
    letter = await poison(encode(entry("a"))[:45], key())
    with pytest.raises(LetterRefused) as refused:
        await repair_and_send(
            desk, letter, None, [f"{k}={v}" for k, v in entry("a").model_dump(mode="json").items() if v], order
        )
    assert refused.value.code in ("letter_identity", "repair_invalid")
    random = await poison(b"\x17\x2arandom")
    with pytest.raises(LetterRefused, match="Nothing of"):
        await repair_to_file(desk, random, tmp_path / "r.json")


async def test_the_file_of_another_letter_is_refused(
    desk: MemoryDesk, poison: Poison, order: Order, tmp_path: Path
) -> None:
    """And so is something that is no file of ours; a file that exists is not overwritten."""
    first, second = await poison(wrong("a"), key("a")), await poison(wrong("b"), key("b"))
    await repair_to_file(desk, first, tmp_path / "a.json")
    with pytest.raises(LetterRefused, match="another letter"):
        await repair_and_send(desk, second, tmp_path / "a.json", [], order)
    (tmp_path / "b.json").write_text("[1, 2")
    with pytest.raises(LetterRefused, match="no JSON of ours"):
        await repair_and_send(desk, second, tmp_path / "b.json", [], order)
    with pytest.raises(Exception, match="exists"):
        await repair_to_file(desk, second, tmp_path / "b.json")


async def test_a_dry_run_sends_nothing(desk: MemoryDesk, poison: Poison, order: Order) -> None:
    """Of each of the three, and it says what would be done."""
    letter = await poison(wrong(), key())
    before = desk.next_offset
    repaired = await repair_and_send(desk, letter, None, ["worked_seconds=60"], order, dry_run=True)
    assert repaired.changes
    assert (await discard(desk, Chosen([letter]), order, dry_run=True)).done[0].outcome == "discarded"
    assert (await replay(desk, Chosen([letter]), order, anyway=True, dry_run=True)).done[0].topic == TIME_ENTRIES
    assert desk.next_offset == before
    assert (await list_letters(desk, Wanted())).open == 1


async def test_a_replay_that_must_fail_is_left_alone(desk: MemoryDesk, poison: Poison, order: Order) -> None:
    """The workers' own check says so beforehand, with the command that helps; with --anyway it is sent."""
    letter = await poison(wrong(), key())
    result = await replay(desk, Chosen([letter]), order)
    assert (result.done, result.refused[0].reason) == ((), "letter_would_fail")
    assert "dead-letters repair" in result.refused[0].detail
    sent = await replay(desk, Chosen([letter]), order, anyway=True)
    assert sent.done[0].came == "failed_again"


async def test_a_replay_that_fails_again_is_linked_to_the_first(desk: MemoryDesk, poison: Poison, order: Order) -> None:
    """Each new letter names the one before and the first; only the newest is open."""
    first = await poison(wrong(), key())
    second = (await replay(desk, Chosen([first]), order, anyway=True)).done[0].failed_again
    third = (await replay(desk, Chosen([second]), order, anyway=True)).done[0].failed_again
    told = {one.letter_id: one for one in (await list_letters(desk, Wanted(settled_too=True))).letters}
    assert (told[first].failed_again, told[second].follows, told[third].follows) == (second, first, second)
    assert (told[third].first, told[first].first) == (first, "")
    assert [one.letter_id for one in (await list_letters(desk, Wanted())).letters] == [third]


async def test_the_same_poison_twice_is_no_chain(desk: MemoryDesk, poison: Poison, order: Order) -> None:
    """A producer that writes the same bytes twice made two letters before anybody sent anything again."""
    first, second = await poison(wrong(), key()), await poison(wrong(), key())
    await discard(desk, Chosen([first]), order)
    assert first != second
    assert all(not one.follows for one in (await list_letters(desk, Wanted(settled_too=True))).letters)


async def test_a_double_replay_has_no_effect(desk: MemoryDesk, poison: Poison, home: int, order: Order) -> None:
    """The same bytes are the same version of the same entry: the rows stay what they were."""
    letter = journal_letter(desk, encode(entry("a")), "schema_unknown", TIME_ENTRIES, "sequence")
    moved = desk.letters._letters[-1].model_copy(update={"partition": home})
    desk.letters._letters[-1] = moved
    assert (await replay(desk, Chosen([letter]), order)).done[0].came == "accepted"
    row = desk.book.get(EntryRow, entry_id("a"))
    assert row is not None
    assert (await replay(desk, Chosen([letter]), order)).done[0].came == "accepted"
    assert desk.book.get(EntryRow, entry_id("a")) == row
    assert (await show(desk, letter)).letter.state == "replayed"


async def test_a_letter_of_the_wrong_partition_goes_home_by_repair(
    desk: MemoryDesk, poison: Poison, home: int, order: Order
) -> None:
    """A replay would fail for ever; a repair without changes brings it to the partition of its book."""
    away = (home + 1) % desk.installation.settings.partitions
    letter = await poison(encode(entry("a")), key(), TIME_ENTRIES, away)
    assert (await replay(desk, Chosen([letter]), order)).refused[0].reason == "letter_would_fail"
    result = await repair_and_send(desk, letter, None, [], order)
    assert result.sent is not None
    assert (result.sent.partition, result.sent.came) == (home, "accepted")


async def test_a_discard_needs_a_person_and_a_reason_and_leaves_an_order(
    desk: MemoryDesk, poison: Poison, order: Order
) -> None:
    """The journal says who and why; the letter is still there, and a second discard is refused."""
    letter = await poison(b"random")
    with pytest.raises(CommandFailed, match="for a reason"):
        await discard(desk, Chosen([letter]), Order("dana", " ", 1))
    await discard(desk, Chosen([letter]), Order("amir", "a test of the new tracker", 1))
    (said,) = [one for one in desk.records if isinstance(one, SettleDeadLetter)]
    assert (said.person, said.reason, said.dead_letter_id) == ("amir", "a test of the new tracker", letter)
    again = await discard(desk, Chosen([letter]), order)
    assert (again.done, again.refused[0].reason) == ((), "letter_settled")
    assert (await list_letters(desk, Wanted())).open == 0
    assert (await show(desk, letter)).settlements[0].person == "amir"


async def test_letters_are_chosen_by_reason(desk: MemoryDesk, poison: Poison, order: Order) -> None:
    """Only open ones with that reason; a reason that nobody has is not found, and the known ones are named."""
    kept = await poison(wrong(), key())
    gone = {await poison(b"one"), await poison(b"two")}
    done = await discard(desk, Chosen(reason="frame_short"), order)
    assert {one.letter_id for one in done.done} == gone
    with pytest.raises(CommandFailed) as nothing:
        await discard(desk, Chosen(reason="frame_short"), order)
    assert "value_invalid" in nothing.value.fix
    assert [one.letter_id for one in (await list_letters(desk, Wanted())).letters] == [kept]


async def test_what_the_journal_counted_is_not_sent_again(desk: MemoryDesk, order: Order) -> None:
    """A revision that the fold refused stands in the journal; the same event again would change nothing."""
    letter = journal_letter(desk, encode(contract(terms(currency="USD"))), "currency_changed")
    result = await replay(desk, Chosen([letter]), order)
    assert (result.refused[0].reason, "contracts apply" in result.refused[0].detail) == ("letter_counted", True)


async def test_a_letter_of_the_journal_goes_through_the_way_in(desk: MemoryDesk, home: int, order: Order) -> None:
    """Nobody but the workers writes a journal: what an old fold could not read comes in again as an entry."""
    letter = journal_letter(desk, encode(entry("a")), "schema_unknown")
    desk.letters._letters[-1] = desk.letters._letters[-1].model_copy(update={"partition": home})
    sent = (await replay(desk, Chosen([letter]), order)).done[0]
    assert (sent.topic, sent.came) == (TIME_ENTRIES, "accepted")


@pytest.mark.parametrize(
    ("topic", "value", "code"),
    [
        (HOURS, b"broken", "letter_not_sent"),
        (JOURNAL, b"broken", "letter_not_sent"),
        (TIME_ENTRIES, bytes(5 * 1024 * 1024), "letter_too_large"),
    ],
)
async def test_some_letters_are_never_sent(desk: MemoryDesk, order: Order, topic: str, value: bytes, code: str) -> None:
    """What follows from the journal, what nobody could take in, what the topic does not hold: each says why."""
    letter = journal_letter(desk, value, "frame_magic", topic)
    result = await replay(desk, Chosen([letter]), order, anyway=True)
    assert (result.done, result.refused[0].reason) == ((), code)


async def test_a_letter_that_was_cut_is_not_sent(desk: MemoryDesk, order: Order) -> None:
    """Only the beginning of a record is not the record; list and show say how long it was."""
    letter = journal_letter(desk, bytes(KEPT_BYTES_MAX + 5), "record_too_large", TIME_ENTRIES)
    told = (await list_letters(desk, Wanted())).letters[0]
    assert (told.whole_bytes, told.size_bytes) == (KEPT_BYTES_MAX + 6, KEPT_BYTES_MAX - 1)
    assert (await replay(desk, Chosen([letter]), order, anyway=True)).refused[0].reason == "letter_cut"


@pytest.mark.parametrize("topic", [WORK, RESULTS])
async def test_what_machines_said_is_not_edited(
    desk: MemoryDesk, order: Order, tmp_path: Path, topic: str, golden: Callable[[str], bytes]
) -> None:
    """A request of the fold or an answer of an agent is replayed or discarded, never rewritten."""
    letter = journal_letter(desk, golden("1002-decision"), "value_invalid", topic, "sequence")
    with pytest.raises(LetterRefused) as refused:
        await repair_to_file(desk, letter, tmp_path / "x.json")
    assert refused.value.code == "letter_not_edited"


async def test_a_contract_is_mended_in_its_file(desk: MemoryDesk, order: Order, tmp_path: Path) -> None:
    """A revision holds a whole document with a hash; the refusal names the command that sends another one."""
    letter = journal_letter(desk, encode(contract(terms())), "revision_invalid", COMMANDS, "sequence")
    with pytest.raises(LetterRefused, match="mended in its file"):
        await repair_to_file(desk, letter, tmp_path / "x.json")


async def test_a_command_stays_the_word_of_its_person(desk: MemoryDesk, poison: Poison, order: Order) -> None:
    """Who gave an order is part of what it is."""
    command = WriteOff(envelope=envelope("w"), command_id="w", person="amir", reason="goodwill", entry_id="a")
    letter = await poison(encode(command) + b"!", b"w", COMMANDS)
    with pytest.raises(LetterRefused, match="person"):
        await repair_and_send(desk, letter, None, ["person=dana"], order)
    sent = await repair_and_send(desk, letter, None, ["entry_id=b"], order)
    assert sent.sent is not None
    assert sent.sent.came == "accepted"


async def test_a_repaired_letter_is_settled_for_good(desk: MemoryDesk, poison: Poison, order: Order) -> None:
    """Neither replayed nor repaired once more: the broken bytes would stand beside the corrected ones."""
    letter = await poison(wrong(), key())
    await repair_and_send(desk, letter, None, ["worked_seconds=3600"], order)
    assert (await replay(desk, Chosen([letter]), order)).refused[0].reason == "letter_settled"
    with pytest.raises(LetterRefused, match="was repaired by dana"):
        await repair_and_send(desk, letter, None, ["worked_seconds=60"], order)


async def test_show_says_what_can_be_read_and_what_can_be_done(desk: MemoryDesk, poison: Poison, order: Order) -> None:
    """Fields, wrong values, the place where bytes break with their hex, and the next commands."""
    told = await show(desk, (await poison(wrong(), key()))[:8])
    assert (told.record_kind, told.broken_at, told.record["worked_seconds"]) == ("entry_version", None, -3600)
    assert told.wrong[0].startswith("worked_seconds: ")
    assert told.next[0].startswith("billstream dead-letters repair ")
    cut = await show(desk, await poison(wrong("b")[:-4], key("b")))
    assert cut.broken_at is not None
    assert cut.broken_field
    assert cut.hex
    with pytest.raises(CommandFailed, match="no dead letter"):
        await show(desk, "ffffffffffff")


async def test_status_counts_open_letters_by_reason(desk: MemoryDesk, poison: Poison, order: Order) -> None:
    """Settled ones are not counted."""
    gone = await poison(b"one")
    await poison(b"two")
    await poison(wrong(), key())
    await discard(desk, Chosen([gone]), order)
    told = await status(desk, "memory")
    assert told.dead_letters == 2
    assert {(one.reason, one.letters) for one in told.dead_letters_by_reason} == {
        ("frame_short", 1),
        ("value_invalid", 1),
    }


async def test_letters_since_a_moment(desk: MemoryDesk, poison: Poison) -> None:
    """An age counts back from now, a date is its beginning in UTC, and nonsense is refused."""
    await poison(b"one")
    at = now()
    assert len((await list_letters(desk, Wanted(since=moment("24h", at)))).letters) == 1
    assert (await list_letters(desk, Wanted(since=at + timedelta(minutes=1)))).letters == ()
    assert moment("7d", at) == at - timedelta(days=7)
    assert moment("2026-11-20", at).isoformat() == "2026-11-20T00:00:00+00:00"
    with pytest.raises(CommandFailed, match="no moment"):
        moment("yesterday", at)


async def test_another_book_s_letters_are_not_ours(desk: MemoryDesk, poison: Poison) -> None:
    """Books of one cluster share the topic; each sees its own."""
    await poison(b"one")
    letter = await desk.letters.letter((0, 0))
    other = letter.model_copy(
        update={"envelope": letter.envelope.model_copy(update={"book": "other"}), "dead_letter_id": "f" * 32}
    )
    desk.letters.keep(other)
    assert note_of(other, 0, 1).book == "other"
    assert (await list_letters(desk, Wanted())).open == 1
