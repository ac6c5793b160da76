"""What a comparison found as a drawing: a bar for each job's median, a line from its slowest round to its fastest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import cast

NAMES = {
    "billstream": "Billstream",
    "kafka_streams": "Kafka Streams 4.3",
    "quix_streams": "Quix Streams 3.28",
    "stock_faust": "stock Faust",
}
WIDTH, LABELS, BARS, ROW, TITLE = 760, 160, 480, 26, 40
STYLE = """
    text { font-size: 13px; fill: #0f172a }
    .title { font-weight: 600 }
    .note { font-size: 12px; fill: #64748b }
    .ours { fill: #1d4ed8 }
    .peer { fill: #94a3b8 }
    .span { stroke: #0f172a; stroke-width: 1.5 }
"""


@dataclass(frozen=True)
class Panel:
    """One figure of all jobs."""

    title: str
    figure: str
    form: str
    runs: Mapping[str, Sequence[Mapping[str, float]]]

    @property
    def height(self) -> int:
        """Title, a row for each job, and air."""
        return TITLE + ROW * len(self.runs) + 14

    def drawn(self, medians: Mapping[str, float], top: int) -> list[str]:
        """The lines of the drawing, from `top` down."""
        most = max(run[self.figure] for runs in self.runs.values() for run in runs) or 1
        lines = [f'  <text class="title" x="16" y="{top + 26}">{escape(self.title)}</text>']
        for number, (name, runs) in enumerate(self.runs.items()):
            y = top + TITLE + number * ROW
            found = [LABELS + BARS * run[self.figure] / most for run in runs]
            width, middle = BARS * medians[name] / most, y + (ROW - 6) / 2
            kind = "ours" if number == 0 else "peer"
            lines += [
                f'  <text x="16" y="{middle + 5:.0f}">{escape(NAMES.get(name, name))}</text>',
                f'  <rect class="{kind}" x="{LABELS}" y="{y}" width="{width:.1f}" height="{ROW - 6}" rx="2"/>',
                f'  <path class="span" d="M{min(found):.1f} {middle}H{max(found):.1f}"/>',
                f'  <text x="{max(found) + 8:.1f}" y="{middle + 5:.0f}">{medians[name]:{self.form}}</text>',
            ]
        return lines


def drawn(found: Mapping[str, object], machine: Mapping[str, object]) -> str:
    """The SVG of what `comparing.compare` returned."""
    runs = cast(Mapping[str, Sequence[Mapping[str, float]]], found["runs"])
    panels = (
        Panel("Entries a second (more is better)", "events_per_second", ",.0f", runs),
        Panel("Processor seconds for 1,000 entries (less is better)", "cpu_seconds_per_1000", ".3f", runs),
        Panel("Peak memory in MiB (less is better)", "peak_mib", ".0f", runs),
    )
    top, lines = 40, list[str]()
    for panel in panels:
        lines += panel.drawn(cast(Mapping[str, float], found[panel.figure]), top)
        top += panel.height
    loads = [run["load_average"] for one in runs.values() for run in one]
    note = (
        f"{machine['cores']} cores, load {min(loads)} to {max(loads)}, Kafka {machine['kafka']}, {machine['at']}; "
        "bars are medians, lines reach from the lowest round to the highest."
    )
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top + 16}" role="img" aria-labelledby="title"'
    )
    return "\n".join(
        [
            f"{head} font-family=\"Inter, 'Segoe UI', Helvetica, Arial, sans-serif\">",
            '  <title id="title">The fold by Billstream and its peers, side by side in one run</title>',
            f"  <style>{STYLE}  </style>",
            f'  <rect width="{WIDTH}" height="{top + 16}" fill="#ffffff"/>',
            '  <text class="title" x="16" y="28">The same fold, side by side in one run</text>',
            *lines,
            f'  <text class="note" x="16" y="{top}">{escape(note)}</text>',
            "</svg>\n",
        ]
    )
