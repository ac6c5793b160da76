"""What holds for one call of the command line: how to answer, whom to ask, which project."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

FLAGS = {
    "--json": "Answer as JSON with a published schema.",
    "--quiet": "Nothing on stderr but errors.",
    "--no-input": "Never ask; fail with the name of the missing option.",
    "--no-color": "No colours (also with NO_COLOR).",
    "--debug": "Show tracebacks and details for engineers.",
}
PROJECT = "--project"


@dataclass(frozen=True)
class Session:
    """The shared options of one call."""

    json: bool = False
    quiet: bool = False
    no_input: bool = False
    no_color: bool = False
    debug: bool = False
    project: Path = field(default_factory=Path)
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def colors(self) -> bool:
        """Colour and animation are for terminals only."""
        return not self.no_color and not self.environment.get("NO_COLOR") and sys.stderr.isatty()

    @property
    def asks(self) -> bool:
        """Whether a person can be asked."""
        return not self.no_input and not self.json and sys.stdin.isatty()


def split_arguments(arguments: Sequence[str]) -> tuple[Session, list[str]]:
    """Take the shared options out of the arguments, wherever they stand before `--`.

    They are accepted at any place because nobody remembers on which side of a command an option has to stand.
    """
    flags: set[str] = set()
    project = ""
    rest: list[str] = []
    waiting = iter(arguments)
    for argument in waiting:
        if argument == "--":
            rest += [argument, *waiting]
        elif argument in FLAGS:
            flags.add(argument)
        elif argument == PROJECT:
            project = next(waiting, "")
        elif argument.startswith(f"{PROJECT}="):
            project = argument.removeprefix(f"{PROJECT}=")
        else:
            rest.append(argument)
    session = Session(
        json="--json" in flags,
        quiet="--quiet" in flags,
        no_input="--no-input" in flags,
        no_color="--no-color" in flags,
        debug="--debug" in flags or os.environ.get("BILLSTREAM_DEBUG") == "1",
        project=Path(project or "."),
        environment=dict(os.environ),
    )
    return session, rest
