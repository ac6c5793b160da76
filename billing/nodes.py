"""Statements of an explanation: what each is about, its text, its figures, and what it rests on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from schemas.charges import Discount
from schemas.clauses import AmountCap
from schemas.engagement import FixedCover, PrepaidBlock, Retainer

Named = Discount | AmountCap | Retainer | PrepaidBlock | FixedCover
"""Clauses with an id, by which an explanation finds their words."""


class NodeKind(StrEnum):
    """What a statement is about."""

    LINE = "line"
    CHARGE = "charge"
    ALLOCATION = "allocation"
    PLACEMENT = "placement"
    ENTRY = "entry"
    DECISION = "decision"
    RATE = "rate"
    LOST = "lost"
    INCREMENT = "increment"
    CAP = "cap"
    BALANCE = "balance"
    TIER = "tier"
    PREMIUM = "premium"
    CURRENCY = "currency"
    DISCOUNT = "discount"
    AMOUNT_CAP = "amount_cap"
    ROUNDING = "rounding"
    STEP = "step"
    CONTRACT = "contract"
    CLAUSE = "clause"


@dataclass(frozen=True, slots=True)
class Node:
    """A statement with its figures (decimals as text, time as whole seconds) and what it rests on."""

    kind: NodeKind
    text: str
    facts: Mapping[str, str | int] = field(default_factory=dict)
    below: tuple["Node", ...] = ()


def clause_facts(clause: str) -> dict[str, str | int]:
    """The clause among the figures of a statement; nothing without one."""
    return {"clause": clause} if clause else {}


def clause_node(clause: str) -> tuple[Node, ...]:
    """The clause in its own words, below the statement that it led to."""
    return (Node(NodeKind.CLAUSE, f"Clause: {clause}", {"clause": clause}),) if clause else ()


def clause_of(rows: Iterable[Named], identifier: str) -> str:
    """The clause of the row of an id; empty when it has none."""
    return next((row.clause for row in rows if row.id == identifier and row.clause), "")
