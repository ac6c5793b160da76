"""How fast an invoice of 300 lines is on paper: PDF in both layouts, and LEDES; `python -m bench.paper` prints JSON.

The first PDF of a process also reads the letters and compiles the template; a worker pays for that once. Each round has
other texts and amounts, because the typesetter remembers what it has set.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path

from bench.machine import machine_facts
from schemas.draft import DraftBody
from sinks.base import DraftToSend
from sinks.ledes_1998b import Receiver, render
from sinks.pdf import Paper, PdfSettings
from sinks.pdf.settings import Layout
from sinks.pdf.sink import Press
from sinks.testing import example_body, example_draft, example_fee

LINES = 300
ROUNDS = 5
NARRATIVE = "Draft reply to the motion for summary judgment, and a call with counsel about the bundle; part"


def document(lines: int, turn: int) -> DraftToSend:
    """An issued invoice of a law firm; each line has a narrative of its own and one entry."""
    made = []
    for position in range(1, lines + 1):
        hours = Decimal((position + turn) % 29 + 1) / 10
        amount = hours * 350
        line = example_fee(position, quantity=f"{hours:.2f}", unit_price="350.00", amount=f"{amount:.2f}")
        made.append(line.model_copy(update={"text": f"{NARRATIVE} {position * turn}"}))
    body: DraftBody = example_body(*made)
    return example_draft(body)


def paper_seconds(lines: int = LINES, rounds: int = ROUNDS) -> dict[str, object]:
    """Seconds and processor seconds of each form; the first time apart from the others."""
    first, *drafts = (document(lines, turn) for turn in range(1, rounds + 2))
    found: dict[str, object] = {"lines": lines}
    for layout in (Layout.LEGAL, Layout.AGENCY):
        began = time.perf_counter()
        press = Press(PdfSettings(folder=Path("unused"), paper=Paper(layout=layout)))
        press.render(first)
        once = {"first_seconds": round(time.perf_counter() - began, 3)}
        found[f"pdf_{layout.value}"] = once | _timed(press.render, drafts)
    receiver = Receiver()
    found["ledes"] = _timed(lambda draft: render(draft, receiver), drafts)
    return found


def _timed(action: Callable[[DraftToSend], object], drafts: Sequence[DraftToSend]) -> dict[str, float]:
    taken, cpu = [], []
    for draft in drafts:
        began, began_cpu = time.perf_counter(), time.process_time()
        action(draft)
        taken.append(time.perf_counter() - began)
        cpu.append(time.process_time() - began_cpu)
    return {
        "median_seconds": round(statistics.median(taken), 3),
        "median_cpu_seconds": round(statistics.median(cpu), 3),
        "rounds": len(drafts),
    }


def main() -> int:
    """Measure and print."""
    print(json.dumps({"machine": machine_facts(), "paper": paper_seconds()}, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
