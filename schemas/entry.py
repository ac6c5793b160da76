"""Entry versions: one immutable snapshot of a source entry; a deletion is a version too (design section 1, rule 5)."""

from collections.abc import Mapping
from datetime import date
from typing import ClassVar

from schemas.canonical import content_hash, deterministic_id, instant_micros
from schemas.envelope import Envelope
from schemas.values import DecimalText, Instant, Record, WireEnum

SECONDS_OF_A_DAY = 86_400
WORKED_SECONDS_MAX = 31 * SECONDS_OF_A_DAY


class EntryKind(WireEnum):
    """What an entry counts."""

    TIME = "time"
    EXPENSE = "expense"
    MILESTONE = "milestone"
    USAGE = "usage"
    UNKNOWN = "unknown"


class Deletion(WireEnum):
    """How we know that the entry is gone: the source said so, or a person accepted that it was absent."""

    NONE = "none"
    REPORTED = "reported"
    INFERRED = "inferred"
    UNKNOWN = "unknown"


class EntryVersion(Record):
    """A version of a source entry as a connector understood it, before any name is resolved.

    Identity is (tenant, book, source, account, source_entry_id); `entry_id` is its hash. Names are kept as the source
    said
    them (`*_ref`), the fold resolves them with the directory. `source_revision` is the source's own revision number or
    its `updated_at` in microseconds, 0 when it has neither. Time: `start`/`end` are instants, `work_date` is set when
    the
    source only knows a date; `worked_seconds` is elapsed time. Expenses have `amount` and `currency`, or `quantity` and
    `unit_price`. `problem` is a connector's own doubt (for example `ambiguous_local_time`): the entry is held for it.
    """

    schema_id: ClassVar[int] = 1001
    schema_name: ClassVar[str] = "entry_version"

    envelope: Envelope
    entry_id: str
    source: str
    account: str
    source_entry_id: str
    source_revision: int = 0
    mapping_version: int = 1
    observed_at: Instant
    deletion: Deletion = Deletion.NONE
    content: str
    import_id: str = ""
    kind: EntryKind = EntryKind.TIME
    person_ref: str = ""
    client_ref: str = ""
    project_ref: str = ""
    task_ref: str = ""
    service_item: str = ""
    tags: tuple[str, ...] = ()
    description: str = ""
    billable_hint: bool | None = None
    work_date: date | None = None
    start: Instant | None = None
    end: Instant | None = None
    zone: str = ""
    worked_seconds: int = 0
    running: bool = False
    invoiced_at_source: bool = False
    amount: DecimalText | None = None
    currency: str = ""
    quantity: DecimalText | None = None
    unit_price: DecimalText | None = None
    category: str = ""
    problem: str = ""
    attributes: Mapping[str, str] = {}


_IDENTITY = ("tenant", "book", "source", "account", "source_entry_id")
_NOT_CONTENT = frozenset(
    {"envelope", "entry_id", "source_revision", "mapping_version", "observed_at", "deletion", "content", "import_id"}
)


def entry_id_of(tenant: str, book: str, source: str, account: str, source_entry_id: str) -> str:
    """The id of a source entry; the same whenever and by whomever it is read."""
    values = (tenant, book, source, account, source_entry_id)
    return deterministic_id("entry", dict(zip(_IDENTITY, values, strict=True)))


def content_of(fields: Mapping[str, object]) -> str:
    """Hash of what a version says, given its fields by name; defaults and order change nothing."""
    empty: tuple[object, ...] = ("", (), {}, False)
    return content_hash({k: v for k, v in fields.items() if k not in _NOT_CONTENT and v not in empty})


def version_order(entry: EntryVersion) -> tuple[int, int, int, int, str]:
    """The total order of the versions of one entry: by what they say, never by when they arrived (rule 5)."""
    deleted = int(entry.deletion is not Deletion.NONE)
    return (entry.source_revision, entry.mapping_version, instant_micros(entry.observed_at), deleted, entry.content)
