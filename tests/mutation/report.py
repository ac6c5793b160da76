"""The page about the changes that were tried: figures by module, then each survivor with its reason."""

import re
import subprocess
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.mutation.trying import Tried, Verdict

NOTICED = (Verdict.KILLED, Verdict.TIMEOUT)
OPEN = "open"
REFUSED = "refused by the type checker"


def report(root: Path, tried: Sequence[Tried], made: int, chosen: str, refused: Mapping[str, str]) -> str:
    """The page; `refused` says what the type checker has against a survivor."""
    head = ["git", "log", "-1", "--format=%h of %cs"]
    revision = subprocess.run(head, cwd=root, check=True, capture_output=True, text=True).stdout.strip()
    noticed = sum(one.verdict in NOTICED for one in tried)
    rows, reasons = _survivors(root, tried, refused)
    told = "; ".join(f"{count} {reason}" for reason, count in reasons.most_common())
    lines = [
        "# What the tests of billing notice",
        "",
        "`script/mutate` changes billing/ in one place at a time and runs the tests that reach this place.",
        "A change that no test notices is a survivor: a missing test, or a change without effect.",
        "This page is written by that script; the reasons come from `docs/mutation.toml` and from the type checker.",
        "",
        f"Revision {revision}, {chosen}: {len(tried)} of {made} changes tried, "
        f"{noticed} noticed ({100 * noticed / max(1, len(tried)):.1f} %).",
        "",
        f"Of the {len(tried) - noticed} survivors: {told}.",
        "",
        "| module | tried | killed | timeout | survived | no test | noticed |",
        "|---|---|---|---|---|---|---|",
    ]
    for module in sorted({one.change.function.module for one in tried}):
        counts = Counter(one.verdict for one in tried if one.change.function.module == module)
        share = 100 * sum(counts[verdict] for verdict in NOTICED) / counts.total()
        cells = [str(counts[verdict]) for verdict in Verdict]
        lines.append(f"| {module} | {counts.total()} | {' | '.join(cells)} | {share:.0f} % |")
    head_of_rows = ["| function | change | reason |", "|---|---|---|"]
    return "\n".join([*lines, "", "## Survivors", "", *head_of_rows, *rows]) + "\n"


def _survivors(root: Path, tried: Sequence[Tried], refused: Mapping[str, str]) -> tuple[list[str], Counter[str]]:
    """One line for each survivor with its reason, those that cannot be committed by function; how many have which."""
    known = tomllib.loads((root / "docs" / "mutation.toml").read_text())["reasons"]
    found: list[str] = []
    counts: Counter[str] = Counter()
    by_type: Counter[str] = Counter()
    for one in tried:
        if one.verdict not in NOTICED:
            function, shown = one.change.function.name, one.change.shown()
            reason = next((text for part, text in known.items() if re.search(part, f"{function}: {shown}")), "")
            kind = reason or (REFUSED if one.change.name in refused else OPEN)
            counts["no test reaches it" if kind == OPEN and one.verdict is Verdict.NO_TEST else kind] += 1
            if kind == REFUSED:
                by_type[function] += 1
            else:
                found.append(f"| `{function}` | `{_cell(shown)}` | {reason or OPEN} |")
    told = ", ".join(f"`{function}` {count}" for function, count in sorted(by_type.items()))
    return [*found, "", "## Refused by the type checker", "", f"{told or 'None'}."], counts


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
