"""A whole installation in memory, driven by a seed: topics as lists, and workers that die between any two effects.

The fold is the product's own handler; sequence, categorise and people are plain loops that repeat themselves as real
ones do. A worker may be killed, lose its store, or come back as a zombie; then everything heals and is judged.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from random import Random

from aiokafka import ConsumerRecord

import books.closing
from billstream.simulating.oracle.calculator import Calculator
from billstream.simulating.oracle.papers import numbers_of, papers_at
from books.local import Follower
from books.rows import DocumentRow
from books.stores.memory import MemoryStore
from books.testing import (
    BOOK,
    TENANT,
    contract,
    decision,
    directory,
    entry,
    envelope,
    firm,
    scope,
    terms,
    week_cap,
)
from schemas import commands
from schemas.codec import decode, encode
from schemas.draft import DocumentState, PublishedDocument
from schemas.entry import Deletion
from schemas.facts import Fact
from schemas.inputs import Category, DecisionRank
from schemas.values import Record
from schemas.work import DecideEntry
from streams.agents.fold import ORDERED, FoldHandler, FoldSettings
from streams.engine.batch import Batch, Settling
from streams.engine.publisher import Outgoing
from streams.tails import fingerprint, origin_of
from streams.topics import ALERTS, DOCUMENTS, JOURNAL, WORK
from tests.chaos.check import Findings, Numbered, judge_alerts, judge_documents, seen_once

STEPS = 260
PERIODS = [*[("2026-10-01", "2026-10-04")] * 2, ("2026-10-04", "2026-11-01")]
CORRECTIONS = ["adjust_next", "adjust_next", "credit_and_rebill", "credit_now"]
HEALING_ROUNDS = 400


class Died(BaseException):
    """The process is gone in the middle of what it did."""


class Publisher:
    """Appends to the topics some time after it was asked; a process that is to die dies between two records."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._waiting: list[tuple[Sequence[Outgoing], Settling]] = []
        self.lives = 10**9
        self.is_dead = False

    async def post(self, outgoing: Sequence[Outgoing]) -> Settling:
        """See the product's `Publisher`: written when the worker waits for something, in the order of the posts."""
        loop = asyncio.get_running_loop()
        posted: Settling = loop.create_future()
        self._waiting.append((list(outgoing), posted))
        loop.call_soon(self._write)
        return posted

    def _write(self) -> None:
        waiting, self._waiting = self._waiting, []
        for outgoing, posted in waiting:
            for one in outgoing:
                if self.lives == 0 or self.is_dead:
                    self.is_dead = True
                    posted.set_exception(Died())
                    posted.exception()  # seen, whether or not somebody waits for it
                    break
                self.lives -= 1
                self._world.topics.setdefault(one.topic, []).append(one.value)
            else:
                posted.set_result(None)


class Tails:
    """The tails of the topics as they are now."""

    def __init__(self, world: "World") -> None:
        self._world = world

    async def highest_origins(self, partition: int) -> Mapping[str, int]:
        """See the product's `Tails`."""
        return {topic: max(map(origin_of, self._world.topics.get(topic, [])), default=-1) for topic in ORDERED}

    async def journal_bounds(self, partition: int) -> tuple[int, int]:
        """See the product's `Tails`."""
        return 0, len(self._world.topics[JOURNAL])

    async def journal_fingerprint(self, partition: int, offset: int) -> str | None:
        """See the product's `Tails`."""
        return fingerprint(at_offset(offset, self._world.topics[JOURNAL][offset]))


class World:
    """Topics, two stores, one owner and perhaps a zombie."""

    def __init__(self, seed: int, versions: Sequence[str] = ("1",)) -> None:
        self.random = Random(seed)
        self.topics: dict[str, list[bytes]] = {JOURNAL: []}
        self.inputs: list[Record] = [directory(firm()), contract(capped("6", self.random.choice(CORRECTIONS)))]
        self.inputs.append(contract(terms("birch", correction=self.random.choice(CORRECTIONS))))
        self.sequenced = self.answered = self.orders = self.kills = 0
        self.versions, self.starts = versions, 0
        self.stores: dict[tuple[int, str], MemoryStore] = {}
        self.worker = 0
        self.fold: FoldHandler | None = None
        self.publisher = Publisher(self)
        self.zombies: list[tuple[FoldHandler, Publisher]] = []
        self.asked: set[str] = set()

    async def start(self) -> None:
        """Another process takes the partition, maybe with other code, maybe without the store it had."""
        version = self.versions[self.starts % len(self.versions)]
        self.starts += 1
        place = (self.worker, version)
        if self.random.random() < 0.3:
            self.stores.pop(place, None)
        store = self.stores.setdefault(place, MemoryStore(version))
        self.publisher = Publisher(self)
        fold = FoldHandler(FoldSettings(TENANT, BOOK, 1), lambda _: store, self.publisher, Tails(self))  # type: ignore[arg-type]
        vars(books.closing)["FOLD_VERSION"] = version  # the code version of this process
        await fold.assigned(0, None)
        self.fold = fold

    async def fold_some(self, fold: FoldHandler) -> None:
        """One batch of the journal from where the store stands."""
        owned = fold._owned[0]
        start = owned.next_offset
        values = self.topics[JOURNAL][start : start + self.random.randint(1, 4)]
        if values:
            records = [at_offset(start + number, value) for number, value in enumerate(values)]
            settling = await fold.process(Batch(JOURNAL, 0, records, start + len(values), len(self.topics[JOURNAL])))
            if self.random.random() < 0.5:
                await settling
            if self.random.random() < 0.5:
                await owned.transaction.commit()

    async def step(self) -> None:
        """One thing happens."""
        roll = self.random.random()
        if roll < 0.2:
            self.inputs.append(self._news())
        elif roll < 0.38:
            self._sequence(dies=self.random.random() < 0.1)
        elif roll < 0.55:
            self._categorise()
        elif roll < 0.60:
            await self._strike()
        elif self.zombies and roll < 0.63:
            await self._zombie()
        else:
            await self._work()

    async def _work(self) -> None:
        try:
            if self.fold is None:
                await self.start()
            assert self.fold is not None, "it was just started"
            if self.random.random() < 0.12:
                self.publisher.lives = self.random.randint(0, 5)
            await self.fold_some(self.fold)
            self.publisher.lives = 10**9
        except Died:
            self._is_gone()
            self.worker = self.random.randint(0, 1)

    async def _strike(self) -> None:
        """The owner stops to be one: it is dead at once, or it lives on and does not know."""
        if self.fold is not None and self.random.random() < 0.4:
            self.zombies.append((self.fold, self.publisher))
            self.worker = 1 - self.worker
            self.stores = {place: store for place, store in self.stores.items() if place[0] == self.worker}
            self.publisher, self.fold = Publisher(self), None
        self._is_gone()

    def _is_gone(self) -> None:
        """What the owner has not written by now is never written, and its store holds what was committed."""
        self.publisher.is_dead = True
        if self.fold is not None:
            self.fold._owned[0].transaction.roll_back(Died())
        self.fold = None
        self.kills += 1

    async def _zombie(self) -> None:
        fold, _ = self.zombies.pop(self.random.randrange(len(self.zombies)))
        await self.fold_some(fold)

    def _sequence(self, *, dies: bool) -> None:
        batch = self.inputs[self.sequenced : self.sequenced + self.random.randint(1, 3)]
        self.topics[JOURNAL] += [encode(record) for record in batch]
        if not dies:
            self.sequenced += len(batch)

    def _categorise(self) -> None:
        work = [decode(value) for value in self.topics.get(WORK, [])]
        todo = [one for one in work if isinstance(one, DecideEntry) and one.request_id not in self.asked]
        if not todo:
            return
        request = self.random.choice(todo)
        self.asked.add(request.request_id)
        for _ in range(self.random.choice([1, 1, 2])):
            category = self.random.choice([Category.BILLABLE, Category.BILLABLE, Category.NON_BILLABLE])
            rank = self.random.choice([DecisionRank.OFFLINE, DecisionRank.CLAUDE])
            self.inputs.append(decision(request, category, rank))

    def _news(self) -> Record:
        roll = self.random.random()
        client = self.random.choice(["acme", "birch"])
        if roll < 0.5:
            return self._version()
        if roll < 0.64:
            return self._order(commands.CloseDocument, scope=scope(client, *self.random.choice(PERIODS)))
        if roll < 0.68:
            return contract(
                capped(str(self.random.randint(2, 8)), self.random.choice(CORRECTIONS)), f"contract-{len(self.inputs)}"
            )
        return self._about_a_document() or self._version()

    def _version(self) -> Record:
        return entry(
            self.random.choice("abcdef"),
            f"2026-10-0{self.random.randint(1, 6)}T{self.random.randint(8, 18):02d}:00",
            self.random.choice(["0.5", "1", "3"]),
            revision=self.random.randint(1, 4),
            client_ref=self.random.choice(["Acme Ltd", "Birch AG"]),
            deletion=self.random.choice([Deletion.NONE] * 7 + [Deletion.REPORTED]),
        )

    def _about_a_document(self) -> Record | None:
        """What a person does who sees the documents as they are now, and perhaps does it too late."""
        seen = [decode(value) for value in self.topics.get(DOCUMENTS, [])]
        latest = {one.document_id: one for one in seen if isinstance(one, PublishedDocument)}
        if not latest:
            return None
        one = self.random.choice(list(latest.values()))
        rare = self.random.random() < 0.25
        match one.state:
            case DocumentState.APPROVED if rare and self.random.random() < 0.5:
                return self._order(commands.ReopenPeriod, scope=one.body.scope)
            case DocumentState.APPROVED:
                return self._order(commands.IssueDocument, document_id=one.document_id)
            case DocumentState.ISSUED if rare:
                rebill = self.random.random() < 0.5
                return self._order(commands.VoidDocument, document_id=one.document_id, rebill=rebill)
            case DocumentState.DRAFT if rare:
                given = {"document_id": one.document_id, "revision": one.revision}
                return self._order(commands.RejectDocument, **given)
            case DocumentState.DRAFT:
                pinned = {"document_id": one.document_id, "revision": one.revision, "content": one.content}
                return self._order(commands.ApproveDocument, **pinned)
            case _:
                return None

    def _order(self, kind: type[commands.Command], **fields: object) -> Record:
        self.orders += 1
        name = f"order-{self.orders}"
        head = {"envelope": envelope(name), "command_id": name, "person": "dana", "reason": "so"}
        return kind.model_validate({**head, **fields})

    async def heal(self) -> None:
        """No more faults: everything is read, answered and folded to the end."""
        self.zombies.clear()
        for _ in range(HEALING_ROUNDS):
            if self.fold is None:
                await self.start()
            assert self.fold is not None, "it was just started"
            before = (len(self.topics[JOURNAL]), self.sequenced, len(self.asked))
            while self.sequenced < len(self.inputs):
                self._sequence(dies=False)
            while self.fold._owned[0].next_offset < len(self.topics[JOURNAL]):
                await self.fold_some(self.fold)
            self._categorise()
            await self.fold._owned[0].transaction.commit()
            if before == (len(self.topics[JOURNAL]), self.sequenced, len(self.asked)):
                return
        raise AssertionError("the world never comes to rest")

    def judge(self) -> list[str]:
        """Everything that is wrong, from the topics and the last store."""
        journal = numbered(self.topics[JOURNAL])
        documents, alerts = (numbered(self.topics.get(topic, [])) for topic in (DOCUMENTS, ALERTS))
        calculator, found = Calculator(journal, TENANT, BOOK), Findings()
        found.differing += [f"draft {one.fact_id}: {one.what}" for one in calculator.differences()]
        judge_documents(calculator, seen_once(documents), documents, found)
        judge_alerts(journal, alerts, found)
        found.differing += wrong_numbers(journal, documents) + unanswered(journal)
        assert self.fold is not None, "judged while somebody is there"
        owner = self.fold._owned[0]
        rebuilt = MemoryStore("x")
        Follower(rebuilt).apply(journal)
        if rebuilt.digest() != owner.store.digest():
            found.differing.append("a rebuild gives other rows than the worker has")
        return found.all()


def at_offset(offset: int, value: bytes) -> "ConsumerRecord[bytes | None, bytes | None]":
    """A record of the journal as a consumer gets it."""
    return ConsumerRecord(JOURNAL, 0, offset, 0, 0, None, value, 0, 0, len(value), ())


def capped(hours: str = "6", correction: str = "adjust_next") -> Mapping[str, object]:
    """Acme's contract with a weekly cap."""
    return terms(caps=[week_cap(hours=hours)], correction=correction)


def numbered(values: Sequence[bytes]) -> Numbered:
    """Records with their offsets."""
    return [(offset, decode(value)) for offset, value in enumerate(values)]


def unanswered(journal: Numbered) -> list[str]:
    """Closes, approvals, issues and voids without exactly one verdict that counts."""
    orders = (commands.CloseDocument, commands.ApproveDocument, commands.IssueDocument, commands.VoidDocument)
    given = {record.command_id for _, record in journal if isinstance(record, orders)}
    facts = {record.fact_id: record for _, record in reversed(journal) if isinstance(record, Fact)}
    answered = [getattr(fact, "command_id", "") for fact in facts.values()]
    return [f"command {one} has {answered.count(one)} verdicts" for one in sorted(given) if answered.count(one) != 1]


def wrong_numbers(journal: Numbered, documents: Numbered) -> list[str]:
    """Issued invoices are numbered 1, 2, ... in the order in which their facts count, credit notes in theirs."""
    numbers = {
        record.document_id: record.number
        for _, record in documents
        if isinstance(record, PublishedDocument) and record.state is DocumentState.ISSUED
    }
    wanted = numbers_of(papers_at(journal, TENANT, BOOK, len(journal)))
    return [] if numbers == wanted else [f"numbers {numbers}, the facts say {wanted}"]


def simulate(seed: int, versions: Sequence[str] = ("1",), each: Callable[[World], None] = lambda world: None) -> World:
    """Run a world from its seed to its end."""

    async def run() -> World:
        world = World(seed, versions)
        for _ in range(STEPS):
            await world.step()
        await world.heal()
        each(world)
        return world

    return asyncio.run(run())


def drafts_in(world: World) -> int:
    """How many documents the world has made; a simulation that makes none proves nothing."""
    assert world.fold is not None, "asked while somebody is there"
    return sum(1 for _ in world.fold._owned[0].store.rows.scan(DocumentRow.table))
