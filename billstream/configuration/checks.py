"""What a model cannot see: references between files, contracts that overlap, names that fit two things."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pydantic import BaseModel

from billstream.configuration.problems import AMBIGUOUS, INVALID, nearest
from billstream.configuration.questions import open_questions
from schemas.contract import ContractDocument
from schemas.directory import DirectoryDocument, reference_key

Place = tuple[int | str, ...]


@dataclass(frozen=True)
class Finding:
    """A problem at a place inside a document."""

    place: Place
    message: str
    fix: str = ""
    code: str = INVALID


@dataclass(frozen=True)
class Known:
    """The ids and roles that contracts may name."""

    clients: frozenset[str]
    people: frozenset[str]
    roles: frozenset[str]
    projects: frozenset[str]


def known_of(directory: DirectoryDocument, client: str) -> Known:
    """What a contract of a client may name; a role counts when a person has it or the rate card names it."""
    held = {row.role for person in directory.people for row in person.roles}
    return Known(
        clients=frozenset(one.id for one in directory.clients),
        people=frozenset(one.id for one in directory.people),
        roles=frozenset(held | {row.role for row in directory.firm.rates}),
        projects=frozenset(one.id for one in directory.projects if one.client == client),
    )


def directory_findings(directory: DirectoryDocument) -> Iterator[Finding]:
    """Names that fit two clients or two people: neither would ever be found by them."""
    yield from _shared_names("clients", [(one.id, (one.id, one.name, *one.names)) for one in directory.clients])
    yield from _shared_names("people", [(one.id, (one.id, one.name, *one.names)) for one in directory.people])


def _shared_names(group: str, members: Sequence[tuple[str, tuple[str, ...]]]) -> Iterator[Finding]:
    owners: dict[str, str] = {}
    for index, (identifier, names) in enumerate(members):
        for name in names:
            owner = owners.setdefault(reference_key(name), identifier)
            if owner != identifier:
                yield Finding(
                    (group, index), f"the name '{name}' of {identifier} is also a name of {owner}", "take it from one"
                )


def contract_findings(
    contract: ContractDocument, directory: DirectoryDocument, sinks: frozenset[str] | None
) -> Iterator[Finding]:
    """Everything a contract names that the directory (or the settings) does not know."""
    for place, (question, answer) in open_questions(contract):
        yield Finding(place, question, answer, AMBIGUOUS)
    known = known_of(directory, contract.client)
    yield from _unknown(("client",), "client", contract.client, known.clients)
    if contract.client not in known.clients:
        return
    yield from _references(contract, (), known)
    if sinks is not None:
        for index, policy in enumerate(contract.delivery):
            yield from _unknown(("delivery", index, "sink"), "sink of billstream.yaml", policy.sink, sinks)


_NOT_REFERENCES = frozenset({"decide", "lines", "matter", "delivery"})
"""Parts of a contract that match names of sources, not ids of the directory."""


def _references(part: BaseModel, place: Place, known: Known) -> Iterator[Finding]:
    """Every person, role and project that any clause names, wherever it stands."""
    asked = {
        "person": ("person", known.people),
        "people": ("person", known.people),
        "role": ("role", known.roles),
        "roles": ("role", known.roles),
        "project": ("project of the client", known.projects),
        "projects": ("project of the client", known.projects),
    }
    for name in type(part).model_fields:
        value = getattr(part, name)
        if name in asked:
            what, names = asked[name]
            if isinstance(value, str):
                yield from _unknown((*place, name), what, value, names)
            elif isinstance(value, tuple):
                yield from _unknown_of((*place, name), what, value, names)
        elif isinstance(value, BaseModel) and name not in _NOT_REFERENCES:
            yield from _references(value, (*place, name), known)
        elif isinstance(value, tuple):
            for index, member in enumerate(value):
                if isinstance(member, BaseModel):
                    yield from _references(member, (*place, name, index), known)


def _unknown(place: Place, what: str, name: str, known: frozenset[str]) -> Iterator[Finding]:
    if name and name not in known:
        yield Finding(place, f"there is no {what} '{name}'", nearest(name, known) or "see what the directory has")


def _unknown_of(place: Place, what: str, names: Sequence[str], known: frozenset[str]) -> Iterator[Finding]:
    for index, name in enumerate(names):
        yield from _unknown((*place, index), what, name, known)


def overlap_findings(contracts: Sequence[ContractDocument], files: Sequence[str]) -> Iterator[tuple[int, Finding]]:
    """Contracts with one id, and those of one client and scope valid on one date; with the index of the later one.

    `files` are the places of the contracts as people jump to them.
    """
    ids: dict[str, int] = {}
    scopes: dict[tuple[str, str], list[int]] = {}
    for index, contract in enumerate(contracts):
        first = ids.setdefault(contract.id, index)
        if first != index:
            yield (
                index,
                Finding(
                    ("id",), f"the contract id '{contract.id}' is already used in {files[first]}", "give it another"
                ),
            )
        for earlier in scopes.setdefault((contract.client, contract.project), []):
            if _overlap(contracts[earlier], contract):
                scope = f"project {contract.project}" if contract.project else f"all work of {contract.client}"
                message = f"the contract in {files[earlier]} is valid on the same dates for {scope}"
                yield index, Finding(("from",), message, "end one of them with `to`")
        scopes[contract.client, contract.project].append(index)


def _overlap(first: ContractDocument, second: ContractDocument) -> bool:
    starts = [one.date_from for one in (first, second) if one.date_from is not None]
    ends = [one.date_to for one in (first, second) if one.date_to is not None]
    return not starts or not ends or max(starts) < min(ends)
