"""What Java learned from one start of Kafka, kept in a file: with it a start takes half the time and processor.

Java calls it an ahead-of-time cache: the classes of a run, read and linked (JEP 483, 514). It fits one Java and one
class path, and only helps: without it, or with one that is damaged, Java starts as it always did.
"""

import hashlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from runtime.broker.lock import FolderLock
from runtime.files import make_folder

FOLDER = "starts"
_LEARNT = "learnt"


def file_of(java: Path, class_path: Sequence[Path], cache: Path) -> Path:
    """Where it is kept for this Java and these jars; another of either gets another file."""
    release = java.parent.parent / "release"
    said = release.read_bytes() if release.is_file() else b""
    jars = os.pathsep.join(str(jar) for jar in class_path)
    return cache / FOLDER / f"{hashlib.sha256(said + jars.encode()).hexdigest()[:16]}.aot"


@contextmanager
def learning(file: Path) -> Iterator[Path | None]:
    """A folder for a broker that starts and stops once and leaves `learnt` there, which then becomes the file.

    None when it is there meanwhile, or while another process learns: nobody waits for what only helps.
    """
    folder = make_folder(file.parent)
    lock = FolderLock(folder / ".lock")
    if file.exists() or not lock.try_acquire():
        yield None
        return
    try:
        with tempfile.TemporaryDirectory(dir=folder) as trial:
            yield Path(trial)
            learnt = Path(trial) / _LEARNT
            if learnt.is_file():
                learnt.replace(file)
    finally:
        lock.release()


def flags(file: Path | None, trial: Path | None) -> tuple[str, ...]:
    """What Java has to be told to use the file, or to learn in a trial folder."""
    if trial is not None:
        return (f"-XX:AOTCacheOutput={trial / _LEARNT}",)
    return () if file is None or not file.is_file() else (f"-XX:AOTCache={file}", "-Xlog:aot=off", "-Xlog:cds=off")
