"""Faults of stock Faust that need no broker to be seen. Each test fails once Faust mends that fault: then its remedy,
named in docs/engine.md, can go.
"""

from collections import defaultdict
from datetime import UTC, datetime, timedelta

import faust
import pytest
from faust.transport.drivers.aiokafka import Consumer
from faust.types import TP
from faust.windows import TumblingWindow

PLACE = TP("time-entries", 0)


class Offsets:
    """What a consumer knows of a partition: the group's offset, and what was acknowledged."""

    def __init__(self, committed: int | None, acknowledged: list[int]) -> None:
        self._committed_offset = {PLACE: committed}
        self._acked = {PLACE: list(acknowledged)}
        self._acked_index = {PLACE: set(acknowledged)}
        self._gap: dict[TP, list[int]] = defaultdict(list)


@pytest.mark.parametrize(("committed", "acknowledged", "next_offset"), [(100, [101, 102], 103), (None, [5, 6], 7)])
def test_a_commit_jumps_over_a_record_in_hand(committed: int | None, acknowledged: list[int], next_offset: int) -> None:
    """Record 100, and records 0 to 4, are still in hand, and the offset to be committed is behind them. So no agent may
    have two records in hand, nor go on after one that failed.
    """
    assert Consumer._new_offset(Offsets(committed, acknowledged), PLACE) == next_offset


async def test_its_producer_is_not_idempotent() -> None:
    """A request that is sent again may be written twice, or behind the next one."""
    assert not faust.App("stock", broker="kafka://127.0.0.1:1").producer._settings_extra().get("enable_idempotence")


def test_its_week_begins_on_thursday() -> None:
    """Windows of seven days are counted from 1970-01-01, in no zone of anybody: no week of a contract."""
    monday = datetime(2026, 11, 16, tzinfo=UTC)
    begin, _ = TumblingWindow(timedelta(days=7).total_seconds()).ranges(monday.timestamp())[0]
    assert datetime.fromtimestamp(begin, UTC).strftime("%A %Y-%m-%d") == "Thursday 2026-11-12"
