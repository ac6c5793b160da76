"""Rate resolution: the most specific rate valid on the work date, and why the others lost. BD-12..17."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from billing.contract import Contract
from billing.directory import Directory
from schemas.clauses import BlendedRate, ContractRate
from schemas.dated import DatedRate


class Work(NamedTuple):
    """What a rate can depend on."""

    person_id: str
    role: str
    project_id: str
    service_item: str
    task: str
    day: date


class Candidate(NamedTuple):
    """A rate row that speaks about this work, on its level; levels are numbered from the most specific."""

    level: int
    name: str
    row: DatedRate
    currency: str


class ChosenRate(NamedTuple):
    """The rate that won, in its own currency. `standard` is what a blended rate replaced, None without one (BD-17)."""

    rate: Decimal
    currency: str
    origin: str
    lost: tuple[str, ...]
    row: DatedRate
    standard: Candidate | None


def resolve_rate(contract: Contract, directory: Directory, work: Work) -> ChosenRate | None:
    """The first valid candidate in the order of the levels; None when there is none, which holds the work (BD-16)."""
    candidates = sorted(_candidates(contract, directory, work), key=lambda one: one.level)
    valid = [one for one in candidates if one.row.covers(work.day)]
    if not valid:
        return None
    winner = valid[0]
    standard = next((one for one in valid if one.level > 1), None) if winner.level <= 1 else None
    return ChosenRate(
        rate=winner.row.rate,
        currency=winner.currency,
        origin=_text(winner) + _clause(winner.row),
        lost=tuple(_loss(one, winner, work.day) for one in candidates if one is not winner),
        row=winner.row,
        standard=standard,
    )


def _candidates(contract: Contract, directory: Directory, work: Work) -> Iterator[Candidate]:
    own = contract.currency
    for blended in contract.document.blended:
        if not blended.roles or work.role in blended.roles:
            yield Candidate(0 if blended.roles else 1, "contract blended rate", blended, blended.currency or own)
    for row in contract.document.rates:
        if row.person and row.person == work.person_id:
            yield Candidate(2, f"contract person {row.person}", row, row.currency or own)
        elif row.role and row.role == work.role and row.service_item == work.service_item and row.service_item:
            yield Candidate(3, f"contract role {row.role} on {row.service_item}", row, row.currency or own)
        elif row.role and row.role == work.role and not row.service_item:
            yield Candidate(4, f"contract role {row.role}", row, row.currency or own)
        elif not row.person and not row.role:
            yield Candidate(5, "contract default", row, row.currency or own)
    yield from _directory_candidates(contract, directory, work)


def _directory_candidates(contract: Contract, directory: Directory, work: Work) -> Iterator[Candidate]:
    firm = directory.document.firm
    project = directory.projects.get(work.project_id)
    client = directory.clients.get(contract.client_id)
    person = directory.people.get(work.person_id)
    for row in project.rates if project is not None and project.client == contract.client_id else ():
        yield Candidate(6, f"project {work.project_id}", row, row.currency or firm.currency)
    for row in () if client is None else client.rates:
        yield Candidate(7, f"client {contract.client_id}", row, row.currency or firm.currency)
    for card in firm.rates:
        if card.role == work.role and card.service_item == work.service_item and card.service_item:
            yield Candidate(8, f"firm role {card.role} on {card.service_item}", card, card.currency or firm.currency)
        elif card.role == work.role and not card.service_item:
            yield Candidate(9, f"firm role {card.role}", card, card.currency or firm.currency)
    for row in () if person is None else person.rates:
        yield Candidate(10, f"default of {work.person_id}", row, row.currency or firm.currency)


def _text(one: Candidate) -> str:
    return f"{one.name}: {one.row.rate:f} {one.currency} {one.row.span_text}"


def _clause(row: DatedRate) -> str:
    clause = row.clause if isinstance(row, ContractRate | BlendedRate) else ""
    return f" ({clause})" if clause else ""


def _loss(one: Candidate, winner: Candidate, day: date) -> str:
    why = f"{winner.name} goes first" if one.row.covers(day) else "not valid on the work date"
    return f"{_text(one)} - {why}"
