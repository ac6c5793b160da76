"""The rules of the design, each with a way to switch it off in a world: what a simulator does not catch, it does not
prove.

The product has no such switches; these are patches of this process while a world runs.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import msgspec

import books.approving
import books.closing
import books.composing
import books.corrections
import books.counting
import books.decisions
import books.documents
import books.entries
import books.facts
import books.resolving
import books.versions
import streams.agents.delivery
import streams.agents.fold
from billing.entries import Hold
from billing.invoice import Invoice, to_body
from billstream.simulating import judging, programs
from billstream.simulating.disk import MemoryDisk, SimulatedStore
from billstream.simulating.oracle.entries import Numbered
from books.book import Book
from books.catalog import Catalog
from books.effects import Cause, Effects
from books.fold import Fold
from books.rows import CloseRow, EntryRow, SeenRow
from books.stores.port import Mark, Rows
from schemas.codec import decode
from schemas.commands import ApproveDocument
from schemas.draft import DraftBody
from schemas.facts import DocumentDrafted, Fact
from schemas.inputs import Decision, DeliveryState
from schemas.outputs import OutboxAttempt
from schemas.values import Record
from sinks.base import DraftKey
from streams.agents.fold import Applied, FoldHandler, _Owned
from streams.agents.sequence import SequenceHandler
from streams.engine.batch import Batch, Settling
from streams.engine.publisher import Outgoing
from streams.engine.pump import Pump
from streams.tails import fingerprint
from streams.topics import DEAD_LETTERS

Replace = Callable[[object, str, object], None]


@dataclass(frozen=True, slots=True)
class Twin:
    """A rule without which worlds go wrong: of which point of the design's section 2, and what happens instead."""

    rule: int
    instead: str
    switch: Callable[[Replace], None]


def outputs_first(replace: Replace) -> None:
    """Rows and offset first."""
    post = FoldHandler._post

    async def late(
        self: FoldHandler, owned: _Owned, batch: Batch, effects: Effects, letters: list[Outgoing]
    ) -> list[Settling]:
        owned.transaction.extend(batch.next_offset, Mark(batch.last_offset, fingerprint(batch.records[-1])))
        await owned.transaction.commit()
        owned.transaction.begin(owned.next_offset)
        return await post(self, owned, batch, effects, letters)

    replace(FoldHandler, "_post", late)


def atomic(replace: Replace) -> None:
    """The offset reaches the disk one commit before its rows."""

    def died(self: MemoryDisk, store: SimulatedStore) -> None:
        store.release()
        if store.file.holder is None:
            store.file.rows.set_back(1)

    replace(MemoryDisk, "died", died)


def compare_and_set(replace: Replace) -> None:
    """Whoever commits is believed."""
    replace(SimulatedStore, "check_begin", lambda self, begin_offset: None)


def code_store(replace: Replace) -> None:
    """Rows of another version are used."""
    replace(MemoryDisk, "is_usable", lambda self, file, fold_version: True)


def resume_from_store(replace: Replace) -> None:
    """The group's offset is believed."""
    assigned = FoldHandler.assigned

    async def by_group(self: FoldHandler, partition: int, committed: int | None) -> int | None:
        named = await assigned(self, partition, committed)
        return named if committed is None else committed

    replace(FoldHandler, "assigned", by_group)


def open_at_start(replace: Replace) -> None:
    """What is open is not asked for again."""
    for name in ("open_facts", "open_work"):
        replace(streams.agents.fold, name, lambda rows: iter(()))


def tails(replace: Replace) -> None:
    """Below the journal's end nothing is published."""
    replace(FoldHandler, "_wanted", staticmethod(lambda owned, topic, origin: origin >= owned.silent_until))


def tail_included(replace: Replace) -> None:
    """Only what lies behind the highest origin is published again."""

    def behind(owned: _Owned, topic: str, origin: int) -> bool:
        return origin >= owned.silent_until or origin > owned.tails[topic]

    replace(FoldHandler, "_wanted", staticmethod(behind))


def failed_commit_stops(replace: Replace) -> None:
    """A batch that waits while a commit fails is applied to the rows of the commit before."""

    async def process(self: FoldHandler, batch: Batch) -> Settling:
        owned = self._owned[batch.partition]
        if owned.transaction.failure is not None:
            raise owned.transaction.failure
        async with owned.transaction.lock:
            try:
                return await self._process(owned, batch, Effects(), Applied())
            except BaseException as error:
                owned.transaction.roll_back(error)
                raise

    replace(FoldHandler, "process", process)


def failed_batch_stops(replace: Replace) -> None:
    """The next batch is written although the one before it perhaps was not."""
    replace(Pump, "_raise_failed", lambda self: None)


def same_ids(replace: Replace) -> None:
    """Each try has ids of its own."""
    fields, count = Cause.envelope_fields, itertools.count()

    def other(self: Cause, kind: str, identity: str) -> dict[str, object]:
        return fields(self, kind, f"{identity}#{next(count)}" if kind in ("document", "alert") else identity)

    replace(Cause, "envelope_fields", other)


def consumers_skip(replace: Replace) -> None:
    """They take everything."""
    replace(judging, "seen_once", lambda records: [record for _, record in records])


def consumers_know_ids(replace: Replace) -> None:
    """They skip by origin alone."""

    def by_origin(records: Numbered) -> list[Record]:
        high, found = -1, []
        for _, record in records:
            origin: int = getattr(record, "origin_offset", 0)
            if origin > high:
                high = origin
                found.append(record)
        return found

    replace(judging, "seen_once", by_origin)


def origin_order(replace: Replace) -> None:
    """Backwards."""
    ordered = FoldHandler._ordered

    def backwards(self: FoldHandler, owned: _Owned, partition: int, effects: Effects) -> Iterator[Outgoing]:
        return reversed(list(ordered(self, owned, partition, effects)))

    replace(FoldHandler, "_ordered", backwards)


def pure_billing(replace: Replace) -> None:
    """Now and then an entry is not looked at."""
    frozen, count = books.closing._frozen, itertools.count()

    def forgetful(book: Book, key: str) -> tuple[EntryRow, ...]:
        rows = frozen(book, key)
        return rows[1:] if next(count) % 3 == 2 else rows

    replace(books.closing, "_frozen", forgetful)


def totals_follow(replace: Replace) -> None:
    """What an entry no longer counts for stays counted."""
    add = books.counting._add_hours

    def only_more(book: Book, part: books.rows.HoursPart, sign: int, cause: Cause, effects: Effects) -> None:
        if sign > 0:
            add(book, part, sign, cause, effects)

    replace(books.counting, "_add_hours", only_more)


def version_order(replace: Replace) -> None:
    """The last version to arrive counts."""
    replace(books.entries, "merge", books.versions._raised)


def same_raises(replace: Replace) -> None:
    """The same content again is dropped."""
    merge = books.versions.merge

    def dropped(row: EntryRow, other: EntryRow) -> EntryRow:
        same = (row.content, row.deletion) == (other.content, other.deletion)
        return row if same else merge(row, other)

    replace(books.entries, "merge", dropped)


def without_hold(reason: str, replace: Replace) -> None:
    """Nothing is held for this reason."""
    holds_of = books.entries.holds_of

    def some(row: EntryRow) -> tuple[Hold, ...]:
        return tuple(one for one in holds_of(row) if one.reason != reason)

    replace(books.entries, "holds_of", some)


def frozen(replace: Replace) -> None:
    """A close drafts the rows there are when its wait ends."""
    then = books.closing._frozen

    def newest(book: Book, key: str) -> tuple[EntryRow, ...]:
        return tuple(book.get(EntryRow, row.entry_id) or row for row in then(book, key))

    replace(books.closing, "_frozen", newest)


def wait(replace: Replace) -> None:
    """A close drafts at once."""
    replace(books.closing, "_waits", lambda book, key, close, seen: False)


def stale(replace: Replace) -> None:
    """Any draft may be approved."""
    replace(books.approving, "is_stale", lambda book, catalog, row: False)


def names_revision(replace: Replace) -> None:
    """The newest revision is approved, whichever the person saw."""
    refusal = books.approving._not_approvable

    def newest(
        book: Book, catalog: Catalog, row: books.rows.DocumentRow | None, command: ApproveDocument
    ) -> tuple[str, str] | None:
        if row is not None:
            command = command.model_copy(update={"revision": row.revision, "content": row.content})
        return refusal(book, catalog, row, command)

    replace(books.approving, "_not_approvable", newest)


def close_blocks(replace: Replace) -> None:
    """A draft is approved while another close of its client is under way."""
    nothing: list[tuple[str, CloseRow]] = []
    replace(books.approving, "open_closes", lambda book: iter(nothing))


def command_once(replace: Replace) -> None:
    """Each time it stands in the journal."""
    has = Book.has

    def forgetful(self: Book, kind: type[msgspec.Struct], key: str) -> bool:
        return False if kind is SeenRow and key.startswith("order-") else has(self, kind, key)  # type: ignore[arg-type]  # any kind

    replace(Book, "has", forgetful)


def read_back(replace: Replace) -> None:
    """A fact counts at once, in the rows of the one that proposes it."""
    apply = Fold.apply

    def at_once(self: Fold, rows: Rows, offset: int, record: Record, effects: Effects) -> None:
        known = len(effects.facts)
        apply(self, rows, offset, record, effects)
        envelope = record.envelope
        while known < len(effects.facts):
            framed = effects.facts[known]
            known += 1
            fact, book = decode(framed.value), Book(rows, framed.tenant, framed.book)
            assert isinstance(fact, Fact), type(fact).__name__
            story = envelope.correlation or envelope.event_id
            where = (framed.tenant, framed.book, envelope.recorded_at)
            cause = Cause(offset, envelope.event_id, story, *where, "twin")
            if books.facts.settle(book, fact, offset):
                self._fact(book, fact, cause, effects)

    replace(Fold, "apply", at_once)


def first_fact(replace: Replace) -> None:
    """The last fact of an id counts."""

    def always(book: Book, fact: Fact, offset: int) -> bool:
        books.facts.settle(book, fact, offset)
        return True

    replace(books.fold, "settle", always)


def draft_id(replace: Replace) -> None:
    """A draft is called by what is closed."""
    fact_of = books.closing._fact

    def by_scope(*about: object, is_last: bool) -> DocumentDrafted:
        fact = fact_of(*about, is_last=is_last)  # type: ignore[arg-type]  # whatever the product passes
        scope = fact.body.scope
        return fact.model_copy(update={"fact_id": f"verdict:{scope.client_id}:{scope.date_from}:{scope.kind.value}"})

    replace(books.closing, "_fact", by_scope)


def periods_apart(replace: Replace) -> None:
    """Two documents may cover the same days."""
    for name in ("_taken", "_closing_elsewhere"):
        replace(books.closing, name, lambda book, scope: None)


def buckets(replace: Replace) -> None:
    """What is not billed is left out."""

    def lines_alone(invoice: Invoice) -> DraftBody:
        return to_body(invoice).model_copy(update={"placements": ()})

    replace(books.composing, "to_body", lines_alone)


def look_first(replace: Replace) -> None:
    """It is sent without a look."""

    async def blind(draft: object, key: object, sink: object) -> None:
        return None

    replace(streams.agents.delivery, "_found", blind)


def intent_first(replace: Replace) -> None:
    """Only the end of an attempt is written down."""
    record = programs.LogOutbox.record

    async def some(self: programs.LogOutbox, attempt: OutboxAttempt) -> None:
        if attempt.state is not DeliveryState.SENDING:
            await record(self, attempt)

    replace(programs.LogOutbox, "record", some)


def settle_time(replace: Replace) -> None:
    """A look is believed at once."""
    replace(streams.agents.delivery, "_wait_until_a_look_can_be_believed", lambda quiet_seconds, sink: None)


def key_of_the_draft(replace: Replace) -> None:
    """Each try has its own key."""
    count = itertools.count()
    replace(DraftKey, "idempotency_key", property(lambda self: str(next(count))))


def dead_letters(replace: Replace) -> None:
    """What cannot be read is dropped."""
    outgoing = SequenceHandler._outgoing

    async def process(self: SequenceHandler, batch: Batch) -> Settling:
        found = [outgoing(self, batch, record, []) for record in batch.records]
        return await self._publisher.post([one for one in found if one.topic != DEAD_LETTERS])

    replace(SequenceHandler, "process", process)


def unassigned(replace: Replace) -> None:
    """An unknown client is the first one."""
    replace(books.resolving, "UNASSIGNED", "acme")


def decision_rank(replace: Replace) -> None:
    """The first decision counts."""
    part_of = books.decisions.part_of
    replace(books.decisions, "part_of", lambda decision: msgspec.structs.replace(part_of(decision), rank=0, version=0))


def fits_inputs(replace: Replace) -> None:
    """A decision fits whatever the entry is by now."""

    def anyhow(book: Book, catalog: Catalog, decision: Decision, cause: Cause, effects: Effects) -> bool:
        row = book.get(EntryRow, decision.entry_id)
        if row is not None:
            decision = decision.model_copy(update={"input_hash": row.input_hash})
        return books.decisions.apply_decision(book, catalog, decision, cause, effects)

    replace(books.fold, "apply_decision", anyhow)


def leave(replace: Replace) -> None:
    """Everything goes everywhere at once."""
    for module in (books.documents, books.approving):
        deliver = module.deliver
        replace(module, "deliver", partial(_anywhere, deliver))


def _anywhere(
    deliver: Callable[..., None],
    book: Book,
    catalog: Catalog,
    row: object,
    leave: object,
    cause: Cause,
    effects: Effects,
) -> None:
    deliver(book, catalog, row, None, cause, effects)


CONFLICTS = partial(without_hold, "conflicting_version")
DUPLICATES = partial(without_hold, "possible_duplicate")

TWINS: Mapping[str, Twin] = {
    "outputs-first": Twin(1, "rows are committed, then outputs are published", outputs_first),
    "rows-and-offset": Twin(1, "the offset is committed before the rows", atomic),
    "compare-and-set": Twin(1, "a commit is not compared with the stored offset", compare_and_set),
    "store-of-version": Twin(1, "a store written by another version is used", code_store),
    "resume-from-store": Twin(1, "a fold goes on at the group's offset", resume_from_store),
    "failed-commit-stops": Twin(1, "a batch goes on after a failed commit", failed_commit_stops),
    "failed-batch-stops": Twin(2, "a batch is written behind one that failed", failed_batch_stops),
    "open-at-start": Twin(2, "what is open is not published at a start", open_at_start),
    "from-the-tail": Twin(2, "a start publishes no ordered output again", tails),
    "tail-included": Twin(2, "the highest origin itself is not published again", tail_included),
    "same-ids": Twin(2, "a repeat has another id", same_ids),
    "consumers-skip": Twin(2, "consumers skip nothing", consumers_skip),
    "consumers-know-ids": Twin(2, "consumers skip by origin alone", consumers_know_ids),
    "origin-order": Twin(2, "outputs of a batch in any order", origin_order),
    "pure-billing": Twin(3, "billing does not depend on its facts alone", pure_billing),
    "totals-follow": Twin(4, "running hours keep what an entry no longer counts for", totals_follow),
    "version-order": Twin(5, "the last version to arrive counts", version_order),
    "same-raises": Twin(5, "the same content again does not raise the version", same_raises),
    "conflicts-held": Twin(
        5, "two contents of one revision are not held", partial(without_hold, "conflicting_version")
    ),
    "frozen": Twin(6, "a close drafts the rows of the end of its wait", frozen),
    "wait": Twin(6, "a close does not wait for decisions", wait),
    "stale": Twin(6, "a stale draft may be approved", stale),
    "names-revision": Twin(6, "an approval names no revision", names_revision),
    "close-blocks": Twin(6, "an open close does not hold back an approval", close_blocks),
    "command-once": Twin(6, "a command counts each time", command_once),
    "read-back": Twin(6, "a fact counts before it is read back", read_back),
    "first-fact": Twin(6, "the last fact of an id counts", first_fact),
    "draft-id": Twin(6, "a draft's id is that of its scope", draft_id),
    "periods-apart": Twin(7, "two documents may cover the same days", periods_apart),
    "every-second": Twin(8, "seconds that are not billed are left out", buckets),
    "look-first": Twin(9, "a create without a look", look_first),
    "intent-first": Twin(9, "an attempt is not written down before it is made", intent_first),
    "settle-time": Twin(9, "a look is believed at once after an attempt without an answer", settle_time),
    "one-key": Twin(9, "each try has its own idempotency key", key_of_the_draft),
    "dead-letters": Twin(10, "what cannot be read is dropped", dead_letters),
    "unassigned": Twin(10, "an unknown client is guessed", unassigned),
    "duplicates-held": Twin(10, "overlapping time is not held", DUPLICATES),
    "decision-rank": Twin(11, "the first decision counts, whoever decided", decision_rank),
    "fits-inputs": Twin(11, "a decision is kept for other inputs than its own", fits_inputs),
    "leave": Twin(12, "documents go to every sink at once", leave),
}


@contextmanager
def without(rule: str) -> Iterator[None]:
    """Switch a rule off; none for the empty name."""
    before: list[tuple[object, str, object]] = []

    def replace(owner: object, name: str, value: object) -> None:
        before.append((owner, name, vars(owner)[name]))
        setattr(owner, name, value)

    if rule:
        TWINS[rule].switch(replace)
    try:
        yield
    finally:
        for owner, name, value in reversed(before):
            setattr(owner, name, value)
