"""The `sequence` agent: checks what writers publish and appends it to the journal of its book, in the order it reads
it.

A record is appended as the bytes it came in. Twice is harmless: versions, command ids and ranks make a repeat nothing.
What does not pass ends in `dead-letters`, whole, and the partition goes on.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never

from aiokafka import ConsumerRecord
from pydantic import ValidationError

from runtime.failpoints import failpoint
from schemas import inputs
from schemas.codec import RECORD_BYTES_MAX, decode
from schemas.contract import ContractDocument
from schemas.directory import DirectoryDocument
from schemas.entry import EntryVersion
from schemas.errors import Rejected
from schemas.records import COMMANDS as COMMAND_RECORDS
from schemas.values import Record
from streams.engine.batch import Batch, Settling
from streams.engine.publisher import Outgoing, Publisher
from streams.engine.slices import Slices
from streams.letters import Place, dead_letter, reason_of
from streams.topics import COMMANDS, JOURNAL, RESULTS, TIME_ENTRIES, book_name, book_partition

STAGE = "sequence"
ORIGIN_HEADER = "origin"
MAY_WRITE: Mapping[str, tuple[type[Record], ...]] = {
    TIME_ENTRIES: (EntryVersion, inputs.ImportCompleted, inputs.SourceWatermark),
    COMMANDS: (
        *COMMAND_RECORDS,
        inputs.ContractRevision,
        inputs.DirectoryRevision,
        inputs.ExchangeRate,
        inputs.Payment,
        inputs.ClockTick,
    ),
    RESULTS: (inputs.Decision, inputs.SinkReceipt),
}
"""Which kinds of records a topic's writers may send: a connector's credentials cannot approve an invoice."""


@dataclass(frozen=True, slots=True)
class SequenceSettings:
    """Of whom unreadable records are, and how many partitions the installation has."""

    tenant: str
    book: str
    partitions: int


class SequenceHandler:
    """The batch handler of one input topic. It keeps nothing: the group's offset is its only state."""

    def __init__(
        self,
        settings: SequenceSettings,
        publisher: Publisher,
        on_accepted: Callable[[Sequence[Record]], None] = lambda records: None,
        on_dead_letter: Callable[[str, str], None] = lambda topic, reason: None,
    ) -> None:
        self._settings = settings
        self._publisher = publisher
        self._on_accepted = on_accepted
        self._on_dead_letter = on_dead_letter

    async def assigned(self, partition: int, committed: int | None) -> int | None:
        """Go on where the group stands."""
        return None

    async def process(self, batch: Batch) -> Settling:
        """Append what passes and write letters for the rest; settled when the broker has all of it."""
        accepted: list[Record] = []
        outgoing: list[Outgoing] = []
        slices = Slices()
        for record in batch.records:
            outgoing.append(self._outgoing(batch, record, accepted))
            if slices.is_over():
                await slices.rest()
        return asyncio.ensure_future(self._settle(await self._publisher.post(outgoing), accepted))

    async def _settle(self, appended: Settling, accepted: Sequence[Record]) -> None:
        await appended
        failpoint("sequence_after_publish")
        self._on_accepted(accepted)

    async def revoked(self, partition: int) -> None:
        """Nothing to give up."""

    def _outgoing(
        self, batch: Batch, record: "ConsumerRecord[bytes | None, bytes | None]", accepted: list[Record]
    ) -> Outgoing:
        value = record.value or b""
        try:
            checked = checked_input(value, batch.topic, batch.partition, self._settings.partitions)
        except Rejected as error:
            place = Place(batch.topic, batch.partition, record.offset, record.timestamp, record.key, record.value)
            reason, detail = reason_of(error)
            self._on_dead_letter(batch.topic, reason)
            return dead_letter(place, self._settings.tenant, self._settings.book, STAGE, reason, detail)
        accepted.append(checked)
        key = book_name(checked.envelope.tenant, checked.envelope.book).encode()
        origin = f"{batch.topic}/{batch.partition}/{record.offset}".encode()
        return Outgoing(JOURNAL, batch.partition, key, value, ((ORIGIN_HEADER, origin),))


def checked_input(value: bytes, topic: str, partition: int, partitions: int) -> Record:
    """The record that these bytes are in this place; raises Rejected when it does not come into a journal."""
    record = decode(value, RECORD_BYTES_MAX)
    if not isinstance(record, MAY_WRITE[topic]):
        raise Rejected("record_not_allowed", f"A {record.schema_name} may not be written to {topic}.")
    envelope = record.envelope
    home = book_partition(envelope.tenant, envelope.book, partitions)
    if home != partition:
        raise Rejected("wrong_partition", f"Book {envelope.book} lives in partition {home}, not {partition}.")
    if isinstance(record, inputs.ContractRevision | inputs.DirectoryRevision):
        check_document(record)
    return record


def check_document(record: inputs.ContractRevision | inputs.DirectoryRevision) -> None:
    """Refuse a revision whose document is not one of the language; the command line checks the same before it sends."""
    try:
        match record:
            case inputs.ContractRevision():
                ContractDocument.model_validate_json(record.document)
            case inputs.DirectoryRevision():
                DirectoryDocument.model_validate_json(record.document)
            case _:
                assert_never(record)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise Rejected("revision_invalid", f"{place}: {first['msg']}") from None
