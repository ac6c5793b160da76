"""Which files of a folder are whole: those whose size, time and inode stayed the same for a while.

Polling with stat works on every file system, network folders included; notifications do not. The caller owns the clock.
"""

import stat
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from pydantic import Field

from runtime.clock import Clock
from schemas.errors import ConfigurationError
from schemas.values import Value

EMPTY_SECONDS = 60
FILES_MAX = 10_000
_UNFINISHED = ("*.part", "*.partial", "*.tmp", "*.crdownload", "*.download", "*.swp", "~$*", ".*", "*~")


class FolderSettings(Value):
    """Where to look and how long a file must have been left alone."""

    folder: Path = Field(description="folder that is watched, not its subfolders")
    patterns: tuple[str, ...] = Field(
        default=("*.csv", "*.tsv", "*.txt", "*.jsonl", "*.ndjson"),
        description="names that are taken, without regard to case",
    )
    settle_seconds: int = Field(default=5, ge=1, description="a file is whole when it did not change for so long")
    poll_seconds: int = Field(default=2, ge=1, description="pause between two looks")


@dataclass(frozen=True, slots=True)
class SettledFile:
    """A whole file as it was when it was handed out."""

    path: Path
    size_bytes: int
    modified_ns: int
    inode: int


@dataclass(slots=True)
class _Seen:
    """A file under observation: what it looked like, since when, and whether it was handed out."""

    file: SettledFile
    since_seconds: float
    handed_out: bool = False


class FolderWatch:
    """Remembers what the files of a folder looked like. Hands out a file once, and again when it changed."""

    def __init__(self, settings: FolderSettings) -> None:
        self.settings = settings
        self._seen: dict[Path, _Seen] = {}

    def scan(self, now_seconds: float) -> list[SettledFile]:
        """Look once; the files that have settled, in the order of their names.

        After a restart a file has to settle anew, so one that is being written is never taken. Raises
        ConfigurationError when the folder cannot be read.
        """
        present = {file.path: file for file in self._files()}
        self._seen = {path: seen for path, seen in self._seen.items() if path in present}
        settled = []
        for path, file in sorted(present.items()):
            seen = self._seen.get(path)
            if seen is None or seen.file != file:
                self._seen[path] = _Seen(file, now_seconds)
            elif not seen.handed_out and now_seconds - seen.since_seconds >= self._wait_seconds(file):
                seen.handed_out = True
                settled.append(file)
        return settled

    def _wait_seconds(self, file: SettledFile) -> int:
        """Some programs make the file long before they write it, so an empty one gets more time."""
        return self.settings.settle_seconds if file.size_bytes else max(EMPTY_SECONDS, self.settings.settle_seconds)

    def _files(self) -> Iterator[SettledFile]:
        folder = self.settings.folder
        try:
            for count, path in enumerate(folder.iterdir()):
                if count >= FILES_MAX:
                    return
                if self._wanted(path.name.casefold()) and (file := look_at(path)) is not None:
                    yield file
        except OSError as error:
            reason = error.strerror or "unknown reason"
            message = f"The watched folder {folder.name} cannot be read: {reason}."
            raise ConfigurationError("folder_unreadable", message, "Make it, or name another one.") from error

    def _wanted(self, name: str) -> bool:
        if any(fnmatchcase(name, pattern) for pattern in _UNFINISHED):
            return False
        return any(fnmatchcase(name, pattern.casefold()) for pattern in self.settings.patterns)


def look_at(path: Path) -> SettledFile | None:
    """What a file looks like now; None when it is gone or no plain file (links are not followed)."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(found.st_mode):
        return None
    return SettledFile(path, found.st_size, found.st_mtime_ns, found.st_ino)


async def watch(folder: FolderWatch, clock: Clock) -> AsyncIterator[SettledFile]:
    """Hand out whole files for ever; call `finish` for each. What was not finished comes again after a restart."""
    while True:
        for file in folder.scan(clock.monotonic_seconds()):
            yield file
        await clock.sleep(folder.settings.poll_seconds)
