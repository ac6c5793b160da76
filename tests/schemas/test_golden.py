"""Golden bytes: what was written once is read for ever, and what is written today is what was written before."""

from collections.abc import Mapping

from schemas.codec import decode, encode
from schemas.generate import FOLDER
from schemas.records import ALL
from schemas.values import Record, named_fields


def test_every_released_schema_has_golden_bytes(golden_bytes: Mapping[str, bytes]) -> None:
    """A schema is released together with an example; none is ever taken away."""
    stems = [file.stem for file in FOLDER.joinpath("released").glob("*.avsc")]
    assert sorted(golden_bytes) == sorted(stems)


def test_golden_bytes_are_read(golden_bytes: Mapping[str, bytes], golden_records: Mapping[str, Record]) -> None:
    """Bytes of any released schema decode to the record that their text says."""
    for stem, value in golden_bytes.items():
        assert decode(value) == golden_records[stem], stem


def test_golden_records_are_written_byte_for_byte(
    golden_bytes: Mapping[str, bytes], golden_records: Mapping[str, Record]
) -> None:
    """The current writer of a record makes the very bytes of its golden file, so that a repeat is the same record."""
    for model in ALL:
        stem = f"{model.schema_id}-{model.schema_name}"
        assert encode(golden_records[stem]) == golden_bytes[stem], stem


def test_the_examples_leave_nothing_out(golden_records: Mapping[str, Record]) -> None:
    """A golden record sets every field of its model that is not at its default by nature, or the bytes prove little.

    Records of an older schema lack what came after it.
    """
    for stem, record in golden_records.items():
        if not stem.startswith(f"{record.schema_id}-"):
            continue
        left_out = set(type(record).model_fields) - set(named_fields(record))
        assert left_out == set(), stem
