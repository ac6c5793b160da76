"""Step 6: time that a fixed fee pays for leaves here; and which engagements an entry belongs to by category and tags.

The scope of an engagement is looked up with the terms of the work; what differs from entry to entry is decided here.
"""

from datetime import date
from typing import NamedTuple

from billing.contract import Contract
from billing.engagements import Engaged
from billing.entries import BillingEntry
from billing.portions import Placed, Portion, placed_as
from billing.terms import Terms
from schemas.draft import Bucket
from schemas.engagement import FixedCover, Takes, WorkScope
from schemas.inputs import Category


class Uncovered(NamedTuple):
    """What is still to be billed, and what a fixed fee pays for."""

    live: list[Portion]
    placed: list[Placed]


def remove_covered(contract: Contract, live: list[Portion]) -> Uncovered:
    """Place the time that a fixed fee covers, with its rounding delta; the order of the rest stays."""
    if not contract.document.fixed_cover:
        return Uncovered(list(live), [])
    kept: list[Portion] = []
    placed: list[Placed] = []
    for portion in live:
        cover = cover_of(portion.terms, portion.entry) if portion.terms.covers else None
        if cover is None:
            kept.append(portion)
        else:
            placed.append(placed_as(portion, Bucket.FIXED_FEE, f"fixed_fee:{cover.id}"))
    return Uncovered(kept, placed)


def cover_of(terms: Terms, entry: BillingEntry) -> FixedCover | None:
    """The fixed fee that covers an entry: decided as project work, or billable work in the scope of one that takes all.

    Of several the one with most conditions counts, then the first by id.
    """
    fitting = [one for one in terms.covers if _takes(one.takes, one, entry, Category.PROJECT)]
    return min(fitting, key=lambda one: (_open_conditions(one), one.id), default=None)


def draws_of(terms: Terms, entry: BillingEntry) -> tuple[Engaged, ...]:
    """The retainers and blocks that an entry draws from while they have hours."""
    if terms.engaged_whole and entry.category is Category.BILLABLE:
        return terms.engaged
    return tuple([one for one in terms.engaged if _takes(one.row.takes, one.row, entry, Category.RETAINER)])


def could_weigh(contract: Contract, one: Engaged, day: date) -> bool:
    """Whether work of a date could burn by the weights of an engagement: while it has hours, beyond them where it
    prices that, and before them where a cap may carry the work to them.
    """
    engagement, block = one.engagement, one.engagement.block
    if day < engagement.start:
        return any(cap.carries for cap in contract.caps)
    is_over = block is not None and block.expires is not None and block.expires < day
    return not is_over or one.row.overage_rate is not None


def has_tags(scope: WorkScope, entry: BillingEntry) -> bool:
    """Whether the tags of an entry fit a scope."""
    return not scope.tags or any(tag in scope.tags for tag in entry.tags)


def _takes(takes: Takes, scope: WorkScope, entry: BillingEntry, own: Category) -> bool:
    wanted = entry.category is own or (entry.category is Category.BILLABLE and takes is Takes.ALL)
    return wanted and has_tags(scope, entry)


def _open_conditions(scope: WorkScope) -> int:
    named = (scope.roles, scope.people, scope.service_items, scope.projects, scope.tasks, scope.tags)
    return sum(not one for one in named)
