"""The port of deciders, and what they answer. A decider proposes inside the contract's facts; it never sees hours or
money.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from schemas.inputs import Category, DecisionRank
from schemas.work import DecideEntry


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an entry is. A `held_reason` says that the decider could not settle it; category is then its best guess."""

    rank: DecisionRank
    category: Category
    confidence: Decimal
    evidence: tuple[str, ...]
    service_item: str = ""
    utbms_task: str = ""
    utbms_activity: str = ""
    held_reason: str = ""


class Decider(Protocol):
    """Answers requests; may be slow, may fail with Retryable."""

    name: str
    version: int

    async def decide(self, requests: Sequence[DecideEntry]) -> Sequence[Verdict]:
        """A verdict for each request, in their order. How many are under way at once is the decider's business."""
