"""How far an installation is behind, asked from outside: the lag of its groups, and how old an entry is when it counts.

Both go on while brokers die: a question without an answer is no sample, and is asked again.
"""

import asyncio
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.structs import RecordMetadata

from runtime.clock import SystemClock
from runtime.errors import MachineryError
from runtime.kafka.connection import KafkaConnection
from runtime.kafka.groups import committed_offsets
from runtime.kafka.listing import list_spans
from runtime.kafka.reading import RawRecord
from schemas.codec import decode, record_type_of
from schemas.facts import DocumentDrafted
from schemas.outputs import HoursTotal
from streams.agents.sequence import ORIGIN_HEADER
from streams.installation import APPLICATION_ID, group_of
from streams.slots import Role
from streams.topics import COMMANDS, HOURS, JOURNAL, RESULTS, TIME_ENTRIES, WORK

log = logging.getLogger(__name__)
READS = {
    Role.SEQUENCE: (TIME_ENTRIES, COMMANDS, RESULTS),
    Role.FOLD: (JOURNAL,),
    Role.SLOW: (WORK, HOURS),
    Role.DELIVER: (WORK,),
}
CLOCK = SystemClock()
ANSWER_SECONDS = 20.0


@dataclass
class Watch:
    """What is seen of an installation with so many partitions; seconds count from `began`."""

    connection: KafkaConnection
    partitions: int
    home: int
    began: float = field(default_factory=time.monotonic)
    lags: list[tuple[float, int]] = field(default_factory=list)
    latencies: list[tuple[float, float]] = field(default_factory=list)
    drafted: set[str] = field(default_factory=set)
    folded: int = -1
    _marks: list[RecordMetadata] = field(default_factory=list)
    _in_journal: list[tuple[int, int]] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """Since it began."""
        return time.monotonic() - self.began

    def sent(self, places: list[RecordMetadata], every: int = 200) -> None:
        """Follow some of the entries that were sent."""
        self._marks += [place for place in places if place.topic == TIME_ENTRIES][::every]

    async def ask(self) -> int | None:
        """The lag of all groups together, now; None when nobody answers."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                topics = {topic for reads in READS.values() for topic in reads}
                ends = await list_spans(self.connection, dict.fromkeys(topics, self.partitions))
                groups = {group_of(APPLICATION_ID, role): reads for role, reads in READS.items()}
                stand = await committed_offsets(self.connection, list(groups))
        except (MachineryError, KafkaError, OSError, TimeoutError) as error:
            log.info("%5.0f s: nobody says how far it is: %r", self.seconds, error)
            return None
        # What was written after its end was asked for is not behind.
        lag = sum(
            max(0, span.end - stand[group].get((topic, number), 0))
            for group, reads in groups.items()
            for (topic, number), span in ends.items()
            if topic in reads
        )
        self.lags.append((self.seconds, lag))
        log.info("%5.0f s: %s records behind, folded to %s", self.seconds, lag, self.folded)
        return lag

    async def follow(self) -> None:
        """Read journal and hours as they come, until cancelled."""
        position = {JOURNAL: 0, HOURS: 0}
        while True:
            try:
                await self._read_on(position)
            except (KafkaError, OSError):
                await CLOCK.sleep(0.5)

    async def _read_on(self, position: dict[str, int]) -> None:
        places = {TopicPartition(topic, self.home): topic for topic in position}
        async with AIOKafkaConsumer(
            **self.connection.client_arguments(), enable_auto_commit=False, max_poll_records=2_000
        ) as reader:
            reader.assign(list(places))
            for place, topic in places.items():
                reader.seek(place, position[topic])
            while True:
                found = cast(Mapping[TopicPartition, list[RawRecord]], await reader.getmany(timeout_ms=300))
                for place, records in sorted(found.items(), key=lambda one: one[0].topic != JOURNAL):
                    position[places[place]] = records[-1].offset + 1
                    if places[place] == JOURNAL:
                        self._journal(records)
                    else:
                        self._hours(records)

    def _journal(self, records: list[RawRecord]) -> None:
        """Where entries that we follow came to stand, and what was drafted."""
        for record in records:
            value = record.value or b""
            if record_type_of(value) is DocumentDrafted:
                self.drafted.add(cast(DocumentDrafted, decode(value)).command_id)
            while self._marks and _reached(record, self._marks[0]):
                self._in_journal.append((record.offset, self._marks.pop(0).timestamp))

    def _hours(self, records: list[RawRecord]) -> None:
        """Running hours reflect the journal up to their origin: what stood before it has been counted."""
        last = records[-1]
        self.folded = max(self.folded, cast(HoursTotal, decode(last.value or b"")).origin_offset)
        while self._in_journal and self._in_journal[0][0] <= self.folded:
            _, sent_milliseconds = self._in_journal.pop(0)
            self.latencies.append((self.seconds, max(0, last.timestamp - sent_milliseconds) / 1_000))


def _reached(record: RawRecord, mark: RecordMetadata) -> bool:
    """Whether a record of the journal came from the entry that we follow, or from a later one."""
    for name, value in record.headers or ():
        if name == ORIGIN_HEADER:
            topic, _, offset = (value or b"").decode().split("/")
            return bool(topic == TIME_ENTRIES and int(offset) >= mark.offset)
    return False
