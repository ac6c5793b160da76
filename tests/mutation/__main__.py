"""Mutation testing of billing/ with the changes of mutmut (docs/decisions/0021).

Writes docs/mutation.md: the revision, a table by module, and each survivor with its reason from docs/mutation.toml.
"""

import argparse
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest

from tests.mutation.changes import Change, changes_of
from tests.mutation.trying import Trial, Tried, Verdict

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs" / "mutation.md"
ANSWERS = ROOT / "build" / "mutation.tsv"
TESTS = ("tests/billing", "tests/books", "tests/mutation/single_firms.py")
# What looks at documents or files instead of answers.
LEFT_OUT = ("tests/billing/test_documented.py", "tests/books/stores", "tests/books/test_rebuild.py")
NOT_CHANGED = ("__init__", "testing")
"""Modules of billing/ that are not rules: what tests are written with."""
OPEN = "open: no test of this set notices"
NOTICED = (Verdict.KILLED, Verdict.TIMEOUT)
OPTIONS = [
    "-q",
    "--assert=plain",
    "--capture=no",
    "--hypothesis-profile=mutation",
    "--override-ini=tmp_path_retention_policy=none",
    *(f"-p no:{name}" for name in ("cacheprovider", "logging", "randomly")),
]


def changes_in(names: Sequence[str]) -> list[Change]:
    """All changes of these modules, or of all."""
    paths = sorted(path for path in (ROOT / "billing").glob("*.py") if path.stem not in NOT_CHANGED)
    paths = [path for path in paths if not names or path.stem in names]
    return [change for path in paths for change in changes_of(path)]


def try_them(changes: Sequence[Change], jobs: int, budget_seconds: float, minutes: float) -> list[Tried]:
    """Run the tests that reach each change; verdicts are written down as they come."""
    ANSWERS.parent.mkdir(exist_ok=True)
    with ANSWERS.open("w") as answers:

        def note(one: Tried) -> None:
            print(one.change.name, one.verdict, one.test, sep="\t", file=answers, flush=True)

        trial = Trial(changes, jobs, budget_seconds, minutes, note)
        ignored = [f"--ignore={name}" for name in LEFT_OUT]
        code = pytest.main([*OPTIONS, f"--rootdir={ROOT}", *ignored, *TESTS], plugins=[trial])
    if code or not (minutes or len(trial.tried) == len(changes)):
        sys.exit(f"the tests could not be collected or do not pass: pytest says {code}")
    return sorted(trial.tried, key=lambda one: (one.change.function.name, one.change.number))


def report(tried: Sequence[Tried], made: int, chosen: str) -> str:
    """The page: figures by module, then the survivors."""
    head = ["git", "log", "-1", "--format=%h of %cs"]
    revision = subprocess.run(head, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()
    noticed = sum(one.verdict in NOTICED for one in tried)
    lines = [
        "# What the tests of billing notice",
        "",
        "`script/mutate` changes billing/ in one place at a time and runs the tests that reach this place.",
        "A change that no test notices is a survivor: a missing test, or a change without effect.",
        "This page is written by that script; the reasons come from `docs/mutation.toml`.",
        "",
        f"Revision {revision}, {chosen}: {len(tried)} of {made} changes tried, "
        f"{noticed} noticed ({100 * noticed / max(1, len(tried)):.1f} %).",
        "",
        "| module | tried | killed | timeout | survived | no test | noticed |",
        "|---|---|---|---|---|---|---|",
    ]
    for module in sorted({one.change.function.module for one in tried}):
        counts = Counter(one.verdict for one in tried if one.change.function.module == module)
        share = 100 * sum(counts[verdict] for verdict in NOTICED) / counts.total()
        cells = [str(counts[verdict]) for verdict in Verdict]
        lines.append(f"| {module} | {counts.total()} | {' | '.join(cells)} | {share:.0f} % |")
    return "\n".join([*lines, "", "## Survivors", "", *survivors(tried)]) + "\n"


def survivors(tried: Sequence[Tried]) -> list[str]:
    """One line for each survivor, with its reason."""
    reasons = tomllib.loads((ROOT / "docs" / "mutation.toml").read_text())["reasons"]
    found = ["| function | change | reason |", "|---|---|---|"]
    for one in tried:
        if one.verdict not in NOTICED:
            function, shown = one.change.function.name, one.change.shown()
            reason = next((text for part, text in reasons.items() if part in f"{function}: {shown}"), OPEN)
            found.append(f"| `{function}` | `{shown.replace('|', chr(92) + '|')}` | {reason} |")
    return found


def main() -> None:
    """Make the changes, choose, try, report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, default=0, help="how many changes; 0 for all")
    parser.add_argument("--seed", type=int, default=1, help="which ones")
    parser.add_argument("--modules", nargs="*", default=[], help="only of these modules")
    parser.add_argument("--minimum", type=int, default=0, help="fail below this percentage")
    parser.add_argument("--jobs", type=int, default=2, help="how many processes at once")
    parser.add_argument("--budget", type=float, default=1.5, help="seconds for the tests of one change")
    parser.add_argument("--again", type=Path, help="only what these verdicts of an earlier run say was not noticed")
    parser.add_argument("--minutes", type=float, default=0, help="try no further change after so many; 0 for no end")
    parser.add_argument("--page", type=Path, default=PAGE, help="where the report goes")
    given = parser.parse_args()
    made = changes_in(given.modules)
    if given.again:
        rows = [line.split("\t") for line in given.again.read_text().splitlines()]
        missed = {name for name, verdict, _ in rows if verdict not in NOTICED}
        made = [one for one in made if one.name in missed]
    random = Random(given.seed)
    # In any order by chance, what is tried when the time is over is a fair sample.
    some = random.sample(made, min(given.sample or len(made), len(made)))
    tried = try_them(some, given.jobs, given.budget, given.minutes)
    is_cut = len(tried) < len(some)
    chosen = f"sample with seed {given.seed}" if given.sample or is_cut else "all changes"
    chosen += f" of {', '.join(given.modules)}" if given.modules else ""
    page = report(tried, len(made), chosen)
    given.page.write_text(page)
    print(page.split("\n\n")[2])
    noticed = sum(one.verdict in NOTICED for one in tried)
    if 100 * noticed < given.minimum * len(tried):
        sys.exit(f"fewer than {given.minimum} % were noticed; {given.page} names the survivors")


if __name__ == "__main__":
    main()
