"""Applies revisions of the directory and of contracts: what they change is settled again at once (BD-15: the open
period re-rates).
"""

from pydantic import ValidationError

from books.book import Book
from books.catalog import DIRECTORY, Catalog, agreement_of, people_of
from books.counting import look_again
from books.effects import Cause, Effects
from books.entries import change
from books.resolving import resolve
from books.rows import EntryRow, RevisionRow, RevisionTextRow
from books.settled import is_credited_at_once, mark_changed, settled_rows
from books.versions import is_deleted
from schemas.inputs import ContractRevision, DirectoryRevision


def usable(revision: DirectoryRevision | ContractRevision, cause: Cause, effects: Effects) -> bool:
    """Whether a revision's document is one of today's language; if not, what is in force stays in force."""
    try:
        if isinstance(revision, DirectoryRevision):
            people_of(revision.revision_hash, revision.document)
            return True
        agreement = agreement_of(revision.revision_hash, revision.document)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        effects.unapplied.append((cause.offset, "revision_invalid", f"{first['loc']}: {first['msg']}"))
        return False
    if (agreement.contract_id, agreement.client_id) != (revision.contract_id, revision.client_id):
        effects.unapplied.append((cause.offset, "revision_mislabelled", "the document is another contract's"))
        return False
    return True


def keeps_currency(catalog: Catalog, revision: ContractRevision, cause: Cause, effects: Effects) -> bool:
    """Whether a revision leaves the currency of a billed contract as it is: what stands could not be set against it."""
    before = catalog.agreements.get(revision.contract_id)
    if before is None or revision.contract_id not in catalog.settled_until:
        return True
    wanted = agreement_of(revision.revision_hash, revision.document).document.currency
    if wanted == before.document.currency:
        return True
    detail = f"{revision.contract_id} is billed in {before.document.currency} and cannot become {wanted}"
    effects.unapplied.append((cause.offset, "currency_changed", detail))
    return False


def apply_directory(book: Book, revision: DirectoryRevision, cause: Cause, effects: Effects) -> Catalog:
    """Put a directory in force; every entry is resolved anew. Returns the new catalog."""
    book.put(revision.revision_hash, RevisionTextRow(document=revision.document))
    book.put(DIRECTORY, RevisionRow(revision_hash=revision.revision_hash, client_id=""))
    catalog = Catalog(book)
    settle_again(book, catalog, None, cause, effects)
    for contract_id in catalog.settled_until:
        _look_at_settled(book, catalog, contract_id)
    return catalog


def apply_contract(book: Book, revision: ContractRevision, cause: Cause, effects: Effects) -> Catalog:
    """Put a contract in force; the entries of its client are settled anew, its cap windows judged by the new limits."""
    before = book.get(RevisionRow, revision.contract_id)
    book.put(revision.revision_hash, RevisionTextRow(document=revision.document))
    book.put(revision.contract_id, RevisionRow(revision_hash=revision.revision_hash, client_id=revision.client_id))
    catalog = Catalog(book)
    if before is None or before.revision_hash != revision.revision_hash:
        look_again(book, revision.contract_id, effects)
    clients = {revision.client_id} | ({before.client_id} if before is not None else set())
    settle_again(book, catalog, clients, cause, effects)
    _look_at_settled(book, catalog, revision.contract_id)
    return catalog


def _look_at_settled(book: Book, catalog: Catalog, contract_id: str) -> None:
    """Where a credit does not wait for the next close, the next tick sees whether the revision makes one."""
    if is_credited_at_once(catalog, contract_id):
        for row in list(settled_rows(book, contract_id)):
            mark_changed(book, catalog, row)


def settle_again(book: Book, catalog: Catalog, clients: set[str] | None, cause: Cause, effects: Effects) -> None:
    """Resolve and count all entries anew, those of some clients or of all."""
    for _, row in list(book.scan(EntryRow)):
        if is_deleted(row):
            continue
        if clients is None or row.client_id in clients or resolve(row, catalog).client_id in clients:
            fresh = book.get(EntryRow, row.entry_id)
            assert fresh is not None, "an entry does not vanish"
            change(book, catalog, fresh, fresh, cause, effects)
