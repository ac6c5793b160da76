"""Mutation testing of billing/ with the changes of mutmut (docs/decisions/0021).

Writes docs/mutation.md: the revision, a table by module, and each survivor with its reason from docs/mutation.toml.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest

from tests.mutation.changes import Change, changes_of
from tests.mutation.report import NOTICED, report
from tests.mutation.trying import Trial, Tried, Verdict
from tests.mutation.typed import refused

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs" / "mutation.md"
ANSWERS = ROOT / "build" / "mutation.tsv"
TESTS = ("tests/billing", "tests/books", "tests/mutation/single_firms.py")
# What looks at documents or files instead of answers.
LEFT_OUT = ("tests/billing/test_documented.py", "tests/books/stores", "tests/books/test_rebuild.py")
NOT_CHANGED = ("__init__", "testing")
"""Modules of billing/ that are not rules: what tests are written with."""
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


def try_them(changes: Sequence[Change], given: argparse.Namespace) -> list[Tried]:
    """Run the tests that reach each change; verdicts are written down as they come."""
    ANSWERS.parent.mkdir(exist_ok=True)
    with ANSWERS.open("w") as answers:

        def note(one: Tried) -> None:
            print(one.change.name, one.verdict, one.test, sep="\t", file=answers, flush=True)

        trial = Trial(changes, given.jobs, given.budget, given.minutes, note)
        ignored = [f"--ignore={name}" for name in LEFT_OUT]
        code = pytest.main([*OPTIONS, f"--rootdir={ROOT}", *ignored, *given.tests], plugins=[trial])
    if code or not (given.minutes or len(trial.tried) == len(changes)):
        sys.exit(f"the tests could not be collected or do not pass: pytest says {code}")
    return sorted(trial.tried, key=lambda one: (one.change.function.name, one.change.number))


def written_in(path: Path, changes: Sequence[Change]) -> list[Tried]:
    """The verdicts of an earlier run over the same code."""
    rows = {name: (verdict, test) for name, verdict, test in (row.split("\t") for row in path.read_text().splitlines())}
    found = [(one, *rows[one.name]) for one in changes if one.name in rows]
    return [Tried(change, Verdict(verdict), test) for change, verdict, test in found]


def main() -> None:
    """Make the changes, choose, try, report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, default=0, help="how many changes; 0 for all")
    parser.add_argument("--seed", type=int, default=1, help="which ones")
    parser.add_argument("--modules", nargs="*", default=[], help="only of these modules")
    parser.add_argument("--tests", nargs="*", default=TESTS, help="with the tests in these folders and files")
    parser.add_argument("--minimum", type=int, default=0, help="fail below this percentage")
    parser.add_argument("--jobs", type=int, default=2, help="how many processes at once")
    parser.add_argument("--budget", type=float, default=1.5, help="seconds for the tests of one change")
    parser.add_argument("--verdicts", type=Path, help="write the page of these verdicts (build/mutation.tsv)")
    parser.add_argument("--again", action="store_true", help="try again what those verdicts say was not noticed")
    parser.add_argument("--types", action="store_true", help="ask the type checker about the survivors")
    parser.add_argument("--minutes", type=float, default=0, help="try no further change after so many; 0 for no end")
    parser.add_argument("--page", type=Path, default=PAGE, help="where the report goes")
    given = parser.parse_args()
    made = changes_in(given.modules)
    random = Random(given.seed)
    # In any order by chance, what is tried when the time is over is a fair sample.
    some = random.sample(made, min(given.sample or len(made), len(made)))
    if given.verdicts and given.again:
        some = [one.change for one in written_in(given.verdicts, made) if one.verdict not in NOTICED]
    is_read = given.verdicts and not given.again
    tried = written_in(given.verdicts, made) if is_read else try_them(some, given)
    chosen = "all changes" if len(tried) == len(made) else f"sample with seed {given.seed}"
    chosen += f" of {', '.join(given.modules)}" if given.modules else ""
    with TemporaryDirectory() as folder:
        missed = [one.change for one in tried if one.verdict not in NOTICED]
        says = refused(ROOT, Path(folder), missed) if given.types else {}
    page = report(ROOT, tried, len(made), chosen, says)
    given.page.write_text(page)
    print("\n".join(page.split("\n\n")[2:4]))
    noticed = sum(one.verdict in NOTICED for one in tried)
    if 100 * noticed < given.minimum * len(tried):
        sys.exit(f"fewer than {given.minimum} % were noticed; {given.page} names the survivors")


if __name__ == "__main__":
    main()
