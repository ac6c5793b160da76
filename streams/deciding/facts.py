"""Reads the facts a request carries, once for each contract revision."""

import json
from dataclasses import dataclass
from functools import lru_cache

from schemas.clauses import DeciderFacts, MatterFacts


@dataclass(frozen=True, slots=True)
class Facts:
    """What a contract says to deciders; `matter` only for e-billed matters."""

    decide: DeciderFacts
    matter: MatterFacts | None


@lru_cache(maxsize=512)
def read_facts(text: str) -> Facts:
    """Parse the facts of a request; they come from the fold, so a broken text is our mistake."""
    members = json.loads(text)
    matter = members.get("matter")
    return Facts(
        decide=DeciderFacts.model_validate(members["decide"]),
        matter=None if matter is None else MatterFacts.model_validate(matter),
    )
