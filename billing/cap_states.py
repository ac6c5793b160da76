"""Hour caps before and after each billed stretch of time, told from a finished invoice.

The caps themselves keep only how full a window is; for an explanation the stretches are put in order once more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from billing.allocate import WindowId, key_of
from billing.contract import HourCap
from billing.entries import OrderKey, work_order
from billing.invoice import Traced
from billing.portions import Placed, Portion
from billing.windows import window_key
from schemas.clauses import CapBasis


@dataclass(frozen=True, slots=True)
class CapState:
    """A cap window around one allocation."""

    cap: HourCap
    window: WindowId
    before_seconds: int
    after_seconds: int
    limit_seconds: int
    clause: str


Position = tuple[str, int, str, str]
"""Entry, offset, local date and counted date of a stretch of time: the same before and after caps and tiers."""


def position_of(portion: Portion) -> Position:
    """Where a stretch of time stands."""
    days = portion.day.isoformat(), portion.counted_day.isoformat()
    return (portion.entry.entry_id, portion.offset_seconds, *days)


def cap_histories(traced: Traced) -> Mapping[Position, Sequence[CapState]]:
    """The windows of hour caps before and after each billed stretch of time, in the order in which caps count.

    A cap has counted what later caps took, too: it was kept by this one.
    """
    contract = traced.invoice.request.contract
    found: dict[Position, list[CapState]] = {}
    rated: dict[tuple[str, str, str], list[Portion]] = {}
    for part in traced.rated.parts:
        one = part.portion
        rated.setdefault((one.entry.entry_id, str(one.day), str(one.counted_day)), []).append(one)
    ranks = {f"cap:{cap.id}": rank for rank, cap in enumerate(contract.caps)}
    for rank, cap in enumerate(contract.caps):
        for window, steps in _steps(traced, cap, rank, ranks).items():
            used = 0
            for portion, size in steps:
                _add_states(found, rated, cap, window, portion, used, size, traced)
                used += size
    return found


def _steps(
    traced: Traced, cap: HourCap, rank: int, ranks: Mapping[str, int]
) -> dict[WindowId, list[tuple[Portion | None, int]]]:
    """What each window of a cap has counted, in work order."""
    zone = traced.invoice.request.contract.zone
    found: dict[WindowId, list[tuple[tuple[OrderKey, int], Portion | None, int]]] = {}
    for portion in traced.allocated.live:
        applied = portion.terms.caps.get(cap.id)
        overage = f"overage rate of cap {cap.id}:"
        is_counted = portion.price is None or not portion.price.origin.startswith(overage)
        if applied is not None and is_counted:
            size = portion.worked_seconds if cap.basis is CapBasis.WORKED else portion.billable_seconds
            window = (cap.id, applied.pool_key, key_of(cap, portion))
            found.setdefault(window, []).append(((portion.order, portion.offset_seconds), portion, size))
    for one in traced.allocated.placed:
        applied = None if one.terms is None else one.terms.caps.get(cap.id)
        if applied is not None and ranks[one.reason] > rank:
            size = one.worked_seconds + (0 if cap.basis is CapBasis.WORKED else one.delta_seconds)
            window = window_of(cap, applied.pool_key, one)
            found.setdefault(window, []).append(((work_order(one.entry, zone), one.entry.worked_seconds), None, size))
    return {
        window: [(portion, size) for _, portion, size in sorted(steps, key=lambda step: step[0])]
        for window, steps in found.items()
    }


def _add_states(
    found: dict[Position, list[CapState]],
    rated: Mapping[tuple[str, str, str], Sequence[Portion]],
    cap: HourCap,
    window: WindowId,
    portion: Portion | None,
    used: int,
    size: int,
    traced: Traced,
) -> None:
    """Give a counted stretch's states to the pieces that later steps cut it into."""
    if portion is None:
        return
    applied = portion.terms.caps[cap.id]
    state = traced.allocated.windows.get(window)
    limit = applied.limit_seconds if state is None else state.limit_seconds
    key = (portion.entry.entry_id, str(portion.day), str(portion.counted_day))
    end = portion.offset_seconds + portion.worked_seconds
    for piece in rated.get(key, ()):
        inside = portion.offset_seconds <= piece.offset_seconds < end or piece.offset_seconds == portion.offset_seconds
        if inside:
            before = used + piece.offset_seconds - portion.offset_seconds
            taken = piece.worked_seconds if cap.basis is CapBasis.WORKED else piece.billable_seconds
            state_of = CapState(cap, window, before, before + min(taken, size), limit, applied.row.clause)
            found.setdefault(position_of(piece), []).append(state_of)


def window_of(cap: HourCap, pool_key: str, one: Placed) -> WindowId:
    """The window of a cap that time off lines belongs to."""
    entry = one.entry
    key = window_key(cap.window, cap.at_month_end, one.counted_day, entry.entry_id, entry.project_id, entry.task)
    return cap.id, pool_key, key
