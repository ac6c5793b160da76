"""A run as a picture: lag, latency and the bands of the faults over the same seconds, as plain SVG."""

from collections.abc import Callable, Iterable, Sequence
from html import escape
from math import log10

from tests.chaos.faults import Kind
from tests.chaos.siege import Band

WIDTH, LEFT, RIGHT = 1200, 190, 20
PLOT, ROW, GAP, TOP = 150, 18, 34, 40
COLOURS = {
    Kind.KILL_WORKER: "#d1495b",
    Kind.TEAR_STORE: "#8f2d56",
    Kind.FREEZE_WORKER: "#edae49",
    Kind.FILL_WORKER: "#a1683a",
    Kind.JUMP_CLOCK: "#7b6d8d",
    Kind.KILL_BROKER: "#00798c",
    Kind.KILL_CONTROLLER: "#003d5b",
    Kind.FREEZE_BROKER: "#30638e",
    Kind.FILL_BROKER: "#5f7470",
    Kind.CUT: "#6a994e",
    Kind.STALL: "#a7c957",
}
Samples = Sequence[tuple[float, float]]
Across = Callable[[float], float]


def draw(
    lags: Samples, latencies: Samples, bands: Sequence[Band], healed_seconds: float, gone_seconds: float, title: str
) -> str:
    """The picture. `gone_seconds` after the healing nothing waited any more."""
    end_seconds = max(healed_seconds + gone_seconds, *(at for at, _ in [*lags, *latencies])) * 1.01
    rows = [kind for kind in Kind if any(band.kind is kind for band in bands)]
    second, third = TOP + PLOT + GAP, TOP + 2 * (PLOT + GAP)
    height = third + ROW * len(rows) + 40

    def across(seconds: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * seconds / end_seconds

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" '
        f'font-size="12" fill="#222"><title>{escape(title)}</title>'
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        f'<text x="10" y="20" font-size="15">{escape(title)}</text>',
        *_healing(across, healed_seconds, gone_seconds, height),
        *_curve("records behind", [(across(at), lag) for at, lag in lags], TOP, "#003d5b"),
        *_curve("entry to hours, s", [(across(at), age) for at, age in latencies], second, "#d1495b", dots=True),
    ]
    for number, kind in enumerate(rows):
        y = third + ROW * number
        fell = [band for band in bands if band.kind is kind]
        parts.append(f'<text x="{LEFT - 8}" y="{y + 12}" text-anchor="end">{escape(kind.value)} ({len(fell)})</text>')
        for band in fell:
            x, wide = across(band.begin_seconds), across(band.end_seconds) - across(band.begin_seconds)
            said = f"{kind.value} {band.target} at {band.begin_seconds:.0f} s {band.how}".strip()
            parts.append(
                f'<rect x="{x:.1f}" y="{y + 2}" width="{max(1.5, wide):.1f}" height="{ROW - 5}" fill="{COLOURS[kind]}">'
                f"<title>{escape(said)}</title></rect>"
            )
    parts += _minutes(across, end_seconds, third + ROW * len(rows) + 16)
    return "\n".join([*parts, "</svg>\n"])


def _healing(across: Across, healed_seconds: float, gone_seconds: float, height: int) -> Iterable[str]:
    x, wide = across(healed_seconds), across(healed_seconds + gone_seconds) - across(healed_seconds)
    yield f'<rect x="{x:.1f}" y="{TOP}" width="{max(1, wide):.1f}" height="{height - TOP - 30}" fill="#e8f3e4"/>'
    said = f"all faults end; nothing waits {gone_seconds:.0f} s later"
    yield f'<text x="{x - 4:.1f}" y="{TOP - 6}" text-anchor="end">{said}</text>'


def _curve(name: str, points: Samples, top: int, colour: str, *, dots: bool = False) -> Iterable[str]:
    """A panel with a scale of tens: both quiet and trouble are to be seen."""
    highest = max([1.0, *(value for _, value in points)])
    lowest = 0.01 if dots else 1.0
    span = max(1.0, log10(highest / lowest))

    def up(value: float) -> float:
        return top + PLOT - PLOT * max(0.0, log10(max(value, lowest) / lowest)) / span

    yield f'<text x="{LEFT - 8}" y="{top + 12}" text-anchor="end">{escape(name)}</text>'
    tick = lowest
    while tick <= highest:
        yield f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{up(tick):.1f}" y2="{up(tick):.1f}" stroke="#ddd"/>'
        yield f'<text x="{LEFT - 8}" y="{up(tick) + 4:.1f}" text-anchor="end" fill="#777">{tick:g}</text>'
        tick *= 10
    if dots:
        yield "".join(f'<circle cx="{x:.1f}" cy="{up(value):.1f}" r="1.6" fill="{colour}"/>' for x, value in points)
    else:
        line = " ".join(f"{x:.1f},{up(value):.1f}" for x, value in points)
        yield f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.3"/>'


def _minutes(across: Across, end_seconds: float, y: int) -> Iterable[str]:
    step = 60 if end_seconds < 900 else 300
    for seconds in range(0, int(end_seconds) + 1, step):
        yield f'<text x="{across(seconds):.1f}" y="{y}" text-anchor="middle" fill="#777">{seconds // 60} min</text>'
