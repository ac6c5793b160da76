"""Desks of deliveries, and no failpoint that stays armed behind a test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime import failpoints
from sinks.json_file import JsonFileSettings, JsonFileSink
from sinks.ledes_1998b import Ledes1998bSettings, Ledes1998bSink
from tests.streams.agents.desk import Desk, UnreliableSink


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path, UnreliableSink(JsonFileSink(JsonFileSettings(folder=tmp_path))))


@pytest.fixture
def ledes(tmp_path: Path) -> Desk:
    return Desk(tmp_path, UnreliableSink(Ledes1998bSink(Ledes1998bSettings(folder=tmp_path))))


@pytest.fixture(autouse=True)
def _disarmed() -> Iterator[None]:
    yield
    failpoints.arm("")
