"""What happened to a charge on its way, in words and in order: rounding, caps, premium, conversion, reduction.

Billing-domain sections 2.6 and 6: with the entries of a line these sentences answer why an amount is what it is.
"""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache

from billing.allocate import WindowId, WindowState, key_of
from billing.contract import Contract
from billing.exact import decimal_of, exact_or_shown, shown
from billing.increments import rule_text
from billing.lines import OpenLine
from billing.portions import Portion
from billing.rating import RatedPart
from billing.settled import SettledCharge
from schemas.clauses import AmountBasis, CapWindow

_TEXTS_KEPT = 4096


@lru_cache(maxsize=_TEXTS_KEPT)
def hours_text(seconds: int) -> str:
    """Hours for reading, with two decimals, four when they do not end before."""
    return f"{exact_or_shown(Fraction(seconds, 3600), 4):f} h"


def clock_text(seconds: int) -> str:
    """`2:18:10` for 8,290 seconds; exact, as nobody rounds when they ask why."""
    sign, left = ("-", -seconds) if seconds < 0 else ("", seconds)
    return f"{sign}{left // 3600}:{left // 60 % 60:02d}:{left % 60:02d}"


def signed_clock(seconds: int) -> str:
    """The same with its sign: `+0:12:00`."""
    return clock_text(seconds) if seconds < 0 else f"+{clock_text(seconds)}"


def charge_steps(
    contract: Contract,
    line: OpenLine,
    one: SettledCharge,
    parts: Sequence[RatedPart],
    windows: Mapping[WindowId, str],
    touched: Iterable[WindowId] | None = None,
) -> tuple[str, ...]:
    """The steps of one charge; `windows` are the texts of `cap_texts`, `touched` those of the charge where known."""
    if touched is None:
        touched = _touched(one, parts) if windows else ()
    steps = _rounding_steps(one, parts)
    if one.charge.seconds:
        steps += [windows[window] for window in sorted(touched) if window in windows]
    if line.agreed is not None:
        steps += line.agreed.steps
    key = one.charge.key
    if key.variant:
        steps.append(key.variant)
    if key.conversion:
        steps.append(f"converted: {key.conversion}")
    rounding = contract.document.rounding
    if one.charge.seconds and line.package is None:
        basis = rounding.amount_basis.value
        shown_as = f", {rounding.quantity_decimals} decimals" if rounding.amount_basis is AmountBasis.DISPLAYED else ""
        steps.append(f"amount: {one.charge.seconds} s x {key.unit_price:f} / 3600 ({basis} basis{shown_as})")
    for discount_id, amount in one.discounts.items():
        steps.append(f"discount {discount_id} takes {shown(amount, contract.places):f} {contract.currency}")
    for cap_id, amount in sorted(one.taken.items()):
        steps.append(f"cap:{cap_id} takes {shown(amount, contract.places):f} {contract.currency}")
    net = one.net
    if one.units * net.denominator != net.numerator * 10**contract.places:
        text = f"{decimal_of(one.units, contract.places):f} {contract.currency}"
        steps.append(f"rounded with its line ({rounding.money_rounding.value}): {text}")
    return tuple(steps)


def _rounding_steps(one: SettledCharge, parts: Sequence[RatedPart]) -> list[str]:
    totals: dict[str, tuple[int, int]] = {}
    for positions, worked, delta in one.charge.kinds if one.charge.seconds else ():
        text = rule_text(parts[positions[0]].portion.terms.increment)
        before = totals.get(text, (0, 0))
        totals[text] = before[0] + worked, before[1] + delta
    return [
        f"increments {rule}: {worked} s worked, {delta:+d} s rounding"
        for rule, (worked, delta) in sorted(totals.items())
        if delta or rule != "no increment"
    ]


def _touched(one: SettledCharge, parts: Sequence[RatedPart]) -> set[WindowId]:
    """The windows of hour caps that pay for the time of a charge."""
    touched: set[WindowId] = set()
    for positions, _, _ in one.charge.kinds:
        # The parts of a kind have their terms and task in common, so the date decides the window.
        portions = [parts[position].portion for position in positions]
        for portion in {portion.counted_day: portion for portion in portions}.values():
            touched.update(windows_of(portion))
    return touched


def windows_of(portion: Portion) -> list[WindowId]:
    """The windows of hour caps that pay for a portion."""
    return [(applied.cap.id, applied.pool_key, key_of(applied.cap, portion)) for applied in portion.terms.caps.values()]


def cap_texts(contract: Contract, windows: Mapping[WindowId, WindowState]) -> dict[WindowId, str]:
    """What explanations say of each window; many charges share one. A window of a single entry is not named."""
    named = {cap.id for cap in contract.caps if cap.window is not CapWindow.ENTRY}
    return {window: _cap_text(window, state) for window, state in windows.items() if window[0] in named}


def _cap_text(window: WindowId, state: WindowState) -> str:
    cap_id, pool_key, key = window
    text = (
        f"cap {cap_id} ({pool_key}) {key}: {hours_text(state.used_seconds)} of {hours_text(state.limit_seconds)} used"
    )
    return f"{text}, {hours_text(state.over_seconds)} over" if state.over_seconds else text
