"""What is wrong with a user's files: each problem names file, line, what was expected and the nearest valid word."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from schemas.errors import ConfigurationError

SHOWN_PROBLEMS_MAX = 3
INVALID = "invalid"
NOT_YET = "not_yet"
AMBIGUOUS = "ambiguous"
_FIXES = {
    NOT_YET: "Remove the clause or wait for a version that bills it.",
    AMBIGUOUS: "Ask those who signed it, and write the answer where the question stands.",
}


@dataclass(frozen=True)
class Problem:
    """One finding in one file; lines and columns count from 1, line 0 is the whole of it.

    `fix` says what to write instead; `code` is `invalid`, `not_yet` (a clause this version
    does not bill) or `ambiguous` (a sentence with two meanings: the message asks the question).
    """

    file: str
    line: int
    column: int
    message: str
    fix: str = ""
    code: str = INVALID

    @property
    def place(self) -> str:
        """`contracts/acme.yaml:14:3`, the form editors can jump to."""
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file

    @property
    def text(self) -> str:
        """The whole finding on one line."""
        return f"{self.place}: {self.message}" + (f" ({self.fix})" if self.fix else "")


class InvalidFiles(ConfigurationError):
    """A user's files cannot be used; `problems` holds every finding in file order, the message the first few."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        assert problems, "an error needs a finding"
        self.problems = tuple(problems)
        shown = [problem.text for problem in self.problems[:SHOWN_PROBLEMS_MAX]]
        more = len(self.problems) - len(shown)
        rest = [f"and {more} more; --json lists all"] if more else []
        kinds = {problem.code for problem in self.problems}
        super().__init__(
            "contract_ambiguous"
            if kinds == {AMBIGUOUS}
            else "contract_not_yet"
            if kinds == {NOT_YET}
            else "configuration_invalid",
            "\n".join([*shown, *rest]),
            _FIXES.get("".join(kinds), "Mend the lines named above."),
        )


def nearest(word: str, valid: Iterable[str]) -> str:
    """A phrase that names the nearest valid word, or all of them when none is near and they are few."""
    words = sorted(valid)
    lowered = {known.lower(): known for known in words}
    if match := get_close_matches(word.lower(), list(lowered), n=1, cutoff=0.6):
        return f"did you mean '{lowered[match[0]]}'?"
    if 0 < len(words) <= 12:
        return "write one of: " + ", ".join(words)
    return ""


def shown_path(path: Path, base: Path) -> str:
    """The path as the user would type it: below `base` without it, else whole."""
    return str(path.relative_to(base)) if path.is_relative_to(base) else str(path)
