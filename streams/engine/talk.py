"""What the parts of the engine say of themselves (starting, stopping, waiting), as Faust does all at info level.

That is for whoever looks closely. Here it becomes debug; warnings and errors stay what they are.
"""

import logging

_TALKATIVE = tuple(f"streams.engine.{module}" for module in ("app", "consumer", "thread", "transport"))


class _Demote(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno != logging.INFO:
            return True
        record.levelno, record.levelname = logging.DEBUG, logging.getLevelName(logging.DEBUG)
        return logging.getLogger(record.name).isEnabledFor(logging.DEBUG)


_DEMOTE = _Demote()


def quieten() -> None:
    """Demote the talk of the engine's own parts; twice is harmless."""
    for name in _TALKATIVE:
        logging.getLogger(name).addFilter(_DEMOTE)
