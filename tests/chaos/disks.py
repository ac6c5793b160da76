"""What can happen to disks: one that is full, and a store's file that is torn while nobody has it open."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from random import Random

ROOMY_BYTES = 8 * 1024**3
PAGE_BYTES = 4096
LEFT_BYTES = 64 * 1024


@dataclass
class SmallDisk:
    """A file system in memory below a folder, whose size is what it holds when it is to be full."""

    folder: Path
    mounted: bool = False

    def mount(self) -> bool:
        """False where we may not: then the folder is an ordinary one, and this fault does not happen."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.mounted = self._run("mount", "-t", "tmpfs", "-o", f"size={ROOMY_BYTES}", "tmpfs")
        return self.mounted

    def fill(self) -> None:
        """Leave room for next to nothing."""
        used_bytes = shutil.disk_usage(self.folder).used
        while not self._resize(used_bytes + LEFT_BYTES):  # somebody wrote meanwhile
            used_bytes = shutil.disk_usage(self.folder).used + LEFT_BYTES

    def free(self) -> None:
        """Room again."""
        if self.mounted:
            assert self._resize(ROOMY_BYTES), f"{self.folder} cannot grow"

    def unmount(self) -> None:
        """Give the memory back; what still works there is cut off from it."""
        if self.mounted:
            self.mounted = not self._run("umount", "--lazy")

    def _resize(self, size_bytes: int) -> bool:
        return self._run("mount", "-o", f"remount,size={size_bytes // PAGE_BYTES * PAGE_BYTES}")

    def _run(self, program: str, *arguments: str) -> bool:
        found = shutil.which(program)
        if found is None:
            return False
        return not subprocess.run([found, *arguments, str(self.folder)], capture_output=True, check=False).returncode


def tear(store: Path, random: Random) -> str:
    """Damage a store's file as a power cut may; says how. Changes that wait in its log are lost or torn, too."""
    log = store.with_name(store.name + "-wal")
    how = random.choice(["cut short", "a page of zeros", "a page of noise", "no head", "log cut short"])
    if how == "log cut short" and log.exists() and log.stat().st_size:
        os.truncate(log, random.randrange(log.stat().st_size))
        return how
    log.unlink(missing_ok=True)
    pages = store.stat().st_size // PAGE_BYTES
    if how == "cut short" or pages < 2:
        os.truncate(store, random.randrange(max(1, store.stat().st_size)))
        return "cut short"
    page = 0 if how == "no head" else random.randrange(1, pages)
    with store.open("r+b") as file:
        file.seek(page * PAGE_BYTES)
        file.write(bytes(PAGE_BYTES) if how == "a page of zeros" else random.randbytes(PAGE_BYTES))
    return how
