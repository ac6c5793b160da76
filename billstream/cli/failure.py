"""How a call fails: at most six lines with a code and a way out, or JSON; a traceback only with --debug."""

import json
import sys
import traceback
from types import TracebackType

from billstream.cli.exits import Exit
from billstream.cli.session import Session

LINES_MAX = 6
LINE_CHARACTERS_MAX = 300


class CommandFailed(Exception):
    """A command's own way to stop, for outcomes that no room has an error for."""

    def __init__(self, code: str, message: str, fix: str = "", exit_code: Exit = Exit.FAILED) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.fix = fix
        self.detail = ""
        self.exit_code = int(exit_code)


def report(session: Session, error: BaseException) -> int:
    """Say what failed and return the exit code."""
    code, message, fix, exit_code = _facts(error)
    if session.json:
        print(json.dumps(_body(error, code, message, fix, exit_code), ensure_ascii=False, indent=2))
    else:
        print("\n".join(_lines(code, message, fix)), file=sys.stderr)
    if session.debug:
        traceback.print_exception(error)
    return exit_code


def _facts(error: BaseException) -> tuple[str, str, str, int]:
    """Code, message, fix and exit code of any error."""
    from runtime.errors import MachineryError
    from schemas.errors import BillstreamError

    match error:
        case BillstreamError() | MachineryError() | CommandFailed():
            return error.code, error.message, error.fix, int(error.exit_code)
        case KeyboardInterrupt():
            fix = "What was acknowledged stands; run the same command again to go on."
            return "interrupted", "Interrupted.", fix, Exit.INTERRUPTED
        case TimeoutError():
            return "no_answer", "No answer in time.", "Is a worker running? `billstream status` says.", Exit.TRY_AGAIN
        case OSError():
            where = f": {error.filename}" if error.filename else ""
            return "system", f"{error.strerror or type(error).__name__}{where}", "", Exit.FAILED
        case _:
            pass
    said = " ".join(str(error).split())
    fix = "This is a mistake of ours: run the same with --debug and send us what it prints."
    return "internal_error", f"{type(error).__name__}: {said}", fix, Exit.FAILED


def _lines(code: str, message: str, fix: str) -> list[str]:
    """The message in at most six short lines; control characters of outside text are made visible."""
    said = [_inert(line) for line in message.splitlines()] or ["failed"]
    tail = [_inert(fix)] if fix else []
    kept = said[: LINES_MAX - len(tail) - (len(said) > LINES_MAX - len(tail))]
    if len(kept) < len(said):
        kept.append("...")
    kept[0] = f"error[{code}]: {kept[0]}"
    return [*kept, *tail]


def _inert(text: str) -> str:
    shown = "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)
    return shown if len(shown) <= LINE_CHARACTERS_MAX else shown[:LINE_CHARACTERS_MAX] + "..."


def _body(error: BaseException, code: str, message: str, fix: str, exit_code: int) -> dict[str, object]:
    """The JSON form, `billstream.error/1`; all problems of files are listed, not only the first few."""
    from billstream.configuration.problems import InvalidFiles

    problems: list[dict[str, str | int]] = []
    if isinstance(error, InvalidFiles):
        problems = [
            {
                "file": one.file,
                "line": one.line,
                "column": one.column,
                "message": one.message,
                "fix": one.fix,
                "code": one.code,
            }
            for one in error.problems
        ]
    return {
        "schema": "billstream.error/1",
        "code": code,
        "message": message,
        "fix": fix,
        "exit_code": exit_code,
        "problems": problems,
    }


def report_uncaught(session: Session) -> None:
    """Make Python's own last resort speak like every other failure."""

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        report(session, error.with_traceback(trace))

    sys.excepthook = hook
