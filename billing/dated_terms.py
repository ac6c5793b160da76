"""Whether an amendment says anything about some dates: a hash of all that contract and directory say about them.

A rate that begins after a period, a new person, an address: none of them is a reason to compute that period again.
"""

from collections.abc import Collection, Mapping
from datetime import date

from schemas.canonical import content_hash
from schemas.contract import ContractDocument
from schemas.directory import DirectoryDocument

_NO_MONEY = frozenset({"name", "delivery", "examples", "clauses", "clause", "correction", "payment_terms_days"})


def terms_hash(
    contract: ContractDocument, directory: DirectoryDocument, people: Collection[str], first: date, end: date
) -> str:
    """What is agreed for work of these people on the local dates `[first, end)`, wherever it stands."""
    clauses = _within(contract.model_dump(mode="json"), first.isoformat(), end.isoformat())
    assert isinstance(clauses, dict), "a contract is a mapping"
    # The contract's own start is kept: what counts from it begins there, however early that is.
    clauses["date_from"] = "" if contract.date_from is None else contract.date_from.isoformat()
    firm = directory.firm
    said: list[object] = [
        firm.currency,
        [row.model_dump(mode="json") for row in firm.rates],
        *(
            [one.model_dump(mode="json") for one in client.rates]
            for client in directory.clients
            if client.id == contract.client
        ),
        *(
            [project.id, list(project.tags), [row.model_dump(mode="json") for row in project.rates]]
            for project in directory.projects
            if project.client == contract.client
        ),
        *(
            [person.id, [row.model_dump(mode="json") for row in (*person.roles, *person.rates)]]
            for person in directory.people
            if person.id in people
        ),
    ]
    return content_hash({"contract": clauses, "directory": _within(said, first.isoformat(), end.isoformat())})


def _within(said: object, first: str, end: str) -> object:
    """What is said without rows of other dates; where a row begins before or ends after the dates does not matter."""
    if isinstance(said, Mapping):
        kept = {name: _within(member, first, end) for name, member in said.items() if name not in _NO_MONEY}
        begins, ends = kept.pop("date_from", None), kept.pop("date_to", None)
        if isinstance(begins, str) and begins > first:
            kept["date_from"] = begins
        if isinstance(ends, str) and ends < end:
            kept["date_to"] = ends
        return kept
    if isinstance(said, list | tuple):
        return [_within(one, first, end) for one in said if not _is_elsewhere(one, first, end)]
    return said


def _is_elsewhere(row: object, first: str, end: str) -> bool:
    if not isinstance(row, Mapping):
        return False
    begins, ends = row.get("date_from"), row.get("date_to")
    return (isinstance(begins, str) and begins >= end) or (isinstance(ends, str) and ends <= first)
