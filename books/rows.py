"""The rows of a book: what each table holds. Rows are small typed structs, written as MessagePack arrays
(books/README.md).
"""

from typing import ClassVar

import msgspec


class Row(msgspec.Struct, frozen=True, array_like=True, kw_only=True, gc=False):
    """A row of the table `table`."""

    table: ClassVar[str]


class DecisionPart(msgspec.Struct, frozen=True, array_like=True):
    """A decision as an entry's row keeps it."""

    rank: int
    version: int
    decider: str
    category: str
    service_item: str
    utbms_task: str
    utbms_activity: str
    confidence: str
    held_reason: str
    evidence: tuple[str, ...]


class CapPart(msgspec.Struct, frozen=True, array_like=True):
    """What an entry adds to one cap window; kept with the entry so that a change can take it back exactly."""

    key: str
    seconds: int


class BilledPart(msgspec.Struct, frozen=True, array_like=True):
    """How many seconds of an entry stand on an approved document, and what the entry said then.

    `offset` is that of the approval; `corrects` the earlier document that the part corrects, signed.
    """

    document_id: str
    contract_id: str
    content: str
    seconds: int
    offset: int = 0
    corrects: str = ""


class HoursPart(msgspec.Struct, frozen=True, array_like=True):
    """What an entry adds to one row of running hours."""

    key: str
    worked_seconds: int
    billable_seconds: int
    held_seconds: int


class Release(msgspec.Struct, frozen=True, array_like=True):
    """A reason to hold an entry that a person settled, and what it rested on when the person looked."""

    reason: str
    cause: str


class EntryRow(Row, frozen=True):
    """The current version of a source entry, what its names resolve to, what was decided, and what it counts for.

    Instants are UTC microseconds, dates ISO text, decimals text. `assigned_*` are a person's assignments and win over
    resolving. `standing` is the last decision of an entry that is being decided anew: hours and caps count by it until
    the answer is there. `said` is the hash of all a decider may look at in the version itself, `input_hash` adds client
    and contract facts. `rivals` are other contents of the same revision, `import_id` the newest import that held
    the entry.
    """

    table: ClassVar[str] = "entry"

    entry_id: str
    source: str
    account: str
    source_entry_id: str
    source_revision: int
    mapping_version: int
    observed_micros: int
    deletion: str
    content: str
    conflict: bool
    rivals: tuple[str, ...]
    import_id: str
    import_micros: int
    kind: str
    person_ref: str
    client_ref: str
    project_ref: str
    task_ref: str
    service_item: str
    tags: tuple[str, ...]
    description: str
    billable_hint: bool | None
    work_date: str
    start_micros: int | None
    end_micros: int | None
    zone: str
    worked_seconds: int
    running: bool
    invoiced_at_source: bool
    amount: str | None
    currency: str
    quantity: str | None
    unit_price: str | None
    category: str
    problem: str
    said: str
    assigned_client: str = ""
    assigned_person: str = ""
    assigned_project: str = ""
    held_by: str = ""
    released: tuple[Release, ...] = ()
    written_off: str = ""
    deletion_proposed: str = ""
    duplicate_of: str = ""
    client_id: str = ""
    person_id: str = ""
    project_id: str = ""
    contract_id: str = ""
    local_date: str = ""
    role: str = ""
    input_hash: str = ""
    person_decision: DecisionPart | None = None
    decision: DecisionPart | None = None
    standing: DecisionPart | None = None
    caps: tuple[CapPart, ...] = ()
    hours: HoursPart | None = None


class DecisionRow(Row, frozen=True):
    """The best decision for an entry's input hash (key: entry id and input hash)."""

    table: ClassVar[str] = "decision"

    part: DecisionPart


class PersonDecisionRow(Row, frozen=True):
    """A person's decision for what an entry says (key: entry id and `said` hash)."""

    table: ClassVar[str] = "person_decision"

    part: DecisionPart


class MemoryRow(Row, frozen=True):
    """An approved decision for a text (key: client id and hash of the text)."""

    table: ClassVar[str] = "memory"

    part: DecisionPart
    entry_id: str


class DayItem(msgspec.Struct, frozen=True, array_like=True):
    """One entry on a person's day, enough to see overlaps. Without clock times `start_micros` is None."""

    entry_id: str
    source: str
    account: str
    start_micros: int | None
    end_micros: int | None
    worked_seconds: int
    client_id: str


class PersonDayRow(Row, frozen=True):
    """The time entries of a person on a UTC day, sorted by entry id (key: person and day)."""

    table: ClassVar[str] = "person_day"

    items: tuple[DayItem, ...]


class HoursRow(Row, frozen=True):
    """Running hours (key: client, week, role, person); the sum of the `hours` parts of the entries that name it."""

    table: ClassVar[str] = "hours"

    worked_seconds: int
    billable_seconds: int
    held_seconds: int
    entries: int


class CapRow(Row, frozen=True):
    """A cap window (key: contract, cap, pool, window); `used_seconds` is the sum of the `caps` parts that name it.

    `fired` are the thresholds that stand as fired; `rearmed` counts recoveries.
    """

    table: ClassVar[str] = "cap"

    used_seconds: int
    fired: tuple[int, ...]
    rearmed: int


class RevisionRow(Row, frozen=True):
    """the newest revision of the directory (key `*directory`) or of a contract (key: contract id)."""

    table: ClassVar[str] = "revision"

    revision_hash: str
    client_id: str


class RevisionTextRow(Row, frozen=True):
    """A revision's document (key: revision hash); kept for closes that wait and for drafts that are compared."""

    table: ClassVar[str] = "revision_text"

    document: str


class RateRow(Row, frozen=True):
    """An exchange rate (key: base, quote, date)."""

    table: ClassVar[str] = "rate"

    rate: str
    rate_source: str


class WatermarkRow(Row, frozen=True):
    """How far a source account was seen (key: source, account)."""

    table: ClassVar[str] = "watermark"

    seen_micros: int


class OpenFactRow(Row, frozen=True):
    """A fact that was proposed and not read back yet (key: fact id): the framed record."""

    table: ClassVar[str] = "open_fact"

    origin_offset: int
    value: bytes


class OpenWorkRow(Row, frozen=True):
    """Work without an answer (key: request id): the framed record."""

    table: ClassVar[str] = "open_work"

    origin_offset: int
    value: bytes


class SeenRow(Row, frozen=True):
    """A command or fact id that counted already (key: id), with the offset where it did."""

    table: ClassVar[str] = "seen"

    offset: int


class CloseRow(Row, frozen=True):
    """A close that waits (key: offset, padded, and command): its command, the revisions and invoice date of its offset.

    `wait_ended` says that its time is over, `proposed` that its draft is on the way to the journal. `corrects` are the
    approved documents whose facts had changed at its offset.
    """

    table: ClassVar[str] = "close"

    offset: int
    client_id: str
    contract_id: str
    command: bytes
    contract_revision: str
    directory_revision: str
    invoice_date: str
    wait_ended: bool
    proposed: bool
    corrects: tuple[str, ...] = ()


class PendingRow(Row, frozen=True):
    """What is under way (key: `close`, `approval`, or `waiting` and an entry id): keys of closes or documents."""

    table: ClassVar[str] = "pending"

    keys: tuple[str, ...]


class FrozenRow(Row, frozen=True):
    """An entry as a close drafts it (key: close, entry id): kept as long as the draft or what it settled stands.

    Entries that left what the close drafts or corrects are there as well, deleted or with another contract.
    """

    table: ClassVar[str] = "frozen"

    entry: EntryRow


class FrozenRateRow(Row, frozen=True):
    """An exchange rate as it was at a waiting close's offset (key: close, base, quote, date)."""

    table: ClassVar[str] = "frozen_rate"

    rate: str
    rate_source: str


class DocumentRow(Row, frozen=True):
    """A document (key: document id). `approving` is the approve or void command under way, `state_micros` the state's
    begin, `inputs` the close whose frozen rows it was made of.
    """

    table: ClassVar[str] = "document"

    document_id: str
    client_id: str
    contract_id: str
    date_from: str
    date_to: str
    kind: str
    sequence: int
    revision: int
    state: str
    content: str
    number: str
    issued_micros: int | None
    close_offset: int
    decided_offset: int
    code_version: str
    approving: str
    state_micros: int
    inputs: str = ""


class BodyRow(Row, frozen=True):
    """The body of a document's newest revision (key: document id): the framed fact that drafted it."""

    table: ClassVar[str] = "body"

    value: bytes


class BilledRow(Row, frozen=True):
    """The approved documents an entry's time stands on (key: entry id): no second of it is put on another one."""

    table: ClassVar[str] = "billed"

    parts: tuple[BilledPart, ...]


class CounterRow(Row, frozen=True):
    """A series of numbers (key: series name): how many were counted, or the next number to be given."""

    table: ClassVar[str] = "counter"

    count: int


class ClockRow(Row, frozen=True):
    """The last tick (key `clock`)."""

    table: ClassVar[str] = "clock"

    at_micros: int


class ReceiptRow(Row, frozen=True):
    """What a sink answered (key: document id, revision, sink)."""

    table: ClassVar[str] = "receipt"

    state: str
    location: str
    message: str


class IndexRow(Row, frozen=True):
    """Nothing but its key."""

    table: ClassVar[str] = "index"


class ForecastRow(Row, frozen=True):
    """The local date on which a contract's caps and balances were last forecast (key: contract id)."""

    table: ClassVar[str] = "forecast"

    day: str


class SettledRow(Row, frozen=True):
    """An approved document that bills a period (key: contract, document): what it and its corrections rest on.

    `documents` are the document and all that correct it, in the order of their approvals. `inputs` is the close whose
    frozen rows are the facts that stand, with the two revisions; entries of `[needed_from, date_to)` bear on it.
    `looked` are the revisions that were last compared without a difference. `returned` says that more than the facts
    changed (a credit, a withdrawn correction): then every line is compared. `lacks_rate` that time was held for want of
    an exchange rate.
    """

    table: ClassVar[str] = "settled"

    document_id: str
    contract_id: str
    date_from: str
    date_to: str
    needed_from: str
    inputs: str
    contract_revision: str
    directory_revision: str
    documents: tuple[str, ...]
    people: tuple[str, ...] = ()
    looked: str = ""
    returned: bool = False
    lacks_rate: bool = False


class SettledUntilRow(Row, frozen=True):
    """The end of the last period of a contract that an approved document bills (key: contract)."""

    table: ClassVar[str] = "settled_until"

    until: str


class HeldReceiptRow(Row, frozen=True):
    """Money that arrived for an account of held money (key: contract, account, payment id)."""

    table: ClassVar[str] = "held_receipt"

    amount: str
    paid_on: str


class Settlement(msgspec.Struct, frozen=True, array_like=True):
    """What a person did about a dead letter; `sent` is the hash of what went out again, empty when nothing did."""

    outcome: str
    person: str
    reason: str
    at_micros: int
    sent: str
    offset: int


class LetterRow(Row, frozen=True):
    """What was done about a dead letter, oldest first; the last one counts (key: letter)."""

    table: ClassVar[str] = "letter"

    settlements: tuple[Settlement, ...]
