"""What every connector must keep, as checks for its tests; each raises AssertionError that says what was broken."""

from collections.abc import Iterable, Sequence

from connectors.base import Connector, Cursor, InputRecord, Page
from schemas.codec import decode, encode
from schemas.entry import EntryVersion, content_of, entry_id_of
from schemas.inputs import ImportCompleted


def check_records(records: Sequence[InputRecord]) -> None:
    """Ids and hashes are those of schemas, event ids are unique, and every record survives the wire."""
    seen: set[str] = set()
    for record in records:
        envelope = record.envelope
        assert envelope.event_id not in seen, f"two records have the event id {envelope.event_id}"
        seen.add(envelope.event_id)
        assert decode(encode(record)) == record, f"{envelope.event_id} is another record after the wire"
        if isinstance(record, EntryVersion):
            _check_entry(record)


def _check_entry(entry: EntryVersion) -> None:
    envelope = entry.envelope
    expected = entry_id_of(envelope.tenant, envelope.book, entry.source, entry.account, entry.source_entry_id)
    assert entry.entry_id == expected, f"{entry.source_entry_id} has an entry id of its own making"
    said = {name: getattr(entry, name) for name in EntryVersion.model_fields}
    assert entry.content == content_of(said), f"{entry.source_entry_id} has a content hash of its own making"


def check_same_again(first: Iterable[InputRecord], second: Iterable[InputRecord]) -> None:
    """Reading the same thing again gives the same records, so that a repeat is nothing new."""
    assert list(first) == list(second), "the same input was read differently the second time"


def check_import(records: Sequence[InputRecord]) -> None:
    """An import ends with its completion, and its counts add up to the rows that were published."""
    check_records(records)
    *entries, last = records
    assert isinstance(last, ImportCompleted), "an import ends with ImportCompleted"
    assert all(isinstance(entry, EntryVersion) for entry in entries), "rows of an import are entry versions"
    assert last.accepted == len(entries), "every accepted row is published once"
    assert last.rows == last.accepted + last.refused + last.asked, "every row is accepted, refused or asked about"


async def check_resume(connector: Connector) -> None:
    """Reading from the cursor of any page gives exactly the pages after it: a crash repeats at most one page."""
    pages = await _pages(connector, Cursor())
    for number, page in enumerate(pages, start=1):
        rest = await _pages(connector, page.cursor)
        ids = {record.envelope.event_id for later in rest for record in later.records}
        wanted = {record.envelope.event_id for later in pages[number:] for record in later.records}
        assert wanted <= ids, f"records after page {number} are lost when it is resumed"


async def _pages(connector: Connector, cursor: Cursor) -> list[Page]:
    return [page async for page in connector.read(cursor)]
