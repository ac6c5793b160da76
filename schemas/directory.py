"""The directory: firm, clients, projects and people as one document, with names at sources, dated roles and rates."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from pydantic import Field, model_validator

from schemas.dated import Currency, DatedRate, DatedRow, Identifier, RoleRate, ZoneName, refuse_overlaps
from schemas.values import Value


class SourceNames(Value):
    """How sources call a thing: `names` at any source, `names_at` only at the named one, which goes first."""

    names: tuple[str, ...] = ()
    names_at: Mapping[str, tuple[str, ...]] = {}


class InvoiceNumbers(Value):
    """The series of invoice numbers: `prefix`, then a counter from `first` on with at least `digits` digits (BD-71)."""

    prefix: str = Field(default="", max_length=10)
    first: int = Field(default=1, ge=0)
    digits: int = Field(default=4, ge=1, le=10)


class Firm(Value):
    """Who bills. `rates` is the rate card: a role on a service item goes before the role alone.

    Invoices and credit notes are numbered in series of their own.
    """

    name: str = Field(min_length=1)
    address: tuple[str, ...] = ()
    tax_id: str = ""
    ledes_id: str = ""
    zone: ZoneName
    currency: Currency
    rates: tuple[RoleRate, ...] = ()
    invoice_numbers: InvoiceNumbers = InvoiceNumbers()
    credit_note_numbers: InvoiceNumbers = InvoiceNumbers(prefix="CN-")

    @model_validator(mode="after")
    def _one_rate_per_date(self) -> Self:
        refuse_overlaps(self.rates, lambda row: (row.role, row.service_item), "rate card")
        return self


class Client(SourceNames):
    """Who is billed; which contracts a client has, the contracts say."""

    id: Identifier
    name: str = Field(min_length=1)
    address: tuple[str, ...] = ()
    tax_id: str = ""
    ledes_id: str = ""
    rates: tuple[DatedRate, ...] = ()

    @model_validator(mode="after")
    def _one_rate_per_date(self) -> Self:
        refuse_overlaps(self.rates, lambda _: (self.id,), "client rate")
        return self


class Project(SourceNames):
    """A project or matter of a client."""

    id: Identifier
    client: Identifier
    name: str = Field(min_length=1)
    rates: tuple[DatedRate, ...] = ()
    tags: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _one_rate_per_date(self) -> Self:
        refuse_overlaps(self.rates, lambda _: (self.id,), "project rate")
        return self


class DatedRole(DatedRow):
    """The role a person has on `[from, to)` (BD-15)."""

    role: str = Field(min_length=1)


class Person(SourceNames):
    """Somebody who works; `emails` name the person at sources as `names` do."""

    id: Identifier
    name: str = Field(min_length=1)
    emails: tuple[str, ...] = ()
    initials: str = ""
    timekeeper_id: str = ""
    ledes_classification: str = ""
    roles: tuple[DatedRole, ...] = ()
    rates: tuple[DatedRate, ...] = ()

    @model_validator(mode="after")
    def _one_row_per_date(self) -> Self:
        refuse_overlaps(self.roles, lambda _: (self.id,), "role")
        refuse_overlaps(self.rates, lambda _: (self.id,), "default rate")
        return self


class DirectoryDocument(Value):
    """Everybody and everything a book knows by name."""

    firm: Firm
    clients: tuple[Client, ...] = ()
    projects: tuple[Project, ...] = ()
    people: tuple[Person, ...] = ()

    @model_validator(mode="after")
    def _ids_are_clear(self) -> Self:
        _refuse_repeats("client", (client.id for client in self.clients))
        _refuse_repeats("project", (project.id for project in self.projects))
        _refuse_repeats("person", (person.id for person in self.people))
        known = {client.id for client in self.clients}
        for project in self.projects:
            if project.client not in known:
                raise ValueError(
                    f"project {project.id} names the client {project.client!r}, which is not in the directory"
                )
        return self


def _refuse_repeats(what: str, ids: Iterable[str]) -> None:
    seen: set[str] = set()
    for identifier in ids:
        if identifier in seen:
            raise ValueError(f"the {what} {identifier!r} stands in the directory twice")
        seen.add(identifier)


def reference_key(reference: str) -> str:
    """The form in which names are compared: trimmed, blanks as one, letters without case."""
    return " ".join(reference.split()).casefold()


@dataclass(frozen=True, slots=True)
class NameIndex:
    """Names at sources to ids. A name that fits two things resolves to none of them: nothing is guessed."""

    people: Mapping[tuple[str, str], frozenset[str]]
    clients: Mapping[tuple[str, str], frozenset[str]]
    projects: Mapping[tuple[str, str], frozenset[str]]
    client_of_project: Mapping[str, str]

    def person(self, reference: str, source: str = "") -> str | None:
        """The id of the person a source calls so (name or e-mail address), or None."""
        return _only(_found(self.people, reference, source))

    def client(self, reference: str, source: str = "") -> str | None:
        """The id of the client a source calls so, or None."""
        return _only(_found(self.clients, reference, source))

    def project(self, reference: str, source: str = "", client_id: str = "") -> str | None:
        """The id of the project a source calls so, among those of the client if one is given, or None."""
        found = _found(self.projects, reference, source)
        return _only(frozenset(one for one in found if not client_id or self.client_of_project[one] == client_id))


def _found(index: Mapping[tuple[str, str], frozenset[str]], reference: str, source: str) -> frozenset[str]:
    key = reference_key(reference)
    nothing: frozenset[str] = frozenset()
    if not key:
        return nothing
    return index.get((source, key), nothing) if source and (source, key) in index else index.get(("", key), nothing)


def _only(found: frozenset[str]) -> str | None:
    return next(iter(found)) if len(found) == 1 else None


def name_index(document: DirectoryDocument) -> NameIndex:
    """Prepare the look-ups of a directory; ids are names too."""
    people = [(one.id, one, (one.id, one.name, *one.names, *one.emails)) for one in document.people]
    clients = [(one.id, one, (one.id, one.name, *one.names)) for one in document.clients]
    projects = [(one.id, one, (one.id, one.name, *one.names)) for one in document.projects]
    return NameIndex(
        people=_index(people),
        clients=_index(clients),
        projects=_index(projects),
        client_of_project={project.id: project.client for project in document.projects},
    )


def _index(
    things: Iterable[tuple[str, SourceNames, tuple[str, ...]]],
) -> dict[tuple[str, str], frozenset[str]]:
    found: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for identifier, thing, names in things:
        for name in names:
            found[("", reference_key(name))].add(identifier)
        for source, own_names in thing.names_at.items():
            for name in own_names:
                found[(source, reference_key(name))].add(identifier)
    return {key: frozenset(ids) for key, ids in found.items() if key[1]}
