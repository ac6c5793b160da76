"""The end of an import: what its scope holds in our rows and the import did not bring is proposed as deleted (BD-66,
rule 5).
"""

from datetime import date

import msgspec

from books.book import Book
from books.catalog import Catalog
from books.effects import Cause, Effects
from books.entries import BY_ACCOUNT, change
from books.rows import EntryRow
from schemas.canonical import instant_micros
from schemas.directory import reference_key
from schemas.inputs import ImportCompleted


def apply_import(book: Book, catalog: Catalog, done: ImportCompleted, cause: Cause, effects: Effects) -> int:
    """Propose deletions for an import's scope; returns how many.

    An import that refused or asked about rows proposes none: what it lacks may be among those.
    """
    if done.refused or done.asked:
        return 0
    people = {reference_key(person) for person in done.people}
    observed = instant_micros(done.observed_at)
    missing = [
        row
        for row in _in_scope(book, done.source, done.account, done.date_from, done.date_to)
        if row.import_id != done.import_id
        and max(row.observed_micros, row.import_micros) <= observed
        and not row.deletion_proposed
        and reference_key(row.person_ref) in people
    ]
    for row in missing:
        change(book, catalog, row, msgspec.structs.replace(row, deletion_proposed=done.import_id), cause, effects)
    return len(missing)


def _in_scope(book: Book, source: str, account: str, first: date, last: date) -> list[EntryRow]:
    ids = list(book.marked_between((BY_ACCOUNT, source, account), first.isoformat(), last.isoformat()))
    rows = (book.get(EntryRow, entry_id) for entry_id in ids)
    return [row for row in rows if row is not None]
