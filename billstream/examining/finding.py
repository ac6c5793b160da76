"""What a check finds, and what it is given to look at."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from billstream.cli.exits import Exit
from billstream.cli.session import Session
from billstream.configuration.load import Configuration
from billstream.settings import Installation
from runtime.errors import MachineryError
from schemas.errors import BillstreamError

LINES_SHOWN = 3


class State(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Finding:
    """A check's answer; `exit_code` counts when it failed."""

    state: State
    found: str
    fix: str = ""
    exit_code: Exit = Exit.FAILED


@dataclass(frozen=True)
class Patient:
    """What is examined: the project as far as it could be read, the machine's environment, and the time."""

    session: Session
    folder: Path
    installation: Installation | None
    settings_error: BillstreamError | None
    configuration: Configuration | None
    configuration_error: BillstreamError | None
    now: datetime

    @property
    def environment(self) -> Mapping[str, str]:
        """Variables of the machine."""
        return self.session.environment


Look = Callable[[Patient], Finding]
"""A check of the machine or of files."""
ProjectLook = Callable[[Patient, Installation], Finding]
"""A check that needs settings that could be read."""
AsyncLook = Callable[[Patient, Installation], Awaitable[Finding]]
"""A check that asks another program."""


def ok(found: str) -> Finding:
    """All is well."""
    return Finding(State.OK, found)


def warning(found: str, fix: str) -> Finding:
    """It works, and somebody should look at it."""
    return Finding(State.WARNING, found, fix)


def failed(found: str, fix: str, exit_code: Exit = Exit.FAILED) -> Finding:
    """It does not work."""
    return Finding(State.FAILED, found, fix, exit_code)


def skipped(found: str) -> Finding:
    """It could not be looked at, or does not matter here."""
    return Finding(State.SKIPPED, found)


def of_error(error: BillstreamError | MachineryError) -> Finding:
    """An error as a finding: its first lines, its way out, its exit code."""
    lines = error.message.splitlines()
    more = f" (and {len(lines) - LINES_SHOWN} more)" if len(lines) > LINES_SHOWN else ""
    known = {code.value for code in Exit}
    code = Exit(error.exit_code) if error.exit_code in known else Exit.FAILED
    return failed("; ".join(lines[:LINES_SHOWN]) + more, error.fix or "Run `billstream contracts check`.", code)
