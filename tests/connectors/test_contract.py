"""The contract of connectors can be broken: each check finds the connector that breaks it."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime

import pytest

from connectors.base import CheckReport, ConnectorSpec, Cursor, Detects, EntryFields, EntryMaker, Page, Stamp
from connectors.testing import check_records, check_resume, check_same_again
from schemas.entry import EntryVersion
from schemas.values import Value

PAGES = 3
DAY = date(2026, 10, 5)


class NoSettings(Value):
    """A source without settings."""


class ListConnector:
    """A source of three pages; `step` is how far a cursor leads, 1 when it is right."""

    spec = ConnectorSpec(name="list", settings=NoSettings, detects=Detects(edits=True, deletions=False))

    def __init__(self, stamp: Stamp, step: int = 1) -> None:
        self._maker = EntryMaker(stamp, source="list", account="a", mapping_version=1, import_id="")
        self._step = step

    async def check(self) -> CheckReport:
        """Always fine."""
        return CheckReport()

    async def read(self, cursor: Cursor) -> AsyncIterator[Page]:
        """One entry on each page."""
        for number in range(int(cursor.text or 0), PAGES):
            yield Page(records=(self.entry(number),), cursor=Cursor(text=str(number + self._step)))

    def entry(self, number: int) -> EntryVersion:
        """The entry of a page."""
        return self._maker.make(EntryFields(str(number), work_date=DAY, person_ref="ann", worked_seconds=number))


async def test_a_cursor_leads_to_exactly_the_pages_after_it(stamp: Stamp) -> None:
    """A crash after any page loses nothing, and a cursor that leads too far is found."""
    await check_resume(ListConnector(stamp))
    with pytest.raises(AssertionError, match="lost"):
        await check_resume(ListConnector(stamp, step=2))


def test_a_record_with_an_id_of_its_own_making_is_found(stamp: Stamp) -> None:
    """Ids and hashes are made in one way only."""
    entry = ListConnector(stamp).entry(1)
    check_records([entry])
    for wrong in ({"entry_id": "0" * 32}, {"content": "0" * 64}, {"worked_seconds": 7}):
        with pytest.raises(AssertionError, match="own making"):
            check_records([entry.model_copy(update=wrong)])
    with pytest.raises(AssertionError, match="two records"):
        check_records([entry, entry])


def test_a_source_that_says_something_else_the_second_time_is_found(stamp: Stamp) -> None:
    """Reading again must be harmless."""
    later = stamp.model_copy(update={"observed_at": datetime(2027, 1, 1, tzinfo=UTC)})
    check_same_again([ListConnector(stamp).entry(1)], [ListConnector(stamp).entry(1)])
    with pytest.raises(AssertionError, match="differently"):
        check_same_again([ListConnector(stamp).entry(1)], [ListConnector(later).entry(1)])


def test_not_billable_and_free_of_charge_are_said_and_hashed(stamp: Stamp) -> None:
    """An edit from silence to "not billable" is a new version."""
    maker = EntryMaker(stamp, source="list", account="a", mapping_version=1, import_id="")
    silent = maker.make(EntryFields("1", work_date=DAY, worked_seconds=60))
    free = maker.make(EntryFields("1", work_date=DAY, worked_seconds=60, billable_hint=False))
    check_records([silent])
    check_records([free])
    assert silent.content != free.content
