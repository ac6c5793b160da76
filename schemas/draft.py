"""Documents: the body of an invoice as billing computes it, sinks render it and people read it.

A body holds nothing that depends on when or by whom it was computed: the same facts give the same bytes. Offsets,
times,
revision and number stand around it in `PublishedDocument`.
"""

import hashlib
from datetime import date
from decimal import Decimal
from typing import ClassVar, Self

from pydantic import model_validator

from schemas.canonical import deterministic_id
from schemas.envelope import Envelope
from schemas.values import DecimalText, Instant, LocalDate, Record, Value, WireEnum, canonical_text, named_fields


class DocumentKind(WireEnum):
    """What a document is."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"
    UNKNOWN = "unknown"


class DocumentScope(Value):
    """What a document is about: a client, a contract and the half-open period in the contract's zone (rule 7)."""

    client_id: str
    contract_id: str
    date_from: LocalDate
    date_to: LocalDate
    kind: DocumentKind = DocumentKind.INVOICE

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.date_to <= self.date_from:
            raise ValueError(f"a period must end after it starts: {self.date_from}..{self.date_to}")
        return self


def document_id_of(tenant: str, book: str, scope: DocumentScope, sequence: int) -> str:
    """The id of a document; revisions replace each other under it."""
    return deterministic_id(
        "document", {"tenant": tenant, "book": book, "scope": named_fields(scope), "sequence": sequence}
    )


class Bucket(WireEnum):
    """Where a second of worked time went (billing-domain section 1)."""

    BILLED = "billed"
    RETAINER = "retainer"
    FIXED_FEE = "fixed_fee"
    NON_BILLABLE = "non_billable"
    WRITTEN_DOWN = "written_down"
    CARRIED = "carried"
    HELD = "held"
    WRITTEN_OFF = "written_off"
    UNKNOWN = "unknown"


class LineKind(WireEnum):
    """What a line presents."""

    FEE = "fee"
    EXPENSE = "expense"
    MARKUP = "markup"
    ROUNDING = "rounding"
    RETAINER_FEE = "retainer_fee"
    FIXED_FEE = "fixed_fee"
    MILESTONE = "milestone"
    RECURRING_FEE = "recurring_fee"
    USAGE_FEE = "usage_fee"
    MINIMUM_TRUE_UP = "minimum_true_up"
    DISCOUNT = "discount"
    DEPOSIT = "deposit"
    ADJUSTMENT = "adjustment"
    UNKNOWN = "unknown"


class LineSource(Value):
    """One entry's part of a line: `worked_seconds` of it and the rounding delta that came with it, and its share of
    the amount.

    `content` is the entry version's content hash. On an adjustment, seconds and amount are changes, and
    `corrected_line_id` is the line of the earlier document that they change.
    """

    entry_id: str
    content: str
    premise: str = ""
    source: str
    source_entry_id: str
    person_id: str
    work_date: date
    worked_seconds: int
    delta_seconds: int
    amount: DecimalText
    description: str
    corrected_line_id: str = ""


class Charge(Value):
    """One rated amount with its reason, before presentation.

    `rate_origin` names the level and row that won, `lost` the candidates that lost and why, `steps` what happened on
    the way in words (rounding, caps, conversion), in order.
    """

    charge_id: str
    seconds: int
    quantity: DecimalText
    unit_price: DecimalText
    amount: DecimalText
    rate_origin: str
    lost: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()


class CorrectionReason(WireEnum):
    """Why an adjustment is there: what happened to the entry, or to the contract, after the document was approved.

    `shared` is time or money that only moved because another change took or left room in a cap or a rounding.
    """

    EDIT = "edit"
    DELETION = "deletion"
    MOVE = "move"
    LATE = "late"
    RESTORED = "restored"
    AMENDMENT = "amendment"
    DECISION = "decision"
    RELEASE = "release"
    WRITE_OFF = "write_off"
    SHARED = "shared"
    VOID = "void"
    UNKNOWN = "unknown"


class CorrectedLine(Value):
    """What an adjustment changes of one line of an earlier document: billable seconds and amount, both signed."""

    document_id: str
    number: str
    line_id: str
    seconds: int
    amount: DecimalText


class DraftLine(Value):
    """What the client sees. `amount = quantity x unit_price + adjustment` after rounding to the currency; where a
    quantity does not end (50 minutes) or a price is an average, both are for reading and `amount` is what counts.

    `discount` is the part of the adjustment that discounts took (not positive); the rest is of amount caps.
    `seconds` is billable time including increments (0 for expenses). `line_id` is stable for the same scope and
    grouping key. `corrected_kind` is what an adjustment changes: work, an expense, a fee.
    """

    line_id: str
    position: int
    kind: LineKind
    text: str
    date: date
    project_id: str = ""
    service_item: str = ""
    person_id: str = ""
    person_name: str = ""
    role: str = ""
    seconds: int = 0
    quantity: DecimalText
    unit: str
    unit_price: DecimalText
    adjustment: DecimalText
    discount: DecimalText = Decimal(0)
    amount: DecimalText
    tax_category: str
    tax_rate: DecimalText
    utbms_task: str = ""
    utbms_activity: str = ""
    expense_code: str = ""
    charges: tuple[Charge, ...]
    sources: tuple[LineSource, ...]
    corrects: tuple[CorrectedLine, ...] = ()
    correction_reason: CorrectionReason | None = None
    corrected_kind: LineKind | None = None


class TaxRow(Value):
    """One row of the tax breakdown: a category and a percentage rate over the sum of its lines (BD-53, BD-54)."""

    category: str
    rate: DecimalText
    base: DecimalText
    tax: DecimalText
    reason: str = ""


class BucketTotal(Value):
    """Seconds and entries of one bucket and reason; `value` is what they would have cost where that is known."""

    bucket: Bucket
    reason: str
    seconds: int
    entries: int
    value: DecimalText | None = None


class Placement(Value):
    """Where the seconds of one entry went that are not (all) on a line, with the reason: nothing is just absent."""

    entry_id: str
    content: str
    bucket: Bucket
    reason: str
    detail: str
    seconds: int
    delta_seconds: int = 0


class HeldMoneyKind(WireEnum):
    """Whose account the money is on: the firm's, as a prepayment or retainer, or a trust account."""

    RETAINER = "retainer"
    TRUST = "trust"
    UNKNOWN = "unknown"


class HeldMoneyUse(Value):
    """What this document takes from money of the client that the firm holds (step 16; BD-40). It reduces `due` only.

    `balance_before + received - applied = balance_after`, never below zero; `received` came in since the last document.
    `requested` asks the client for more; it is neither revenue nor an invoice.
    """

    held_id: str
    kind: HeldMoneyKind
    name: str
    balance_before: DecimalText
    received: DecimalText
    applied: DecimalText
    balance_after: DecimalText
    requested: DecimalText = Decimal(0)


class Finding(Value):
    """Something a person should know about this draft; `code` has a docs entry."""

    code: str
    text: str


class TimekeeperTotal(Value):
    """Hours and amount of one person in one role, corrections of earlier documents included, for summaries."""

    person_id: str
    person_name: str
    role: str
    seconds: int
    amount: DecimalText


class CorrectionPart(WireEnum):
    """Which part of a correction a document holds: the whole difference, the credit of what stood, or what is billed
    anew in its place.
    """

    DIFFERENCE = "difference"
    CREDIT = "credit"
    REBILL = "rebill"
    VOID = "void"
    UNKNOWN = "unknown"


class CorrectedDocument(Value):
    """What a document says about an earlier one: what stood on it with all corrections so far, what a fresh computation
    over today's facts gives, and the amount of the lines here (invariant 4).

    `worked_seconds`, `buckets` and `placements` are the fresh computation's: every second of the corrected period is
    somewhere, also what is not billed. `placements` name only entries whose facts changed.
    """

    document_id: str
    number: str
    date_from: LocalDate
    date_to: LocalDate
    part: CorrectionPart
    standing: DecimalText
    fresh: DecimalText
    amount: DecimalText
    worked_seconds: int
    buckets: tuple[BucketTotal, ...] = ()
    placements: tuple[Placement, ...] = ()
    entries_hash: str = ""


class Party(Value):
    """A firm or a client as a document names it."""

    name: str
    address: tuple[str, ...] = ()
    tax_id: str = ""
    ledes_id: str = ""


class RetainerBalance(Value):
    """The hours of one retainer or prepaid block over a document's period, in seconds of its balance (BD-35..42).

    `rolled_in + granted - deficit_in = used_rolled_in + used_granted + used_deficit + lapsed + credited + rolled_out
    - deficit_out`. With weights, work burns more or less than its time, so these need not be whole seconds.
    `beyond` is what found no balance; `earned` the part of a block's price that its use in the period earned (BD-37).
    """

    engagement_id: str
    name: str
    date_from: date
    date_to: date
    rolled_in_seconds: DecimalText
    granted_seconds: DecimalText
    used_rolled_in_seconds: DecimalText
    used_granted_seconds: DecimalText
    used_deficit_seconds: DecimalText
    lapsed_seconds: DecimalText
    credited_seconds: DecimalText
    rolled_out_seconds: DecimalText
    deficit_in_seconds: DecimalText
    deficit_out_seconds: DecimalText
    beyond_seconds: DecimalText
    earned: DecimalText | None = None


class CertifiedBucket(Value):
    """One bucket and reason of the certificate: its entries by id, and beside each the seconds of it that are here."""

    bucket: Bucket
    reason: str
    seconds: int
    entry_ids: tuple[str, ...]
    entry_seconds: tuple[int, ...]


class MinutesCertificate(Value):
    """The conservation statement: every second worked in the period is in exactly one bucket (rule 8).

    `worked_seconds + carried_in_seconds` is the sum of the buckets. `statement` is a hash over the set of entry
    versions, the contract revision and the buckets, so that none of them can be exchanged under the others.
    """

    worked_seconds: int
    carried_in_seconds: int
    buckets: tuple[CertifiedBucket, ...]
    statement: str


class DraftBody(Value):
    """The whole invoice; `entries_hash` pins the set of entry versions it was computed from.

    `worked_seconds + carried_in_seconds = sum of buckets` (rule 8); time carried in was worked before the period and is
    paid by a cap window of it. `net = sum of line amounts`, `gross = net + tax`, `due` is gross less what `held_money`
    pays, all in `currency`.
    """

    tenant: str
    book: str
    scope: DocumentScope
    firm: Party
    client: Party
    client_matter_id: str = ""
    matter_id: str = ""
    matter_name: str = ""
    zone: str
    invoice_date: date
    currency: str
    payment_terms_days: int = 30
    contract_revision: str
    directory_revision: str
    lines: tuple[DraftLine, ...]
    taxes: tuple[TaxRow, ...]
    net: DecimalText
    tax: DecimalText
    gross: DecimalText
    due: DecimalText
    held_money: tuple[HeldMoneyUse, ...] = ()
    worked_seconds: int
    carried_in_seconds: int = 0
    rounding_delta_seconds: int
    buckets: tuple[BucketTotal, ...]
    placements: tuple[Placement, ...]
    timekeepers: tuple[TimekeeperTotal, ...] = ()
    findings: tuple[Finding, ...] = ()
    entries_hash: str
    certificate: MinutesCertificate | None = None
    corrections: tuple[CorrectedDocument, ...] = ()
    retainers: tuple[RetainerBalance, ...] = ()


def body_hash(body: DraftBody) -> str:
    """The content hash that an approval names."""
    return hashlib.sha256(canonical_text(body).encode()).hexdigest()


class DocumentState(WireEnum):
    """The life of a document."""

    DRAFT = "draft"
    SUPERSEDED = "superseded"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    APPROVED = "approved"
    ISSUED = "issued"
    VOID = "void"
    UNKNOWN = "unknown"


class PublishedDocument(Record):
    """A document as sinks and people read it, on the topic `documents`.

    `close_offset` is the offset whose entries and contracts were billed, `decided_offset` the one whose decisions were.
    """

    schema_id: ClassVar[int] = 2301
    schema_name: ClassVar[str] = "published_document"

    envelope: Envelope
    document_id: str
    sequence: int
    revision: int
    state: DocumentState
    number: str = ""
    issued_at: Instant | None = None
    content: str
    close_offset: int
    decided_offset: int
    code_version: str
    origin_offset: int
    body: DraftBody
