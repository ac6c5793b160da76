"""Why a worker ended by itself, in one word that can be counted: said by the worker's process, read by who supervises.

The product says it in its log; here it is left in a file, for the next start appends to the same log.
"""

import logging
import sys
import time
from pathlib import Path
from types import TracebackType

from runtime.errors import MachineryError
from schemas.errors import BillstreamError

RECENT_SECONDS = 5.0
"""So long before the end an error may be its cause: the client wraps what its sender fell over and forgets it."""
UNFINISHED, NO_WORD = "not ended in time", "no word"


def reason_of(error: BaseException) -> str:
    """The deepest cause that has a code of ours; without one the deepest cause's type."""
    chain = [error]
    while (cause := chain[-1].__cause__ or chain[-1].__context__) is not None and cause not in chain:
        chain.append(cause)
    codes = [one.code for one in chain if isinstance(one, BillstreamError | MachineryError)]
    return codes[-1] if codes else type(chain[-1]).__name__


def _has_code(reason: str) -> bool:
    return reason == reason.lower()


class LastWord(logging.Handler):
    """Keeps the first critical error of this process in a file; what comes after it follows from it."""

    def __init__(self, file: Path) -> None:
        super().__init__(logging.ERROR)
        self._file = file
        self._lately: tuple[float, str] = (float("-inf"), "")

    def emit(self, record: logging.LogRecord) -> None:
        """See `logging.Handler`."""
        error = record.exc_info[1] if record.exc_info else None
        if record.levelno >= logging.CRITICAL:
            self._write(UNFINISHED if error is None else reason_of(error))
        elif error is not None and _has_code(reason := reason_of(error)):
            self._lately = time.monotonic(), reason

    def uncaught(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        """In the place of `sys.excepthook`: what no loop caught ends the process, too."""
        self._write(reason_of(error))
        sys.__excepthook__(kind, error, trace)

    def _write(self, reason: str) -> None:
        seconds, lately = self._lately
        if not _has_code(reason) and time.monotonic() - seconds < RECENT_SECONDS:
            reason = lately
        if not self._file.exists():
            self._file.write_text(reason)


def last_word(file: Path, code: int) -> str:
    """What an ended process has left, or its exit code; the next one begins without a word."""
    if not file.exists():
        return f"{NO_WORD} ({code})"
    word = file.read_text()
    file.unlink()
    return word
