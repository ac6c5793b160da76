"""What tests of connectors share: a stamp, files from text, and an import from preview to records."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.base import Stamp
from connectors.tables import ImportOptions, Preview, preview_file, read_file
from connectors.testing import check_import
from schemas.entry import EntryVersion
from schemas.inputs import ImportCompleted

BERLIN = ImportOptions(zone="Europe/Berlin")
Written = Callable[[str | bytes], Path]
Imported = Callable[..., tuple[list[EntryVersion], ImportCompleted]]
Previewed = Callable[..., Preview]


@pytest.fixture
def stamp() -> Stamp:
    """Who observes when."""
    return Stamp(tenant="firm", book="main", observed_at=datetime(2026, 11, 1, 12, tzinfo=UTC))


@pytest.fixture
def written(tmp_path: Path) -> Written:
    """A file with this content; each call overwrites it, as a new export does."""

    def write(content: str | bytes) -> Path:
        path = tmp_path / "export.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


@pytest.fixture
def previewed(written: Written) -> Previewed:
    """The preview of a file with this content."""

    def preview(content: str | bytes, options: ImportOptions = BERLIN) -> Preview:
        return preview_file(written(content), options)

    return preview


@pytest.fixture
def imported(previewed: Previewed, stamp: Stamp) -> Imported:
    """The entries of a file with this content and the completed import."""

    def read(content: str | bytes, options: ImportOptions = BERLIN) -> tuple[list[EntryVersion], ImportCompleted]:
        records = list(read_file(previewed(content, options), stamp))
        check_import(records)
        entries = [record for record in records if isinstance(record, EntryVersion)]
        last = records[-1]
        assert isinstance(last, ImportCompleted)
        return entries, last

    return read
