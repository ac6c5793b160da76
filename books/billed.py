"""What of an entry's time stands on approved documents, and what that means for the next one: nothing is billed twice.

An entry that an approved document bills in full keeps its room in the caps and is never billed again. One that was
billed in part (the rest was carried, or lies in the next period) goes on as the rules say, as long as it is what it
was; once it changed, or moved to another contract or into this period, a person looks at it: that difference is an
adjustment.
"""

from dataclasses import dataclass

from billing.entries import Hold
from books.book import Book
from books.rows import BilledPart, BilledRow, EntryRow
from schemas.draft import DraftBody

CHANGED_AFTER_APPROVAL = "changed_after_approval"
WOULD_BILL_TWICE = "would_bill_twice"


@dataclass(frozen=True, slots=True)
class Standing:
    """What billing is told: a hold, or the document on which the whole entry stands; both empty for neither."""

    hold: Hold | None = None
    billed_on: str = ""


def pin(book: Book, document_id: str, contract_id: str, body: DraftBody) -> None:
    """Note for each entry on an approved document how many of its seconds stand there."""
    seconds: dict[str, int] = {}
    contents: dict[str, str] = {}
    for line in body.lines:
        for source in line.sources:
            seconds[source.entry_id] = seconds.get(source.entry_id, 0) + source.worked_seconds
            contents[source.entry_id] = source.content
    for entry_id, billed_seconds in sorted(seconds.items()):
        part = BilledPart(document_id, contract_id, contents[entry_id], billed_seconds)
        known = book.get(BilledRow, entry_id)
        book.put(entry_id, BilledRow(parts=(*(known.parts if known is not None else ()), part)))


def billed_elsewhere(book: Book, row: EntryRow, document_id: str) -> tuple[BilledPart, ...]:
    """What of the entry stands on approved documents other than this one."""
    found = book.get(BilledRow, row.entry_id)
    return () if found is None else tuple(part for part in found.parts if part.document_id != document_id)


def standing_of(row: EntryRow, parts: tuple[BilledPart, ...], *, in_period: bool) -> Standing:
    """How the billed parts of an entry bear on a document of its contract."""
    if not parts:
        return Standing()
    is_whole = sum(part.seconds for part in parts) >= row.worked_seconds
    is_changed = any(part.content != row.content for part in parts)
    is_foreign = any(part.contract_id != row.contract_id for part in parts)
    if in_period or is_foreign or (is_changed and not is_whole):
        return Standing(Hold(CHANGED_AFTER_APPROVAL, f"its time stands on document {parts[-1].document_id}"))
    return Standing(billed_on=parts[-1].document_id) if is_whole else Standing()


def billed_twice(body: DraftBody, entries: list[tuple[EntryRow, tuple[BilledPart, ...]]]) -> tuple[str, ...]:
    """Entries of which a draft would bill seconds that stand on another document already.

    It happens when what was carried is computed differently now, for example after an amendment of the contract.
    """
    billed = {
        row.entry_id: (row.worked_seconds, sum(part.seconds for part in parts)) for row, parts in entries if parts
    }
    here: dict[str, int] = {}
    for line in body.lines:
        for source in line.sources:
            here[source.entry_id] = here.get(source.entry_id, 0) + source.worked_seconds
    return tuple(
        entry_id for entry_id, (worked, before) in sorted(billed.items()) if before + here.get(entry_id, 0) > worked
    )
