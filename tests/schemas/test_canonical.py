"""The canonical encoding: one text for one meaning, so that ids and hashes survive notation, order and new fields."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from random import Random
from typing import ClassVar

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import Field

from schemas.canonical import canonical_bytes, content_hash, decimal_text, deterministic_id, instant_micros
from schemas.draft import DocumentKind, DocumentScope, document_id_of
from schemas.entry import content_of
from schemas.envelope import Envelope
from schemas.values import (
    END_INSTANT,
    FIRST_INSTANT,
    DecimalText,
    Instant,
    LocalDate,
    Record,
    Value,
    canonical_text,
    named_fields,
)

NOON = datetime(2026, 10, 30, 12, tzinfo=UTC)


@given(st.dictionaries(st.text(), st.one_of(st.integers(), st.text(), st.booleans()), max_size=8), st.randoms())
def test_the_order_of_fields_changes_nothing(fields: dict[str, object], random: Random) -> None:
    """Fields are sorted by name."""
    names = list(fields)
    random.shuffle(names)
    assert canonical_bytes({name: fields[name] for name in names}) == canonical_bytes(fields)


@pytest.mark.parametrize("texts", [("1.50", "1.5", "1.500"), ("0", "0.00", "-0.0"), ("1E+2", "100", "100.00")])
def test_one_amount_has_one_text(texts: tuple[str, ...]) -> None:
    """Trailing zeros, signs of zero and exponents are notation, not meaning."""
    assert len({decimal_text(Decimal(text)) for text in texts}) == 1
    assert len({content_hash({"amount": Decimal(text)}) for text in texts}) == 1


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity"])
def test_a_number_that_is_none_has_no_text(text: str) -> None:
    """Nothing that cannot be an amount is ever hashed."""
    with pytest.raises(ValueError, match="finite"):
        decimal_text(Decimal(text))


@given(st.integers(-(10**15), 10**16), st.integers(-12 * 60, 14 * 60))
def test_one_instant_has_one_text_in_every_zone(micros: int, offset_minutes: int) -> None:
    """An instant is UTC microseconds, whatever the clock it was read from."""
    instant = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)
    elsewhere = instant.astimezone(timezone(timedelta(minutes=offset_minutes)))
    assert canonical_bytes({"at": elsewhere}) == canonical_bytes({"at": instant})
    assert instant_micros(elsewhere) == micros


def test_a_naive_time_is_our_mistake() -> None:
    """Without a zone nobody knows which instant is meant."""
    with pytest.raises(AssertionError):
        instant_micros(NOON.replace(tzinfo=None))


def test_absent_fields_are_left_out_and_the_text_is_readable() -> None:
    """A field that says nothing is not there; the rest is sorted JSON in UTF-8."""
    said = {"b": date(2026, 10, 1), "a": "ü", "list": [Decimal("1.0"), None], "kind": DocumentKind.INVOICE}
    fields = {**said, "none": None}
    assert canonical_bytes(fields).decode() == '{"a":"ü","b":"2026-10-01","kind":"invoice","list":["1",null]}'


def test_what_has_no_canonical_form_is_refused() -> None:
    """Binary floating point and unordered sets never get into an id."""
    for value in (1.5, {1, 2}, object()):
        with pytest.raises(TypeError):
            canonical_bytes({"value": value})


_TEXTS = st.text() | st.lists(st.text(), max_size=3).map(tuple) | st.dictionaries(st.text(), st.text(), max_size=3)


@given(st.dictionaries(st.text(), _TEXTS, max_size=6))
@example(
    {"z": 'quote " and \\', "a": "line\nend", "ü": "\u2028 \x1f\x7f", "b": ("\b\f", "/"), "c": {"é": "\U0001f600"}}
)
def test_texts_alone_take_no_other_way(texts: dict[str, object]) -> None:
    """The short way for fields that are all text gives the same bytes as the long one, which an absent field takes."""
    assert canonical_bytes(texts) == canonical_bytes({**texts, "absent": None})


@given(st.text(), st.text())
def test_kinds_keep_ids_apart(one: str, other: str) -> None:
    """The same fields under another kind are another id."""
    assert (deterministic_id(one, {"a": 1}) == deterministic_id(other, {"a": 1})) == (one == other)


class Line(Value):
    """A part of a body, as it was released."""

    amount: DecimalText
    text: str = ""


class NewerLine(Line):
    """The same part some versions later."""

    colour: str = ""


class Body(Record):
    """A body, as it was released."""

    schema_id: ClassVar[int] = 1
    schema_name: ClassVar[str] = "body"

    lines: tuple[Line, ...]


class NewerBody(Body):
    """The same body some versions later."""

    lines: tuple[NewerLine, ...]
    note: str = ""
    terms: tuple[str, ...] = ()
    discount: DecimalText = Decimal(0)


def test_a_new_optional_field_changes_no_hash() -> None:
    """A body of an older version hashes the same when newer code reads it, new fields inside its parts included."""
    envelope = Envelope(event_id="1", tenant="t", book="b", origin="o", recorded_at=NOON, producer="p")
    old = Body(envelope=envelope, lines=(Line(amount=Decimal("1.50"), text="x"), Line(amount=Decimal("2"))))
    new = NewerBody.model_validate(old.model_dump())
    assert content_hash(named_fields(new)) == content_hash(named_fields(old))
    told = new.model_copy(update={"note": "said"})
    assert content_hash(named_fields(told)) != content_hash(named_fields(old))


def test_the_notation_of_a_decimal_changes_no_hash_of_a_body() -> None:
    """1.50 and 1.5 are one amount in the hash that an approval names."""
    hashes = {content_hash(named_fields(Line(amount=Decimal(text)))) for text in ("1.50", "1.5")}
    assert len(hashes) == 1


def test_the_id_of_a_document_does_not_hang_on_defaults() -> None:
    """Stating the default kind or leaving it out is the same scope; this id is written down in every journal."""
    scope = DocumentScope(
        client_id="acme", contract_id="acme-2026", date_from=date(2026, 10, 1), date_to=date(2026, 11, 1)
    )
    said = scope.model_copy(update={"kind": DocumentKind.INVOICE})
    assert document_id_of("firm", "main", said, 1) == document_id_of("firm", "main", scope, 1)
    assert document_id_of("firm", "main", scope, 1) == "6f2591fbbb94180f5e0b32b86dbb8f79"


def test_content_tells_silence_from_no_and_nothing_from_zero() -> None:
    """ "Not billable" is an edit of an entry that did not say; a price of 0 is an edit of one that had none."""
    silent = {"description": "call"}
    hashes = [
        content_of({**silent, **more})
        for more in ({"billable_hint": None}, {"billable_hint": False}, {"billable_hint": True}, {"amount": Decimal(0)})
    ]
    assert len(set(hashes)) == len(hashes)
    empty = {"tags": (), "worked_seconds": 0, "running": False, "amount": None, "attributes": {}, "zone": ""}
    assert content_of({**silent, **empty}) == content_of(silent)


def test_content_is_only_what_a_version_says() -> None:
    """When it was seen, under which revision and in which import are about the version, not in it."""
    about = {"source_revision": 7, "observed_at": NOON, "import_id": "i", "mapping_version": 3, "deletion": "reported"}
    assert content_of({"description": "call", **about}) == content_of({"description": "call"})


class Everything(Value):
    """A part with a member of each kind that a body has, each also left out."""

    word: str
    note: str = ""
    size: int = 0
    sign: bool = False
    amount: DecimalText = Decimal(0)
    day: LocalDate | None = None
    at: Instant | None = None
    kind: DocumentKind = DocumentKind.INVOICE
    line: Line | None = None
    lines: tuple[Line, ...] = ()
    words: tuple[str, ...] = ("one",)
    named: dict[str, str] = Field(default_factory=dict)


_FIRST, _LAST = FIRST_INSTANT.replace(tzinfo=None), END_INSTANT.replace(tzinfo=None) - timedelta(microseconds=1)
_LINES = st.builds(Line, amount=st.decimals(-1000, 1000, places=3), text=st.text())


@given(
    st.builds(
        Everything,
        word=st.text(),
        note=st.text(),
        size=st.integers(),
        sign=st.booleans(),
        amount=st.decimals(-1000, 1000, places=4),
        day=st.none() | st.dates(date(1900, 1, 1), date(2999, 12, 31)),
        at=st.none() | st.datetimes(_FIRST, _LAST, timezones=st.just(UTC)),
        kind=st.sampled_from(DocumentKind),
        line=st.none() | _LINES,
        lines=st.lists(_LINES, max_size=3).map(tuple),
        words=st.lists(st.text(), max_size=3).map(tuple),
        named=st.dictionaries(st.text(), st.text(), max_size=2),
    )
)
def test_the_text_of_a_value_is_that_of_its_named_fields(value: Everything) -> None:
    """The quick way from a body to its hash gives the bytes of the slow one."""
    assert canonical_text(value).encode() == canonical_bytes(named_fields(value))
