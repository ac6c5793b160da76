"""Files of records: what goes in comes out, and a file that is not whole says so."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.errors import Misconfigured
from runtime.kafka.segments import KeptRecord, SegmentWriter, measure, packed, read_segment, unpacked

maybe_bytes = st.none() | st.binary(max_size=40)
records = st.builds(
    KeptRecord,
    offset=st.integers(0, 2**62),
    timestamp_milliseconds=st.integers(-1, 2**62),
    key=maybe_bytes,
    value=maybe_bytes,
    headers=st.lists(st.tuples(st.text(max_size=10), maybe_bytes), max_size=3).map(tuple),
)


@given(st.lists(records, max_size=5))
def test_records_come_back_as_they_were(kept: list[KeptRecord]) -> None:
    """Nothing is not the same as empty, for keys, values and headers."""
    assert list(unpacked(b"".join(map(packed, kept)))) == kept


def test_a_file_of_many_blocks_comes_back(tmp_path: Path) -> None:
    """Order is kept over blocks; the seal says what lies on the disk."""
    kept = [KeptRecord(number, number, b"%d" % number, bytes(range(256)) * 40, ()) for number in range(400)]
    writer = SegmentWriter(tmp_path / "a.records")
    writer.write(kept)
    sealed = writer.seal()
    blocks = list(read_segment(tmp_path / "a.records"))
    assert len(blocks) > 1
    assert [record for block in blocks for record in block] == kept
    assert (sealed.records, (sealed.size_bytes, sealed.digest)) == (400, measure(tmp_path / "a.records"))


def test_a_file_that_was_not_sealed_leaves_nothing(tmp_path: Path) -> None:
    """An interrupted call leaves no half file that could be taken for a whole one."""
    writer = SegmentWriter(tmp_path / "a.records")
    writer.write([KeptRecord(0, 0, None, b"x")])
    writer.discard()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("cut", [1, 5, 30])
def test_a_file_that_was_cut_is_refused(tmp_path: Path, cut: int) -> None:
    """Wherever it ends: in the form, in a length, in a block."""
    writer = SegmentWriter(tmp_path / "a.records")
    writer.write([KeptRecord(0, 0, None, b"some value")])
    writer.seal()
    content = (tmp_path / "a.records").read_bytes()
    (tmp_path / "a.records").write_bytes(content[:-cut])
    with pytest.raises(Misconfigured, match="no whole file"):
        list(read_segment(tmp_path / "a.records"))


def test_a_foreign_file_is_refused(tmp_path: Path) -> None:
    """Neither rubbish nor a block that unpacks to more than any block may hold is read on."""
    (tmp_path / "a.records").write_bytes(b"PK\x03\x04 something else")
    with pytest.raises(Misconfigured, match="begin"):
        list(read_segment(tmp_path / "a.records"))
