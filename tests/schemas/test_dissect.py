"""Field by field: the same as the codec where the bytes are whole, and the exact place where they are not."""

import struct
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import decode, encode
from schemas.dissect import dissect
from schemas.errors import Unreadable
from schemas.inputs import ClockTick
from schemas.records import ALL
from schemas.values import Record

ENTRY = "1001-entry_version"
IDS = [model.schema_id for model in ALL]


def frame(schema_id: int) -> bytes:
    return struct.pack(">bI", 0, schema_id)


def test_whole_records_are_read_whole(golden_bytes: Mapping[str, bytes]) -> None:
    """Of every schema that was ever released: nothing is broken, and the fields say what the codec reads."""
    for stem, value in golden_bytes.items():
        found = dissect(value)
        assert (found.broken, found.schema_id) == (None, int(stem.split("-")[0])), stem
        assert found.model is not None
        if "bytes" not in repr(found.model.model_fields):
            assert found.model.model_validate(dict(found.fields)) == decode(value), stem


def test_instants_and_dates_are_text(golden_bytes: Mapping[str, bytes]) -> None:
    """As a person writes them, and as they are read back."""
    fields = dissect(golden_bytes[ENTRY]).fields
    envelope = fields["envelope"]
    assert isinstance(envelope, dict)
    assert envelope["recorded_at"] == "2026-10-30T17:05:09.123456Z"


def test_a_record_cut_short_keeps_what_was_read(golden_bytes: Mapping[str, bytes]) -> None:
    """At every length: what is shown is the beginning of the whole, and the place is the cut or a length before it."""
    whole = golden_bytes[ENTRY]
    complete = dissect(whole).fields
    for end in range(6, len(whole)):
        found = dissect(whole[:end])
        assert found.broken is not None, end
        assert found.broken.at <= end
        assert found.broken.field
        names = list(found.fields)
        assert names == list(complete)[: len(names)]
        assert all(found.fields[name] == complete[name] for name in names if name != "envelope")


def test_the_field_that_broke_is_named(golden_bytes: Mapping[str, bytes]) -> None:
    """Cut inside the event id, the envelope is what is broken, and nothing of it is claimed."""
    found = dissect(golden_bytes[ENTRY][:9])
    assert found.broken is not None
    assert (found.broken.field, found.broken.at) == ("envelope.event_id", 5)
    assert "envelope" not in found.fields


@pytest.mark.parametrize(
    ("value", "at", "why"),
    [
        (b"", 0, "has no frame"),
        (b"{'json': 1}", 0, "first byte"),
        (frame(999_999) + b"x", 1, "999999"),
        (frame(1001) + b"\xff" * 11, 5, "number"),
        (frame(1001) + b"\x02\xff", 6, "not UTF-8"),
    ],
)
def test_the_place_and_the_reason_are_told(value: bytes, at: int, why: str) -> None:
    """The frame, the schema, a number without end, a text that is none."""
    broken = dissect(value).broken
    assert broken is not None
    assert broken.at == at
    assert why in broken.why


def test_what_follows_the_record_is_told(golden_bytes: Mapping[str, bytes]) -> None:
    """All fields are there, and the place is the end of the record."""
    whole = golden_bytes[ENTRY]
    found = dissect(whole + b"!!")
    assert found.broken is not None
    assert (found.broken.at, found.broken.why[:7]) == (len(whole), "2 bytes")
    assert found.fields == dissect(whole).fields


def test_an_instant_outside_the_calendar_is_shown_as_what_it_says(golden_records: Mapping[str, Record]) -> None:
    """A year 300,000 is no reason to show nothing."""
    tick = golden_records["1010-clock_tick"]
    assert isinstance(tick, ClockTick)
    whole = encode(tick)
    micros = (tick.at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert whole.endswith(zigzag(micros))
    far = whole.removesuffix(zigzag(micros)) + zigzag(9_000_000_000_000_000_000)
    found = dissect(far)
    assert (found.broken, found.fields["at"]) == (None, "9000000000000000000 microseconds from 1970-01-01")


def zigzag(number: int) -> bytes:
    raw, out = number << 1, bytearray()
    while raw >= 0x80:
        out.append(raw & 0x7F | 0x80)
        raw >>= 7
    return bytes([*out, raw])


@given(st.sampled_from(IDS), st.binary(max_size=300))
def test_any_bytes_are_dissected(schema_id: int, rest: bytes) -> None:
    """Nothing is raised, and whatever the codec reads has no break here."""
    found = dissect(frame(schema_id) + rest)
    try:
        decode(frame(schema_id) + rest)
    except Unreadable:
        return
    assert found.broken is None


def test_a_flood_of_items_is_not_read_to_its_end() -> None:
    """Bytes that announce more items than there are bytes stop at the count."""
    head = b"".join(zigzag(1) + b"a" for _ in range(3))
    found = dissect(frame(1301) + head + zigzag(2**40))
    assert found.broken is not None
