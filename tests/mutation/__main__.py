"""Mutation testing of billing/ with mutmut, over a copy of the rooms it needs (docs/decisions/0021).

Writes docs/mutation.md: the revision, a table by module, and each survivor with its reason from docs/mutation.toml.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from random import Random

ROOT = Path(__file__).resolve().parent.parent.parent
WORK = ROOT / "build" / "mutation"
ROOMS = ("schemas", "runtime", "billing", "books")
TESTS = ("tests/billing", "tests/laws", "tests/second")
# What a clean copy cannot run, or what looks at documents instead of answers.
LEFT_OUT = ("tests/billing/test_documented.py",)
FIRST = "billing.exact.x_*__mutmut_1"
"""A few cheap mutants: running them makes all mutants and times the tests."""
OPEN = "open: no test of this set notices"
STATUS = {0: "survived", 1: "killed", 3: "killed", 33: "no test", 34: "skipped", 35: "suspicious", 36: "timeout"}
# mutmut 3.7 asks an item for a private name that pytest 9.2 no longer has; 3.8 does not, but needs a newer click than
# Faust allows. To be removed with the next of both.
SHIM = """
def pytest_itemcollected(item):
    item._nodeid = item.nodeid
"""
CONFIG = """
[tool.mutmut]
source_paths = ["billing/"]
also_copy = {rooms}
pytest_add_cli_args_test_selection = {tests}
pytest_add_cli_args = ["-p", "no:cacheprovider", "--hypothesis-profile=mutation", "-W", "default"]
only_mutate = {files}
"""


@dataclass(frozen=True)
class Mutant:
    """A change that was tried: its name, and what became of it."""

    name: str
    status: str

    @property
    def module(self) -> str:
        """The module it changes, without the room."""
        return self.name.split(".x", 1)[0].removeprefix("billing.")


def prepare(files: list[str]) -> None:
    """A fresh copy with its own settings, so that the checkout stays as it is."""
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    for name in (*ROOMS, *TESTS, "tests/conftest.py"):
        target = WORK / name
        target.parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copy2 if (ROOT / name).is_file() else shutil.copytree
        copy(ROOT / name, target)
    for name in LEFT_OUT:
        (WORK / name).unlink(missing_ok=True)
    (WORK / "conftest.py").write_text(SHIM)
    text = (ROOT / "pyproject.toml").read_text()
    rooms = [*(room for room in ROOMS if room != "billing"), "conftest.py"]
    settings = CONFIG.format(rooms=json.dumps(rooms), tests=json.dumps(TESTS), files=json.dumps(files))
    (WORK / "pyproject.toml").write_text(text + settings)


def mutmut(*arguments: str) -> None:
    """Run the tool in the copy; its progress goes to a file."""
    with (WORK / "mutmut.log").open("a") as log:
        command = [sys.executable, "-m", "mutmut", *arguments]
        done = subprocess.run(command, cwd=WORK, stdout=log, stderr=log, check=False)
    if done.returncode:
        sys.exit(f"mutmut stopped with {done.returncode}; the end of {WORK / 'mutmut.log'} says why")


def mutants() -> dict[str, int | None]:
    """All mutants that were made, with the exit code of their tests where they were tried."""
    found: dict[str, int | None] = {}
    for path in sorted((WORK / "mutants" / "billing").rglob("*.meta")):
        found |= json.loads(path.read_text())["exit_code_by_key"]
    return found


def modules_of(random: Random, count: int) -> list[str]:
    """So many modules by chance, larger ones rather than small ones; the smallest that is needed first is in."""
    paths = sorted(path for path in (ROOT / "billing").glob("*.py") if path.name not in ("__init__.py", "testing.py"))
    ranked = sorted(paths, key=lambda path: random.random() ** (1 / path.stat().st_size), reverse=True)
    return ["billing/exact.py", *(f"billing/{path.name}" for path in ranked[:count])]


def described(name: str) -> tuple[str, str]:
    """A survivor as (function, change): what was there, and what stood there instead."""
    shown = subprocess.run(
        [sys.executable, "-m", "mutmut", "show", name], cwd=WORK, check=False, capture_output=True, text=True
    ).stdout
    changed = [line for line in shown.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")]
    function = name.split("__mutmut_", 1)[0].removeprefix("billing.").replace(".x_", ".").replace(".xǁ", ".")
    return function, " / ".join(line[0] + " " + line[1:].strip() for line in changed)


def report(tried: list[Mutant], made: int, chosen: str) -> str:
    """The page: figures by module, then the survivors."""
    head = ["git", "log", "-1", "--format=%h of %cs"]
    revision = subprocess.run(head, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()
    judged = [one for one in tried if one.status != "no test"]
    killed = [one for one in tried if one.status in ("killed", "timeout")]
    lines = [
        "# What the tests of billing notice",
        "",
        "`script/mutate` changes billing/ in one place at a time and runs the tests that reach this place.",
        "A change that no test notices is a survivor: a missing test, or a change without effect.",
        "This page is written by that script; the reasons come from `docs/mutation.toml`.",
        "",
        f"Revision {revision}, {chosen}: {len(tried)} of {made} mutants tried, "
        f"{len(killed)} killed ({100 * len(killed) / max(1, len(tried)):.1f} %; "
        f"{100 * len(killed) / max(1, len(judged)):.1f} % of those that a test reaches).",
        "",
        "| module | tried | killed | timeout | survived | no test |",
        "|---|---|---|---|---|---|",
    ]
    for module in sorted({one.module for one in tried}):
        counts = Counter(one.status for one in tried if one.module == module)
        cells = [counts[name] for name in ("killed", "timeout", "survived", "no test")]
        lines.append(f"| {module} | {sum(counts.values())} | " + " | ".join(map(str, cells)) + " |")
    return "\n".join([*lines, "", "## Survivors", "", *survivors(tried)]) + "\n"


def survivors(tried: list[Mutant]) -> list[str]:
    """One line for each survivor, with its reason."""
    reasons = tomllib.loads((ROOT / "docs" / "mutation.toml").read_text())["reasons"]
    found = ["| function | change | reason |", "|---|---|---|"]
    for one in tried:
        if one.status not in ("killed", "timeout", "no test"):
            function, change = described(one.name)
            reason = next((text for part, text in reasons.items() if part in f"{function}: {change}"), OPEN)
            found.append(f"| `{function}` | `{change.replace('|', chr(92) + '|')}` | {reason} |")
    unreached = sorted({one.name.split("__mutmut_", 1)[0] for one in tried if one.status == "no test"})
    return [
        *found,
        "",
        "No test reaches: " + (", ".join(f"`{name}`" for name in unreached) or "nothing of the sample") + ".",
    ]


def main() -> None:
    """Make the mutants, choose, try, report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, default=0, help="how many mutants; 0 for all")
    parser.add_argument("--seed", type=int, default=1, help="which ones")
    parser.add_argument("--modules", type=int, default=0, help="only of so many modules, chosen by the seed; 0 for all")
    parser.add_argument("--minimum", type=int, default=0, help="fail below this percentage")
    given = parser.parse_args()
    random = Random(given.seed)
    files = modules_of(random, given.modules) if given.modules else ["billing/*.py"]
    prepare(files)
    mutmut("run", FIRST)
    made = [name for name in mutants() if not name.startswith("billing.testing.")]
    names = sorted(random.sample(made, min(given.sample, len(made)))) if given.sample else made
    mutmut("run", *names)
    codes = mutants()
    tried = [Mutant(name, STATUS.get(code if (code := codes[name]) is not None else 34, "killed")) for name in names]
    chosen = f"sample of {given.sample} with seed {given.seed}" if given.sample else "all mutants"
    chosen += f" of {given.modules} modules" if given.modules else ""
    page = report(tried, len(made), chosen)
    (ROOT / "docs" / "mutation.md").write_text(page)
    print(page.split("\n\n")[2])
    killed = sum(one.status in ("killed", "timeout") for one in tried)
    if 100 * killed < given.minimum * len(tried):
        sys.exit(f"fewer than {given.minimum} % were noticed; docs/mutation.md names the survivors")


if __name__ == "__main__":
    main()
