"""From the names a source used to ids, contract, local date and role; what stays unknown stays visible (rule 10)."""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from books.catalog import Agreement, Catalog
from books.duplicates import UNASSIGNED
from books.rows import EntryRow
from schemas.canonical import content_hash

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_QUARTER_MICROS = 15 * 60 * 1_000_000


@lru_cache(maxsize=1024)
def zone_of(name: str) -> ZoneInfo:
    """The zone of a name; UTC for a name nobody knows, because a source's spelling must not stop a book."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def instant_of(micros: int) -> datetime:
    """The instant of UTC microseconds."""
    return _EPOCH + timedelta(microseconds=micros)


def local_date(row: EntryRow, zone: str) -> str:
    """The local work date in a zone: a date the source gave stays as it is (BD-59), empty when nothing is known."""
    if row.work_date or row.start_micros is None:
        return row.work_date
    return _date_at(row.start_micros // _QUARTER_MICROS, zone)


@lru_cache(maxsize=65_536)
def _date_at(quarter: int, zone: str) -> str:
    """The local date in a quarter of an hour; no zone changes its offset, or its date, within one."""
    return instant_of(quarter * _QUARTER_MICROS).astimezone(zone_of(zone)).date().isoformat()


def resolve(row: EntryRow, catalog: Catalog) -> EntryRow:
    """The row with ids, contract, local date, role and input hash as the catalog has them now."""
    client_id, person_id, project_id = _ids(row, catalog)
    agreement = catalog.any_of(client_id, project_id)
    people = catalog.people
    day = local_date(row, _zone(agreement, catalog))
    if agreement is not None and day:
        agreement = catalog.agreement_for(client_id, project_id, date.fromisoformat(day))
        day = local_date(row, _zone(agreement, catalog))
    role = ""
    if people is not None and person_id and day:
        role = people.compiled.role_on(person_id, date.fromisoformat(day)) or ""
    facts = agreement.facts_hash if agreement is not None else ""
    return msgspec.structs.replace(
        row,
        client_id=client_id,
        person_id=person_id,
        project_id=project_id,
        contract_id=agreement.contract_id if agreement is not None else "",
        local_date=day,
        role=role,
        input_hash=input_hash(row.said, client_id, facts, role),
    )


def input_hash(said: str, client_id: str, facts_hash: str, role: str) -> str:
    """Hash of all that a decision rests on: what is said, whose it is, the facts of the contract, the role."""
    return content_hash({"said": said, "context": _context_hash(client_id, facts_hash, role)})[:32]


@lru_cache(maxsize=4096)
def _context_hash(client_id: str, facts_hash: str, role: str) -> str:
    return content_hash({"client": client_id, "facts": facts_hash, "role": role})


def _ids(row: EntryRow, catalog: Catalog) -> tuple[str, str, str]:
    """(client, person, project): what a person assigned wins; an assigned client decides whose projects are meant."""
    client_id, person_id, project_id = catalog.ids_of(row.source, row.person_ref, row.client_ref, row.project_ref)
    if row.assigned_client and row.assigned_client != client_id:
        client_id, project_id = row.assigned_client, ""
        if catalog.people is not None:
            project_id = catalog.people.names.project(row.project_ref, row.source, client_id) or ""
    project_id = row.assigned_project or project_id
    return client_id or UNASSIGNED, row.assigned_person or person_id, project_id if client_id else ""


def _zone(agreement: Agreement | None, catalog: Catalog) -> str:
    if agreement is not None:
        return agreement.document.zone
    return catalog.people.document.firm.zone if catalog.people is not None else "UTC"
