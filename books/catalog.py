"""The directory and the contracts that are in force in a book, compiled once per revision and looked up by entries."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from billing.contract import Contract, compile_contract
from billing.directory import Directory, compile_directory
from books.book import Book
from books.duplicates import UNASSIGNED
from books.rows import RevisionRow, RevisionTextRow, SettledUntilRow
from schemas.canonical import canonical_bytes, content_hash
from schemas.contract import ContractDocument
from schemas.directory import DirectoryDocument, NameIndex, name_index

DIRECTORY = "*directory"
NO_DIRECTORY = ""
_COMPILED_MAX = 512
_NAMES_MAX = 50_000


@dataclass(frozen=True, slots=True)
class Agreement:
    """A contract in force: its document, what billing made of it, and its facts for deciders."""

    contract_id: str
    client_id: str
    revision: str
    document: ContractDocument
    compiled: Contract
    facts: str
    facts_hash: str


@dataclass(frozen=True, slots=True)
class People:
    """A directory in force."""

    revision: str
    document: DirectoryDocument
    compiled: Directory
    names: NameIndex


@lru_cache(maxsize=_COMPILED_MAX)
def agreement_of(revision: str, text: str) -> Agreement:
    """Compile a contract's document; `revision` is its hash."""
    document = ContractDocument.model_validate_json(text)
    facts = {"decide": document.decide.model_dump(mode="json"), "matter": _matter(document)}
    return Agreement(
        contract_id=document.id,
        client_id=document.client,
        revision=revision,
        document=document,
        compiled=compile_contract(document),
        facts=canonical_bytes(facts).decode(),
        facts_hash=content_hash(facts),
    )


def _matter(document: ContractDocument) -> Mapping[str, object] | None:
    return None if document.matter is None else document.matter.model_dump(mode="json")


@lru_cache(maxsize=_COMPILED_MAX)
def people_of(revision: str, text: str) -> People:
    """Compile a directory's document; `revision` is its hash."""
    document = DirectoryDocument.model_validate_json(text)
    return People(revision, document, compile_directory(document), name_index(document))


class Catalog:
    """What is in force in a book now; made anew whenever a revision was applied."""

    def __init__(self, book: Book) -> None:
        self.people = _people(book)
        self.agreements: dict[str, Agreement] = {}
        self.settled_until: dict[str, str] = {key: row.until for key, row in book.scan(SettledUntilRow)}
        self._names: dict[tuple[str, str, str, str], tuple[str, str, str]] = {}
        self._by_client: dict[str, list[Agreement]] = {}
        for key, row in book.scan(RevisionRow):
            if key != DIRECTORY:
                agreement = read_agreement(book, row.revision_hash)
                self.agreements[key] = agreement
                self._by_client.setdefault(agreement.client_id, []).append(agreement)

    def ids_of(self, source: str, person_ref: str, client_ref: str, project_ref: str) -> tuple[str, str, str]:
        """(client, person, project) that a source's names mean, empty for unknown ones; remembered."""
        key = (source, person_ref, client_ref, project_ref)
        found = self._names.get(key)
        if found is None:
            if len(self._names) >= _NAMES_MAX:
                self._names.clear()
            found = self._names[key] = self._look_up(*key)
        return found

    def _look_up(self, source: str, person_ref: str, client_ref: str, project_ref: str) -> tuple[str, str, str]:
        if self.people is None:
            return "", "", ""
        names = self.people.names
        client_id = names.client(client_ref, source) or ""
        project_id = names.project(project_ref, source, client_id) or ""
        if not client_id and not client_ref and project_id:
            client_id = names.client_of_project[project_id]
        return client_id, names.person(person_ref, source) or "", project_id

    def agreement_for(self, client_id: str, project_id: str, day: date) -> Agreement | None:
        """The contract for a client's work on a local date: that of the project if there is one, else the general
        one.
        """
        if client_id == UNASSIGNED:
            return None
        valid = [one for one in self._by_client.get(client_id, ()) if one.document.covers(day)]
        for project in (project_id, ""):
            for one in valid:
                if one.document.project == project:
                    return one
        return None

    def any_of(self, client_id: str, project_id: str) -> Agreement | None:
        """A contract of the client whatever its dates, to know the zone in which a local date is to be found."""
        found = self._by_client.get(client_id, ())
        return next((one for one in found if one.document.project == project_id), found[0] if found else None)


def read_agreement(book: Book, revision: str) -> Agreement:
    """The contract of a revision; every revision's text is kept."""
    row = book.get(RevisionTextRow, revision)
    assert row is not None, f"no text of contract revision {revision}"
    return agreement_of(revision, row.document)


def read_people(book: Book, revision: str) -> People | None:
    """The directory of a revision, None for the time before there was one."""
    if revision == NO_DIRECTORY:
        return None
    row = book.get(RevisionTextRow, revision)
    assert row is not None, f"no text of directory revision {revision}"
    return people_of(revision, row.document)


def _people(book: Book) -> People | None:
    row = book.get(RevisionRow, DIRECTORY)
    return None if row is None else read_people(book, row.revision_hash)
