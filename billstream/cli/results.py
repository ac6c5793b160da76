"""The published answers of `--json`, one model per command; a field is only ever added (docs/reference/schemas)."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field, computed_field

from schemas.values import DecimalText


class Result(BaseModel):
    """An answer; `schema` names its form and version."""

    model_config = ConfigDict(frozen=True)
    name: ClassVar[str]
    version: ClassVar[int] = 1

    @computed_field(alias="schema", description="Name and version of this form.")  # type: ignore[prop-decorator]  # pydantic reads it so
    @property
    def schema_name(self) -> str:
        """`billstream.status/1`."""
        return f"billstream.{self.name}/{self.version}"


class ContractItem(BaseModel):
    """A contract that was read."""

    id: str
    client: str
    project: str = ""
    currency: str
    date_from: date | None = None
    date_to: date | None = None
    file: str
    revision: str
    examples: int = Field(default=0, description="Worked examples of the file; all of them hold.")
    applied: bool | None = Field(
        default=None, description="Whether the book has this revision; null when nobody asked."
    )


class AssumptionItem(BaseModel):
    """A reading that was taken because a contract does not say, where another one would cost another amount."""

    file: str
    line: int
    text: str


class ContractsResult(Result):
    """Answer of `contracts check`, `contracts apply` and `contracts show`."""

    name: ClassVar[str] = "contracts"

    clients: int
    people: int
    projects: int
    directory_revision: str
    contracts: tuple[ContractItem, ...]
    assumed: tuple[AssumptionItem, ...] = ()
    exchange_rates: int = 0
    published: int = Field(default=0, description="Revisions and rates that were sent to the book.")
    dry_run: bool = False
    in_force: bool | None = Field(default=None, description="Whether the book has all of it now; null when not asked.")


class SchemasResult(Result):
    """Answer of `contracts schema --folder`."""

    name: ClassVar[str] = "schemas"

    files: tuple[str, ...]


class RowProblem(BaseModel):
    """A row of a file that was refused or needs an answer."""

    line: int
    column: str = ""
    value: str = ""
    reason: str
    message: str = ""


class ImportedFile(BaseModel):
    """What was understood of one file; accepted + refused + asked + skipped = rows."""

    file: str
    source: str
    account: str
    format: str
    rows: int
    accepted: int
    refused: int
    asked: int
    skipped: int = 0
    date_from: date | None = None
    date_to: date | None = None
    people: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    problems: tuple[RowProblem, ...] = ()


class ImportResult(Result):
    """Answer of `import`."""

    name: ClassVar[str] = "import"

    dry_run: bool
    files: tuple[ImportedFile, ...]


class MoneyTotals(BaseModel):
    """The sums of a document, in its currency."""

    net: DecimalText
    tax: DecimalText
    gross: DecimalText
    due: DecimalText | None = Field(default=None, description="What is to be paid after money that is held; else null.")
    currency: str


class BucketItem(BaseModel):
    """Where seconds went."""

    bucket: str
    reason: str = ""
    seconds: int
    entries: int


class LineItem(BaseModel):
    """A line as the client sees it."""

    line_id: str
    text: str
    seconds: int
    quantity: DecimalText
    unit: str
    unit_price: DecimalText
    adjustment: DecimalText
    amount: DecimalText


class DocumentItem(BaseModel):
    """A document or a preview of one."""

    document_id: str = ""
    client: str
    contract: str
    date_from: date
    date_to: date
    state: str
    revision: int = 0
    number: str = ""
    content: str = ""
    totals: MoneyTotals
    worked_seconds: int
    lines: tuple[LineItem, ...] = ()
    buckets: tuple[BucketItem, ...] = ()
    missing: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


class ForecastItem(BaseModel):
    """When a cap, a balance of hours or a limit of money is expected to be used up, from the pace so far."""

    contract: str
    limit_id: str = Field(description="Id of the cap, retainer, block or amount cap.")
    pool: str = Field(
        description="Who shares the cap; `balance` for retainers and blocks, `amount` for limits of money."
    )
    window: str
    unit: str = Field(description="`hours`, or the currency of the figures.")
    used: DecimalText
    limit: DecimalText
    pace: DecimalText = Field(description="Use of a workday, so far.")
    expected: DecimalText | None = Field(default=None, description="Use at the window's end, at this pace.")
    crosses_on: date | None = Field(default=None, description="Null when it will last, or is reached already.")
    text: str


class PreviewResult(Result):
    """Answer of `preview`."""

    name: ClassVar[str] = "preview"

    period: str
    entries: int
    documents: tuple[DocumentItem, ...]
    forecasts: tuple[ForecastItem, ...] = Field(
        default=(), description="Of caps and balances that hold today, when the period does."
    )
    problems: tuple[str, ...] = ()
    held: tuple["HeldItem", ...] = Field(
        default=(), description="Entries of the period that no contract is known for; they are on no document."
    )


class RefusedItem(BaseModel):
    """A command that was refused."""

    command_id: str
    about: str
    reason: str
    detail: str = ""


class DocumentsResult(Result):
    """Answer of `close`, `approve`, `issue`, `reject`, `reopen` and `void`."""

    name: ClassVar[str] = "documents"

    documents: tuple[DocumentItem, ...]
    refused: tuple[RefusedItem, ...] = ()
    waiting: tuple[str, ...] = Field(default=(), description="Commands without an answer yet.")
    empty: tuple[str, ...] = Field(default=(), description="Documents without a line, which `--all` left as they are.")


class ListedDocument(BaseModel):
    """A document in the list; `corrects` are the numbers of the documents that it corrects or gives back."""

    document_id: str
    kind: str
    client: str
    contract: str
    date_from: date
    date_to: date
    state: str
    revision: int
    number: str = ""
    net: DecimalText
    gross: DecimalText
    currency: str
    corrects: tuple[str, ...] = ()


class DocumentListResult(Result):
    """Answer of `documents`: every invoice and credit note of the book, whatever its state."""

    name: ClassVar[str] = "document-list"

    documents: tuple[ListedDocument, ...]


class EntriesResult(Result):
    """Answer of the commands on entries."""

    name: ClassVar[str] = "entries"

    done: tuple[str, ...]
    refused: tuple[RefusedItem, ...] = ()


class PaymentResult(Result):
    """Answer of `payment`: what arrived, and how the account stands with it."""

    name: ClassVar[str] = "payment"

    contract: str
    client: str
    account: str
    reference: str
    paid_on: date
    amount: DecimalText
    currency: str
    known: bool = Field(description="Whether this reference had arrived before; then nothing was sent.")
    dry_run: bool = False
    in_force: bool | None = Field(default=None, description="Whether the book counts it; null when nothing was sent.")
    received: DecimalText = Field(description="All that arrived for the account.")
    used: DecimalText = Field(description="What approved and issued documents took of it.")
    balance: DecimalText


class HeldItem(BaseModel):
    """An entry that is kept off invoices, and why."""

    entry_id: str
    reason: str
    client: str
    person: str
    work_date: str
    seconds: int
    description: str
    fix: str = ""


class HeldResult(Result):
    """Answer of `entries held`."""

    name: ClassVar[str] = "held"

    entries: tuple[HeldItem, ...]


class CapItem(BaseModel):
    """How far a cap is used in one window."""

    contract: str
    cap: str
    pool: str
    window: str
    used_seconds: int
    limit_seconds: int
    percent: DecimalText


class ReasonCount(BaseModel):
    """How many dead letters are open for one reason, by where their records stood."""

    topic: str
    reason: str
    letters: int


class StatusResult(Result):
    """Answer of `status`."""

    name: ClassVar[str] = "status"

    tenant: str
    book: str
    broker: str
    journal_offset: int
    clock: datetime | None
    entries: int
    worked_seconds: int
    held: tuple[BucketItem, ...]
    caps: tuple[CapItem, ...]
    forecasts: tuple[ForecastItem, ...] = ()
    documents: tuple[DocumentItem, ...]
    open_work: int
    waiting_closes: int
    dead_letters: int = Field(default=0, description="Dead letters that nobody has settled.")
    dead_letters_by_reason: tuple[ReasonCount, ...] = ()


class ExplainResult(Result):
    """Answer of `explain`: the same tree for a line, an entry or a document; each node has text and figures."""

    name: ClassVar[str] = "explain"

    id: str
    kind: str
    story: tuple["StoryNode", ...]


class StoryNode(BaseModel):
    """One statement, what it is about, its figures, and what it rests on. Decimals are text, time is whole seconds."""

    text: str
    kind: str = Field(
        default="",
        description="line, charge, allocation, placement, entry, source, understood, decision, hold, rate, lost, "
        "increment, cap, balance, tier, premium, currency, discount, amount_cap, rounding, step, contract, clause, "
        "document, tax, due, held_money, bucket, finding, correction, certificate or empty.",
    )
    facts: Mapping[str, str | int] = {}
    below: tuple["StoryNode", ...] = ()


class VerifiedCheck(BaseModel):
    """One question to a document; `detail` says what does not hold."""

    name: str = Field(
        description="content, certificate, sums, entries, contract, recomputed, rows, recorded, number or journal."
    )
    holds: bool
    detail: str = ""


class VerifiedItem(BaseModel):
    """A document, its certificate of minutes, and what was checked."""

    document_id: str
    revision: int
    number: str = ""
    state: str = ""
    file: str = ""
    client: str
    date_from: date
    date_to: date
    holds: bool
    worked_seconds: int
    carried_in_seconds: int = 0
    statement: str = Field(default="", description="Hash over entry set, contract revision and buckets.")
    buckets: tuple[BucketItem, ...] = ()
    checks: tuple[VerifiedCheck, ...]


class VerifyResult(Result):
    """Answer of `verify`."""

    name: ClassVar[str] = "verify"

    documents: tuple[VerifiedItem, ...]
    records: int = Field(default=0, description="Journal records that were folded from the first one on.")
    problems: tuple[str, ...] = ()


class ChangedLine(BaseModel):
    """A line that would be another one, and why."""

    kind: str
    text: str
    before: DecimalText
    after: DecimalText
    difference: DecimalText
    before_seconds: int
    after_seconds: int
    reasons: tuple[str, ...]


class ChangedReason(BaseModel):
    """What one reason changes; the amounts of all reasons add up to the client's difference."""

    reason: str = Field(
        description="rate, increments, the reason of a bucket such as cap:ID, the kind of a line, or another contract."
    )
    amount: DecimalText
    seconds: int
    entries: int


class ChangedClient(BaseModel):
    """A client's invoices as they are and as they would be."""

    client: str
    before: MoneyTotals
    after: MoneyTotals
    difference: DecimalText
    lines: tuple[ChangedLine, ...]
    reasons: tuple[ChangedReason, ...]


class WhatIfResult(Result):
    """Answer of `what-if`."""

    name: ClassVar[str] = "what-if"

    period: str
    entries: int
    clients: tuple[ChangedClient, ...]
    problems: tuple[str, ...] = ()


class StageItem(BaseModel):
    """A part of the demo and how long it took."""

    name: str
    seconds: DecimalText


class DemoResult(Result):
    """Answer of `demo`: everything a person looks at first."""

    name: ClassVar[str] = "demo"

    folder: str
    entries: int
    people: int
    clients: int
    worked_seconds: int
    imports: tuple[ImportedFile, ...]
    buckets: tuple[BucketItem, ...]
    alerts: tuple[str, ...]
    held: tuple[BucketItem, ...]
    held_entries: tuple[HeldItem, ...]
    documents: tuple[DocumentItem, ...]
    verified: int = Field(default=0, description="Documents whose minutes and sums the journal alone confirms.")
    stages: tuple[StageItem, ...]
    seconds: DecimalText


class InitExport(BaseModel):
    """An export that was found; entries are of the dates `[date_from, date_to)`."""

    file: str
    tool: str
    rows: int
    date_from: date | None
    date_to: date | None
    problem: str = Field(default="", description="Why it cannot be read without an answer; empty when it can.")


class InitAnswer(BaseModel):
    """A question, how it was answered, and where the answer came from: flag, asked, default."""

    name: str
    flag: str
    value: str
    origin: str


class InitFile(BaseModel):
    """A file of the project: written, kept (it was there and was not touched), or would be written."""

    path: str
    state: str
    bytes: int


class InitResult(Result):
    """Answer of `init`; `next` are commands to go on with."""

    name: ClassVar[str] = "init"

    folder: str
    dry_run: bool
    exports: tuple[InitExport, ...]
    people: int
    clients: int
    answers: tuple[InitAnswer, ...]
    files: tuple[InitFile, ...]
    next: tuple[str, ...]


class CheckItem(BaseModel):
    """One check: what it is about, its state (ok, warning, failed, skipped), what was found, how to mend it."""

    id: str
    about: str
    state: str
    found: str
    fix: str = ""


class DoctorResult(Result):
    """Answer of `doctor`: every check, in order."""

    name: ClassVar[str] = "doctor"

    project: str
    checks: tuple[CheckItem, ...]
    failed: int
    warnings: int


RESULTS: tuple[type[Result], ...] = (
    ContractsResult,
    SchemasResult,
    ImportResult,
    PreviewResult,
    DocumentsResult,
    DocumentListResult,
    EntriesResult,
    HeldResult,
    PaymentResult,
    StatusResult,
    ExplainResult,
    VerifyResult,
    WhatIfResult,
    DemoResult,
    InitResult,
    DoctorResult,
)
