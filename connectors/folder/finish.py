"""Moving a file out of the way when its rows are stored, with a report beside it; safe against a crash at any point.

The order is: records acknowledged, report written, file moved. A crash before the move leaves the file where it was; it
is read again after the restart and its rows are nothing new.
"""

import json
import os
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from connectors.folder.watch import SettledFile, look_at
from runtime import files
from schemas.errors import Conflict

NUMBERS_TRIED = 10_000


class Outcome(StrEnum):
    """What became of a file; the word is the ending of its new name."""

    DONE = "done"
    REFUSED = "refused"


def finish(file: SettledFile, outcome: Outcome, report: Mapping[str, object]) -> Path:
    """Move `week.csv` to `week.csv.done` (or `.2.done` when that is taken) and write `week.csv.done.json`.

    Call it when the broker has acknowledged everything that was read. Returns the new path. Raises Conflict when the
    file changed since it was handed out; then it stays and will be handed out again.
    """
    if look_at(file.path) != file:
        raise Conflict("file_changed", f"{file.path.name} changed while it was imported.", "It will be read again.")
    text = json.dumps(report, indent=2, ensure_ascii=False, default=str) + "\n"
    for number in range(1, NUMBERS_TRIED):
        target = file.path.with_name(f"{file.path.name}{'' if number == 1 else f'.{number}'}.{outcome.value}")
        if target.exists():
            continue
        files.replace(target.with_name(target.name + ".json"), text.encode())
        if _moved(file.path, target):
            files.sync_folder(target.parent)
            return target
    raise Conflict("no_free_name", f"There are too many finished files named {file.path.name}.", "Clear the folder.")


def _moved(source: Path, target: Path) -> bool:
    """Whether the file is at its new name now; False when somebody else took that name meanwhile."""
    try:
        os.link(source, target)
    except FileExistsError:
        return False
    except OSError:
        # A file system without links cannot refuse an existing name in one step; the look above has to do.
        source.rename(target)
        return True
    source.unlink()
    return True
