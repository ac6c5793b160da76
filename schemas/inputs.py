"""Inputs of the journal besides entries: what sources, configuration, slow work and the clock say."""

from typing import Annotated, ClassVar

from pydantic import Field

from schemas.envelope import Envelope
from schemas.values import DecimalText, Instant, LocalDate, Record, WireEnum


class Category(WireEnum):
    """What an entry is, commercially."""

    BILLABLE = "billable"
    NON_BILLABLE = "non_billable"
    RETAINER = "retainer"
    PROJECT = "project"
    UNKNOWN = "unknown"


class DecisionRank(WireEnum):
    """Who decided; the higher rank wins (rule 11)."""

    OFFLINE = "offline"
    CLAUDE = "claude"
    MEMORY = "memory"
    CONTRACT_RULE = "contract_rule"
    SOURCE_FIELD = "source_field"
    PERSON = "person"
    UNKNOWN = "unknown"


RANK_ORDER: dict[DecisionRank, int] = {
    DecisionRank.UNKNOWN: 0,
    DecisionRank.OFFLINE: 1,
    DecisionRank.CLAUDE: 2,
    DecisionRank.MEMORY: 3,
    DecisionRank.CONTRACT_RULE: 4,
    DecisionRank.SOURCE_FIELD: 5,
    DecisionRank.PERSON: 6,
}


class Decision(Record):
    """What an entry is, with evidence. It fits every version of the entry with the same `input_hash`.

    `confidence` is between 0 and 1. A `held_reason` means that the decider was unsure: the entry is held, not guessed.
    """

    schema_id: ClassVar[int] = 1002
    schema_name: ClassVar[str] = "decision"

    envelope: Envelope
    request_id: str
    entry_id: str
    input_hash: str
    rank: DecisionRank
    decider: str
    decider_version: int = 1
    category: Category
    service_item: str = ""
    utbms_task: str = ""
    utbms_activity: str = ""
    confidence: DecimalText
    evidence: tuple[str, ...] = ()
    held_reason: str = ""


class SourceWatermark(Record):
    """Everything of one source account up to `seen_until` has been published before this record."""

    schema_id: ClassVar[int] = 1003
    schema_name: ClassVar[str] = "source_watermark"

    envelope: Envelope
    source: str
    account: str
    seen_until: Instant


class ImportCompleted(Record):
    """The end of an import: all its rows were published before; what its scope holds and the import lacks may be
    deleted.

    The scope is the source account, the people and the half-open span of local dates. `accepted + refused + asked =
    rows`.
    `observed_at` is the one observation time of all rows of the import.
    """

    schema_id: ClassVar[int] = 1004
    schema_name: ClassVar[str] = "import_completed"

    envelope: Envelope
    import_id: str
    source: str
    account: str
    people: tuple[str, ...]
    date_from: LocalDate
    date_to: LocalDate
    observed_at: Instant
    rows: int
    accepted: int
    refused: int
    asked: int
    file_name: str = ""
    file_hash: str = ""


class DirectoryRevision(Record):
    """Clients, people, roles and firm as one validated document (canonical JSON); the newest revision in the journal
    counts.
    """

    schema_id: ClassVar[int] = 1005
    schema_name: ClassVar[str] = "directory_revision"

    envelope: Envelope
    revision_hash: str
    document: str
    person: str
    reason: str


class ContractRevision(Record):
    """A contract as one validated document (canonical JSON); the newest revision of a contract id counts, it is dated
    inside.
    """

    schema_id: ClassVar[int] = 1006
    schema_name: ClassVar[str] = "contract_revision"

    envelope: Envelope
    contract_id: str
    client_id: str
    revision_hash: str
    document: str
    person: str
    reason: str


class ExchangeRate(Record):
    """One unit of `base` costs `rate` units of `quote` on a date, by a named source."""

    schema_id: ClassVar[int] = 1007
    schema_name: ClassVar[str] = "exchange_rate"

    envelope: Envelope
    base: str
    quote: str
    on: LocalDate
    rate: Annotated[DecimalText, Field(gt=0)]
    rate_source: str


class Payment(Record):
    """Money that arrived for a document, or for an account of held money of a contract (`held_id`; BD-40)."""

    schema_id: ClassVar[int] = 2008
    schema_name: ClassVar[str] = "payment"

    envelope: Envelope
    payment_id: str
    document_id: str
    amount: DecimalText
    currency: str
    paid_on: LocalDate
    contract_id: str = ""
    held_id: str = ""


class DeliveryState(WireEnum):
    """How a delivery stands; states only move forward (rule 9)."""

    PLANNED = "planned"
    SENDING = "sending"
    UNKNOWN_OUTCOME = "unknown_outcome"
    DELIVERED = "delivered"
    FAILED = "failed"
    NEEDS_PERSON = "needs_person"
    UNKNOWN = "unknown"


class SinkReceipt(Record):
    """What a sink answered to a delivery request: where the document is, or why it is not."""

    schema_id: ClassVar[int] = 1009
    schema_name: ClassVar[str] = "sink_receipt"

    envelope: Envelope
    request_id: str
    document_id: str
    revision: int
    sink: str
    state: DeliveryState
    location: str = ""
    sink_hash: str = ""
    message: str = ""


class ClockTick(Record):
    """The passing of time; the fold has no other clock."""

    schema_id: ClassVar[int] = 1010
    schema_name: ClassVar[str] = "clock_tick"

    envelope: Envelope
    at: Instant
