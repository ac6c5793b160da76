"""Which rules the worlds prove: each is switched off, and the table says at which seed it shows."""

from collections.abc import Callable
from pathlib import Path

from billstream.simulating.runs import first_wrong
from billstream.simulating.twins import TWINS

BEGIN, END = "<!-- rules: written by `billstream sim --rules` -->", "<!-- end of rules -->"


def write_table(file: Path, seeds: int, processes: int, advance: Callable[[int, int | None], None]) -> list[str]:
    """Put the table between its marks in a page; returns the rules that no seed missed."""
    rows, missed = [], []
    for number, (name, twin) in enumerate(TWINS.items()):
        advance(number, len(TWINS))
        found = first_wrong(range(1, seeds + 1), name, processes)
        if found is None:
            missed.append(name)
        what = "" if found is None else found.wrong[0].replace("|", "\\|")[:90]
        shows = f"none of {seeds}" if found is None else str(found.seed)
        rows.append(f"| {twin.rule} | `{name}` | {twin.instead} | {shows} | {what} |")
    head = ["| rule | name | switched off | caught at seed | first finding |", "|---|---|---|---|---|"]
    text = file.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    file.write_text("\n".join([before.rstrip(), "", BEGIN, *head, *rows, END]) + after, encoding="utf-8")
    return missed
