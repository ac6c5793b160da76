"""The directory made ready for billing: roles and default rates by date, names, parties of a document."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from schemas.dated import DatedRate, DatedRow
from schemas.directory import Client, DirectoryDocument, Person, Project


@dataclass(frozen=True, slots=True, eq=False)
class Directory:
    """Look-ups by id. Two are the same only if they are one object, so it can be a key of what is derived.

    `projects_of` has the projects of a client, `changes_of` the dates at which roles or rates of a person change.
    """

    document: DirectoryDocument
    people: Mapping[str, Person]
    clients: Mapping[str, Client]
    projects: Mapping[str, Project]
    projects_of: Mapping[str, tuple[Project, ...]]
    changes_of: Mapping[str, tuple[date, ...]]

    def role_on(self, person_id: str, day: date) -> str:
        """The role of a person on a local date; empty when the person is unknown or has none then (BD-15)."""
        person = self.people.get(person_id)
        if person is None:
            return ""
        return next((row.role for row in person.roles if row.covers(day)), "")

    def default_rate_on(self, person_id: str, day: date) -> DatedRate | None:
        """The person's default rate valid on a local date."""
        person = self.people.get(person_id)
        return None if person is None else next((row for row in person.rates if row.covers(day)), None)

    def person_name(self, person_id: str) -> str:
        """The name of a person as a document shows it; the id when the directory does not know it."""
        person = self.people.get(person_id)
        return person_id if person is None else person.name

    def project_name(self, project_id: str) -> str:
        """The name of a project as a document shows it; the id when the directory does not know it."""
        project = self.projects.get(project_id)
        return project_id if project is None else project.name

    def client_name(self, client_id: str) -> str:
        """The name of a client; the id when the directory does not know it."""
        client = self.clients.get(client_id)
        return client_id if client is None else client.name


def compile_directory(document: DirectoryDocument) -> Directory:
    """Prepare a validated directory; the caller keeps the result for as long as the revision counts."""
    projects_of: dict[str, list[Project]] = {}
    for project in document.projects:
        projects_of.setdefault(project.client, []).append(project)
    return Directory(
        document=document,
        people={person.id: person for person in document.people},
        clients={client.id: client for client in document.clients},
        projects={project.id: project for project in document.projects},
        projects_of={client: tuple(found) for client, found in projects_of.items()},
        changes_of={person.id: _changes(person) for person in document.people},
    )


def _changes(person: Person) -> tuple[date, ...]:
    rows: list[DatedRow] = [*person.roles, *person.rates]
    return tuple(sorted({bound for row in rows for bound in (row.date_from, row.date_to) if bound is not None}))
