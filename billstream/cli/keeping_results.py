"""The published answers of `rebuild`, `replay`, `backup` and `restore`; a field is only ever added."""

from datetime import datetime
from typing import ClassVar

from pydantic import BaseModel, Field

from billstream.cli.results import PreviewResult, Result, StatusResult
from schemas.values import DecimalText


class DifferingRow(BaseModel):
    """A row in which a store and its journal differ; an empty value stands for a missing row."""

    table: str
    key: str
    stored: str
    rebuilt: str


class RebuiltStore(BaseModel):
    """A store beside the one that its journal gives."""

    partition: int
    slot: str = Field(description="The worker's folder that holds it.")
    file: str
    verdict: str = Field(description="same, differs, no_store, other_version, other_journal or ahead.")
    offset: int = Field(description="Journal offset at which both were compared.")
    rows: int
    digest: str
    stored_digest: str = ""
    records: int = Field(description="Journal records that were folded, from the first one on.")
    unreadable: int = Field(
        default=0, description="Records that are no record of ours; a worker writes letters of them."
    )
    unapplied: int = Field(default=0, description="Records that say something the fold cannot use, as above.")
    seconds: DecimalText
    records_per_second: int
    differences: tuple[DifferingRow, ...] = Field(default=(), description="The first rows that differ.")
    replaced: bool = False


class RebuildResult(Result):
    """Answer of `rebuild`."""

    name: ClassVar[str] = "rebuild"

    stores: tuple[RebuiltStore, ...]
    seconds: DecimalText


class TableRows(BaseModel):
    """How many rows a table holds."""

    table: str
    rows: int


class ReplayResult(Result):
    """Answer of `replay`: the book as it was after the first `offset` records of its journal."""

    name: ClassVar[str] = "replay"

    until: str = Field(description="What was asked for.")
    offset: int = Field(description="Records before this journal offset are in, no other one is.")
    journal_end: int = Field(description="Where the journal ends now.")
    appended_at: datetime | None = Field(description="When the last record that is in was appended.")
    next_appended_at: datetime | None = Field(description="When the first record that is not in was appended.")
    records: int = Field(description="Records of this book.")
    digest: str = Field(description="Hash over all rows; the same state has the same.")
    tables: tuple[TableRows, ...]
    status: StatusResult
    preview: PreviewResult | None = None
    alerts: tuple[str, ...] = ()
    seconds: DecimalText


class SavedPartition(BaseModel):
    """A partition in a backup: its records `[begin, end)`, and how many bytes they are in files."""

    topic: str
    partition: int
    begin: int
    end: int
    records: int
    bytes: int


class BackupResult(Result):
    """Answer of `backup`."""

    name: ClassVar[str] = "backup"

    folder: str
    backup_id: str
    taken_at: datetime
    partitions: tuple[SavedPartition, ...]
    stores: int
    files: int = Field(description="Files of the project: settings, directory, contracts, rates.")
    records: int = Field(description="All records in the backup.")
    new_records: int = Field(description="Records that this call added.")
    bytes: int
    seconds: DecimalText


class ProofItem(BaseModel):
    """One question to what was restored; `detail` says what does not hold, or what a person should look at."""

    about: str
    holds: bool
    detail: str = ""


class RestoreResult(Result):
    """Answer of `restore`; `sending` is held until the proofs hold."""

    name: ClassVar[str] = "restore"

    backup_id: str
    taken_at: datetime | None = None
    records: int = 0
    stores: int = 0
    files: tuple[str, ...] = ()
    sending: str = Field(description="held or allowed; empty when nobody looked.")
    verified: bool = False
    documents: int = Field(default=0, description="Documents whose minutes and sums the journal alone confirms.")
    receipts: int = Field(default=0, description="Deliveries that were looked up at their sinks.")
    proofs: tuple[ProofItem, ...] = ()
    seconds: DecimalText


KEEPING_RESULTS: tuple[type[Result], ...] = (RebuildResult, ReplayResult, BackupResult, RestoreResult)
