"""The golden records: one hand-written example of each record that was ever released, as text and as bytes."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from schemas.records import ALL
from schemas.values import Record


@pytest.fixture(scope="session")
def golden_bytes(repository_root: Path) -> Mapping[str, bytes]:
    """`1001-entry_version` -> the framed bytes that a released version wrote."""
    return {file.stem: file.read_bytes() for file in sorted((repository_root / "tests/golden/records").glob("*.bin"))}


@pytest.fixture(scope="session")
def golden_records(repository_root: Path, golden_bytes: Mapping[str, bytes]) -> Mapping[str, Record]:
    """The same examples, read from their JSON text as the models of today."""
    models = {model.schema_name: model for model in ALL}
    folder = repository_root / "tests/golden/records"
    return {
        stem: models[stem.split("-", 1)[1]].model_validate_json((folder / f"{stem}.json").read_text(encoding="utf-8"))
        for stem in golden_bytes
    }
