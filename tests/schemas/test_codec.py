"""The codec: any bytes are either a record or `Unreadable`, and nothing else ever comes out of it."""

import struct
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.codec import RECORD_BYTES_MAX, decode, encode, record_type_of, schema_id_of
from schemas.commands import CloseDocument
from schemas.entry import WORKED_SECONDS_MAX, Deletion, EntryKind, EntryVersion, plain_version
from schemas.errors import Unreadable
from schemas.inputs import Category, Decision, DecisionRank
from schemas.records import ALL
from schemas.values import END_DATE, END_INSTANT, FIRST_DATE, FIRST_INSTANT, Record

IDS = [model.schema_id for model in ALL]
MANY = settings(max_examples=6 * settings().max_examples)  # each is cheap, and bytes come from anywhere


def read_or_refuse(value: bytes) -> Record | None:
    """The record, or None for Unreadable; any other error is a failure of the test."""
    try:
        return decode(value)
    except Unreadable:
        return None


@given(st.binary(max_size=200))
def test_random_bytes_are_unreadable_or_a_record(value: bytes) -> None:
    """Nothing but Unreadable is raised for bytes from anywhere."""
    read_or_refuse(value)


@MANY
@given(st.sampled_from(IDS), st.binary(max_size=400))
def test_random_bytes_in_a_good_frame_are_unreadable_or_a_record(schema_id: int, rest: bytes) -> None:
    """The frame may be right and the Avro inside be anything: lengths, dates, numbers, texts."""
    read_or_refuse(struct.pack(">bI", 0, schema_id) + rest)


@MANY
@given(st.data())
def test_a_damaged_record_is_unreadable_or_a_record(golden_bytes: Mapping[str, bytes], data: st.DataObject) -> None:
    """One changed byte anywhere in any kind of record stops nobody."""
    value = bytearray(golden_bytes[data.draw(st.sampled_from(sorted(golden_bytes)))])
    value[data.draw(st.integers(0, len(value) - 1))] = data.draw(st.integers(0, 255))
    read_or_refuse(bytes(value))


def test_every_truncation_is_unreadable(golden_bytes: Mapping[str, bytes]) -> None:
    """A record cut short at any byte never passes for a shorter record."""
    for stem, value in golden_bytes.items():
        for end in range(len(value) if len(value) < 2_000 else 600):
            assert read_or_refuse(value[:end]) is None, (stem, end)


def test_what_follows_a_record_is_unreadable(golden_bytes: Mapping[str, bytes]) -> None:
    """Bytes after the record are bytes that nobody understood."""
    for value in golden_bytes.values():
        with pytest.raises(Unreadable, match="follow"):
            decode(value + b"\x00")


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (b"", "frame_short"),
        (b"\x00\x00\x00", "frame_short"),
        (b"\x01\x00\x00\x03\xe9rest", "frame_magic"),
        (b"{'json': 1}", "frame_magic"),
        (struct.pack(">bI", 0, 999_999), "schema_unknown"),
        (struct.pack(">bI", 0, 1001) + b"\xff" * 9, "avro_broken"),
    ],
)
def test_the_reason_is_named(value: bytes, code: str) -> None:
    """A dead letter says what was wrong with the bytes, by a code with a page."""
    with pytest.raises(Unreadable) as caught:
        decode(value)
    assert caught.value.code == code


def test_a_record_above_the_limit_is_not_parsed(golden_records: Mapping[str, Record]) -> None:
    """An input larger than the limit is refused by its size, and one byte less is read."""
    entry = golden_records["1001-entry_version"]
    size = len(encode(entry))
    assert decode(encode(entry), size) == entry
    with pytest.raises(Unreadable) as caught:
        decode(encode(entry), size - 1)
    assert caught.value.code == "record_too_large"
    assert RECORD_BYTES_MAX == 1024 * 1024


def test_the_frame_tells_the_kind_without_reading(golden_bytes: Mapping[str, bytes]) -> None:
    """Agents that want one kind of record look at five bytes."""
    value = golden_bytes["1001-entry_version"]
    assert (schema_id_of(value), record_type_of(value)) == (1001, EntryVersion)


def test_words_of_a_newer_version_are_unknown(golden_bytes: Mapping[str, bytes]) -> None:
    """An enum's word that this version does not know is read as `unknown`, in the model and over the wire."""
    assert EntryKind("subscription") is EntryKind.UNKNOWN
    value = golden_bytes["1002-decision"]
    read = decode(value.replace(b"retainer", b"bartered").replace(b"contract_rule", b"contract_oral"))
    assert isinstance(read, Decision)
    assert (read.category, read.rank) == (Category.UNKNOWN, DecisionRank.UNKNOWN)


NONSENSE = [
    {"worked_seconds": -1},
    {"worked_seconds": 32 * 86_400},
    {"amount": Decimal("1E+12")},
    {"amount": Decimal("1E+1000000")},
    {"quantity": Decimal("1E-1000000")},
    {"unit_price": Decimal("NaN")},
    {"work_date": date(1, 1, 1)},
    {"work_date": date(9999, 12, 31)},
]


@pytest.mark.parametrize("fields", NONSENSE, ids=str)
def test_an_entry_out_of_its_domain_is_unreadable(
    golden_records: Mapping[str, Record], fields: Mapping[str, object]
) -> None:
    """What would stop the fold (negative time, dates without a week, numbers without end) is refused at the door."""
    entry = golden_records["1001-entry_version"].model_copy(update=dict(fields))
    with pytest.raises(Unreadable) as caught:
        decode(encode(entry))
    assert caught.value.code == "value_invalid"


def test_an_entry_ends_within_a_month_of_its_start(golden_records: Mapping[str, Record]) -> None:
    """An entry that ends before it starts, or spans years, is no work; the day index would be filled with it."""
    entry = golden_records["1001-entry_version"]
    assert isinstance(entry, EntryVersion)
    assert entry.start is not None
    for end in (entry.start.replace(hour=1), entry.start.replace(year=2990), entry.start.replace(year=1950)):
        with pytest.raises(Unreadable):
            decode(encode(entry.model_copy(update={"end": end})))


def test_a_close_of_no_days_is_unreadable(golden_records: Mapping[str, Record]) -> None:
    """A scope that ends where it begins, or before, cannot be computed and never gets into a journal."""
    close = golden_records["1107-close_document"]
    assert isinstance(close, CloseDocument)
    for last in (close.scope.date_from, date(2026, 1, 1)):
        scope = close.scope.model_copy(update={"date_to": last})
        with pytest.raises(Unreadable):
            decode(encode(close.model_copy(update={"scope": scope})))


@pytest.mark.parametrize("rate", ["0", "-0.9"])
def test_an_exchange_rate_is_above_nothing(golden_bytes: Mapping[str, bytes], rate: str) -> None:
    """A rate of nothing on the wire would bill hours at nothing: it is no record."""
    (value,) = [value for stem, value in golden_bytes.items() if stem.endswith("-exchange_rate")]
    good = decode(value)
    with pytest.raises(Unreadable, match="rate"):
        decode(encode(good.model_copy(update={"rate": Decimal(rate)})))


@pytest.mark.parametrize("kind", [EntryKind.TIME, EntryKind.EXPENSE])
def test_work_without_any_date_is_no_entry(golden_bytes: Mapping[str, bytes], kind: EntryKind) -> None:
    """It would be in no period, no hours and no hold: the writer hears of it, or it is a dead letter. A deletion need
    not say when the work was.
    """
    (value,) = [value for stem, value in golden_bytes.items() if stem.endswith("-entry_version")]
    undated = {"start": None, "end": None, "work_date": None, "kind": kind}
    version = decode(value).model_copy(update={**undated, "deletion": Deletion.NONE})
    with pytest.raises(Unreadable, match="work date"):
        decode(encode(version))
    gone = version.model_copy(update={"deletion": Deletion.REPORTED})
    assert decode(encode(gone)) == gone


ENTRY = EntryVersion.model_validate(
    {
        "envelope": {
            "event_id": "e", "tenant": "t", "book": "b", "origin": "connector:x", "recorded_at": FIRST_INSTANT,
            "producer": "p",
        },
        "entry_id": "1", "source": "toggl", "account": "a", "source_entry_id": "1", "content": "c",
        "observed_at": FIRST_INSTANT, "start": FIRST_INSTANT, "tags": ("one",),
    }
)  # fmt: skip
WIRE = {**ENTRY.model_dump(), "kind": "time", "deletion": "none", "tags": ["one"], "attributes": {}}
EDGES = st.sampled_from([FIRST_INSTANT, END_INSTANT, FIRST_INSTANT - timedelta(microseconds=1)])
MOMENTS = st.datetimes(timezones=st.just(UTC)) | EDGES
DAYS = st.dates(date(1890, 1, 1), date(3010, 1, 1)) | st.sampled_from([FIRST_DATE, END_DATE])
ON_THE_WIRE = st.fixed_dictionaries(
    {
        "observed_at": MOMENTS,
        "kind": st.sampled_from(["time", "time", "time", "expense", "milestone", "unknown", "word of tomorrow"]),
        "deletion": st.sampled_from(["none", "none", "reported", "inferred", "word of tomorrow"]),
        "tags": st.lists(st.text(max_size=5), max_size=3),
        "work_date": st.none() | DAYS,
        "start": st.none() | MOMENTS,
        "worked_seconds": st.sampled_from([-1, 0, 1, 3600, WORKED_SECONDS_MAX, WORKED_SECONDS_MAX + 1]),
        "billable_hint": st.sampled_from([None, True, False]),
        "amount": st.sampled_from([None, None, None, "12.50", "no number"]),
        "attributes": st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2),
    }
)
LENGTHS = st.sampled_from([None, 0, 1, 3600, WORKED_SECONDS_MAX, WORKED_SECONDS_MAX + 1, -1])


@MANY
@given(ON_THE_WIRE, LENGTHS, MOMENTS)
def test_the_short_way_of_a_version_says_what_the_model_says(
    said: dict[str, object], seconds: int | None, recorded_at: datetime
) -> None:
    """A version is made without the model's checks only where the model would accept it, and then it is the same."""
    start = said["start"]
    end = start + timedelta(seconds=seconds) if isinstance(start, datetime) and seconds is not None else None
    head = {**ENTRY.envelope.model_dump(), "recorded_at": recorded_at}
    fields = {**WIRE, **said, "end": end, "envelope": head}
    try:
        wanted = EntryVersion.model_validate(fields)
    except ValidationError:
        wanted = None
    found = plain_version({**fields, "envelope": dict(head)})
    if found is not None:
        assert wanted is not None
        assert found == wanted
        assert list(vars(found)) == list(vars(wanted))
        assert [type(value) for value in vars(found).values()] == [type(value) for value in vars(wanted).values()]
        assert encode(found) == encode(wanted)


def test_the_usual_version_takes_the_short_way() -> None:
    """Else the law above would hold for nothing."""
    assert plain_version({**WIRE, "envelope": dict(ENTRY.envelope.model_dump())}) == ENTRY
