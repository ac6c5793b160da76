"""Files that are whole or absent, never overwrite another one, and have names that stay below their folder."""

import contextlib
import enum
import errno
import hashlib
import itertools
import os
import re
import unicodedata
from pathlib import Path

from runtime.errors import FileDiffers, MachineryError, Misconfigured, Unavailable, UnsafeName

NAME_BYTES_MAX = 200
SLUG_CHARACTERS_MAX = 60
HASH_CHARACTERS = 10
DEFAULT_MODE = 0o640

_RESERVED = frozenset(
    ["con", "prn", "aux", "nul", *(f"com{n}" for n in range(10)), *(f"lpt{n}" for n in range(10))],
)
_FORBIDDEN = re.compile(r'[<>:"/\\|?*]')
_NO_LINKS = frozenset([errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK])
_part_numbers = itertools.count()


class Written(enum.Enum):
    """What `write_new` found: nothing there before, or already the same bytes."""

    NEW = "new"
    SAME = "same"


def write_new(path: Path, content: bytes, *, mode: int = DEFAULT_MODE) -> Written:
    """Make the file with exactly these bytes, durable when this returns; the same call again is harmless.

    Raises FileDiffers when the file exists with other content (it is left alone), Misconfigured when the folder
    cannot be written, Unavailable when the disk is full.
    """
    if path.exists():
        return _compare(path, content)
    part = _write_part(path, content, mode)
    try:
        _publish(part, path)
    except FileExistsError:
        return _compare(path, content)
    finally:
        part.unlink(missing_ok=True)
    sync_folder(path.parent)
    return Written.NEW


def replace(path: Path, content: bytes, *, mode: int = DEFAULT_MODE) -> None:
    """Put these bytes in place of the file, whole or not at all; for files only we write, such as our own state."""
    part = _write_part(path, content, mode)
    try:
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    sync_folder(path.parent)


def make_folder(folder: Path) -> Path:
    """The folder, made with its parents when missing; raises Misconfigured when it cannot be made or written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _not_writable(folder, error) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise _not_writable(folder, PermissionError(errno.EACCES, "not writable"))
    return folder


def safe_name(text: str, *, suffix: str = "") -> str:
    """A portable file name for any text: readable slug, short hash of the whole text, suffix such as `.json`.

    Different texts give different names, also when they look alike after slugging.
    """
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii").lower()
    slug = re.sub(r"[^a-z0-9]+", "-", ascii_text)[:SLUG_CHARACTERS_MAX].strip("-") or "unnamed"
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:HASH_CHARACTERS]
    return check_name(f"{slug}-{digest}{suffix}")


def check_name(name: str) -> str:
    """The name itself when it is one harmless path component on every system; raises UnsafeName otherwise."""
    problem = _name_problem(name)
    if problem:
        raise UnsafeName(
            "file-name-unsafe",
            f"{name[:80]!r} cannot be a file name: {problem}.",
            "Use letters, digits, dots and dashes.",
        )
    return name


def join_under(root: Path, *names: str) -> Path:
    """The path below `root`, links resolved; raises UnsafeName when a name is unsafe or a link leads out of `root`."""
    base = root.resolve()
    path = base.joinpath(*(check_name(name) for name in names)).resolve()
    if path == base or not path.is_relative_to(base):
        raise UnsafeName(
            "file-outside-folder",
            f"{'/'.join(names)!r} leads out of its folder {root.name!r}.",
            "Remove the link that leads out of the folder.",
        )
    return path


def sync_folder(folder: Path) -> None:
    """Make renames in this folder durable; systems that cannot open a folder skip it."""
    flags = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0)
    try:
        descriptor = os.open(folder, flags)
    except PermissionError:
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_part(path: Path, content: bytes, mode: int) -> Path:
    part = path.parent / f".{os.getpid()}-{next(_part_numbers)}.{path.name[: NAME_BYTES_MAX // 4]}.part"
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0)
    try:
        descriptor = os.open(part, flags, mode)
    except OSError as error:
        raise _not_writable(path.parent, error) from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink()
        raise _write_failed(path.parent, error) from error
    return part


def _publish(part: Path, path: Path) -> None:
    """Give the finished part its name and replace nothing: unlike a rename, a hard link fails when the name exists."""
    try:
        os.link(part, path)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # Some file systems know no hard links; exclusive creation claims the name before the rename fills it.
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
        part.replace(path)


def _compare(path: Path, content: bytes) -> Written:
    if path.is_file() and path.stat().st_size == len(content) and path.read_bytes() == content:
        return Written.SAME
    raise FileDiffers(
        "file-exists-and-differs",
        f"{path.name!r} exists already and has other content; it was left as it is.",
        "Move the existing file away, then try again.",
        detail=str(path),
    )


def _name_problem(name: str) -> str:
    if not name or name in {".", ".."}:
        return "it is empty or means a folder"
    if any(unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for character in name):
        return "it has invisible or control characters"
    if _FORBIDDEN.search(name):
        return "it has one of the characters " + '< > : " / \\ | ? *'
    if name != name.strip(" ") or name.endswith(".") or name.startswith("."):
        return "it begins or ends with a blank or a dot"
    if name.split(".", maxsplit=1)[0].strip().lower() in _RESERVED:
        return "the name is reserved on some systems"
    if len(name.encode()) > NAME_BYTES_MAX:
        return f"it is longer than {NAME_BYTES_MAX} bytes"
    return ""


def _write_failed(folder: Path, error: OSError) -> MachineryError:
    if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
        return _not_writable(folder, error)
    return Unavailable(
        "disk-full",
        f"There is no room left on the disk of {str(folder)!r}.",
        "Free some room; nothing was half written.",
        detail=repr(error),
    )


def _not_writable(folder: Path, error: OSError) -> Misconfigured:
    return Misconfigured(
        "folder-not-writable",
        f"The folder {str(folder)!r} cannot be written: {error.strerror or error}.",
        "Choose another folder or change its permissions.",
        detail=repr(error),
    )
