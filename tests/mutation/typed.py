"""Which changes the type checker refuses: nobody could commit them, whatever the tests say.

All changes of a module are written into a copy of it as functions of their own names, so that one run judges them.
"""

import re
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from textwrap import indent

from tests.mutation.changes import Change

_ROOMS = ("schemas", "billing")
_ERROR = re.compile(r"billing/(\w+)\.py:(\d+): error: (.*)")


def refused(root: Path, work: Path, changes: Iterable[Change]) -> dict[str, str]:
    """What the type checker says against each of these changes that it refuses, by the change's name."""
    for room in _ROOMS:
        shutil.copytree(root / room, work / room)
    shutil.copy2(root / "pyproject.toml", work)
    of_module: defaultdict[str, list[Change]] = defaultdict(list)
    for change in changes:
        of_module[change.function.module].append(change)
    spans = {module: _write(work / "billing" / f"{module}.py", some) for module, some in of_module.items()}
    command = [sys.executable, "-m", "mypy", "--no-incremental", "--no-error-summary", "billing"]
    said = subprocess.run(command, cwd=work, check=False, capture_output=True, text=True).stdout
    found: dict[str, str] = {}
    for module, line, message in _ERROR.findall(said):
        for first, last, name in spans.get(module, ()):
            if first <= int(line) <= last:
                found.setdefault(name, message)
    return found


def _write(path: Path, changes: Sequence[Change]) -> list[tuple[int, int, str]]:
    """Put the changed functions behind their originals; the lines `[first, last]` of each, and its name."""
    lines = path.read_text().splitlines()
    spans: list[tuple[int, int, str]] = []
    for change in sorted(changes, key=lambda one: one.function.tree.end_lineno or 0, reverse=True):
        tree = change.function.tree
        text = change.text().replace(f"def {tree.name}(", f"def {tree.name}__{change.number}(", 1)
        added = ["", *indent(text, " " * tree.col_offset).splitlines()]
        end = tree.end_lineno or 0
        lines[end:end] = added
        spans = [(first + len(added), last + len(added), name) for first, last, name in spans]
        spans.append((end + 1, end + len(added), change.name))
    path.write_text("\n".join(lines) + "\n")
    return spans
