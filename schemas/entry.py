"""Entry versions: one immutable snapshot of a source entry; a deletion is a version too (design section 1, rule 5)."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import ClassVar, Self, TypeVar, cast

from pydantic import Field, field_validator, model_validator

from schemas.canonical import content_hash, deterministic_id, instant_micros
from schemas.envelope import Envelope
from schemas.values import (
    END_DATE,
    END_INSTANT,
    FIRST_DATE,
    FIRST_INSTANT,
    DecimalText,
    Instant,
    LocalDate,
    Record,
    Value,
    WireEnum,
)

SECONDS_OF_A_DAY = 86_400
WORKED_SECONDS_MAX = 31 * SECONDS_OF_A_DAY
_LONGEST = timedelta(seconds=WORKED_SECONDS_MAX)
_NUMBER_MAX = 1_000_000_000_000


class EntryKind(WireEnum):
    """What an entry counts."""

    TIME = "time"
    EXPENSE = "expense"
    MILESTONE = "milestone"
    USAGE = "usage"
    UNKNOWN = "unknown"


EVENT_KINDS = frozenset({EntryKind.MILESTONE, EntryKind.USAGE})
"""Entries that are billed without being work. They say themselves what they are, so nobody is asked to decide it."""


class Deletion(WireEnum):
    """How we know that the entry is gone: the source said so, or a person accepted that it was absent."""

    NONE = "none"
    REPORTED = "reported"
    INFERRED = "inferred"
    UNKNOWN = "unknown"


_ON_A_DAY = frozenset({EntryKind.TIME, EntryKind.EXPENSE})
"""What belongs to a period by its date. Without one it would be on no invoice, in no hours and in nobody's sight."""


class EntryVersion(Record):
    """A version of a source entry as a connector understood it, before any name is resolved.

    Identity is (tenant, book, source, account, source_entry_id); `entry_id` is its hash. Names are kept as the source
    said them (`*_ref`), the fold resolves them with the directory. `source_revision` is the source's own revision
    number or its `updated_at` in microseconds, 0 when it has neither. Time: `start`/`end` are instants, `work_date` is
    set when the source only knows a date; `worked_seconds` is elapsed time. Expenses have `amount` and `currency`, or
    `quantity` and `unit_price`. `problem` is a connector's own doubt (for example `ambiguous_local_time`): the entry is
    held for it.
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
    work_date: LocalDate | None = None
    start: Instant | None = None
    end: Instant | None = None
    zone: str = ""
    worked_seconds: int = Field(default=0, ge=0, le=WORKED_SECONDS_MAX)
    running: bool = False
    invoiced_at_source: bool = False
    amount: DecimalText | None = None
    currency: str = ""
    quantity: DecimalText | None = None
    unit_price: DecimalText | None = None
    category: str = ""
    problem: str = ""
    attributes: Mapping[str, str] = {}

    @field_validator("amount", "quantity", "unit_price")
    @classmethod
    def _can_be_multiplied(cls, number: Decimal | None) -> Decimal | None:
        if number is not None and abs(number) >= _NUMBER_MAX:
            raise ValueError(f"a number of an entry is below {_NUMBER_MAX}")
        return number

    @model_validator(mode="after")
    def _ends_after_its_start(self) -> Self:
        if self.start is not None and self.end is not None:
            elapsed = self.end - self.start
            if not timedelta() <= elapsed <= timedelta(seconds=WORKED_SECONDS_MAX):
                raise ValueError(f"an entry ends at or after its start and within {WORKED_SECONDS_MAX} s of it")
        return self

    @model_validator(mode="after")
    def _is_on_a_day(self) -> Self:
        is_dated = self.start is not None or self.work_date is not None
        if not is_dated and self.kind in _ON_A_DAY and self.deletion is Deletion.NONE:
            raise ValueError(f"an entry of kind {self.kind.value} has a start or a work date")
        return self


_IDENTITY = ("tenant", "book", "source", "account", "source_entry_id")
_FALSE_IS_SAID = frozenset({"billable_hint"})
_NOT_CONTENT = frozenset(
    {"envelope", "entry_id", "source_revision", "mapping_version", "observed_at", "deletion", "content", "import_id"}
)


def entry_id_of(tenant: str, book: str, source: str, account: str, source_entry_id: str) -> str:
    """The id of a source entry; the same whenever and by whomever it is read."""
    values = (tenant, book, source, account, source_entry_id)
    return deterministic_id("entry", dict(zip(_IDENTITY, values, strict=True)))


def content_of(fields: Mapping[str, object]) -> str:
    """Hash of what a version says, given its fields by name; defaults and order change nothing."""
    return content_hash({k: v for k, v in fields.items() if k not in _NOT_CONTENT and not _says_nothing(k, v)})


def _says_nothing(name: str, value: object) -> bool:
    """Whether a value is a default. "Not billable" is not the same as silence, and a price of 0 is a price."""
    if isinstance(value, Decimal) or name in _FALSE_IS_SAID:
        return value is None
    return not value


def version_order(entry: EntryVersion) -> tuple[int, int, int, int, str]:
    """The total order of the versions of one entry: by what they say, never by when they arrived (rule 5)."""
    deleted = int(entry.deletion is not Deletion.NONE)
    return (entry.source_revision, entry.mapping_version, instant_micros(entry.observed_at), deleted, entry.content)


_KINDS = {kind.value: kind for kind in EntryKind}
_DELETIONS = {deletion.value: deletion for deletion in Deletion}
_FIELDS = set(EntryVersion.model_fields)
_HEAD_FIELDS = set(Envelope.model_fields)


def plain_version(fields: dict[str, object]) -> EntryVersion | None:
    """The version that these fields of the wire say, made without the model's checks, which took a quarter of a fold.

    The wire's schema vouches for the types; what else the model asks is asked here. None when anything is out of the
    ordinary (numbers of expenses, words of a newer version): then the model decides. It takes the fields over.
    """
    head, kind, deletion = fields["envelope"], fields["kind"], fields["deletion"]
    assert isinstance(head, dict), "an envelope is a record"
    moments = [fields["observed_at"], head["recorded_at"]]
    start, end = fields["start"], fields["end"]
    if isinstance(start, datetime):
        moments.append(start)
        if isinstance(end, datetime) and not timedelta() <= end - start <= _LONGEST:
            return None
    is_plain = (
        kind == EntryKind.TIME.value
        and deletion in _DELETIONS
        and fields["amount"] is fields["quantity"] is fields["unit_price"] is None
        and (isinstance(start, datetime) or (end is None and fields["work_date"] is not None))
        and 0 <= cast(int, fields["worked_seconds"]) <= WORKED_SECONDS_MAX
        and all(FIRST_INSTANT <= moment < END_INSTANT for moment in cast(list[datetime], moments))
        and (end is None or cast(datetime, end) < END_INSTANT)
        and (fields["work_date"] is None or FIRST_DATE <= cast(date, fields["work_date"]) < END_DATE)
        and fields.keys() == _FIELDS
        and head.keys() == _HEAD_FIELDS
    )
    if not is_plain:
        return None
    fields["kind"], fields["deletion"] = _KINDS[cast(str, kind)], _DELETIONS[cast(str, deletion)]
    fields["tags"] = tuple(cast(list[str], fields["tags"]))
    fields["envelope"] = _taken_as_they_are(Envelope, head, _HEAD_FIELDS)
    return _taken_as_they_are(EntryVersion, fields, _FIELDS)


ModelT = TypeVar("ModelT", bound=Value)


def _taken_as_they_are(model: type[ModelT], fields: dict[str, object], names: set[str]) -> ModelT:
    """What `model_construct` makes, without its walk over all fields. `names` are those of the fields; it is shared,
    for a record is never changed.
    """
    made = model.__new__(model)
    _set(made, "__dict__", fields)
    _set(made, "__pydantic_fields_set__", names)
    _set(made, "__pydantic_extra__", None)
    _set(made, "__pydantic_private__", None)
    return made


_set = object.__setattr__
