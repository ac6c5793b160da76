"""The firm's logo: read and judged once, then kept in a folder of its own, the only one that the template can read."""

import shutil
import tempfile
import weakref
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import ConfigurationError

LOGO_BYTES_MAX = 2 * 1024 * 1024
_STARTS = {".png": b"\x89PNG\r\n", ".jpg": b"\xff\xd8\xff", ".jpeg": b"\xff\xd8\xff"}
_SVG_START_BYTES = 4_096


@dataclass(frozen=True, slots=True)
class LogoFile:
    """A logo as it was read: its suffix says what it is."""

    suffix: str
    content: bytes

    @property
    def name(self) -> str:
        """What the template calls it."""
        return f"logo{self.suffix}"


class Room:
    """A folder with the logo and nothing else; it goes when this object does."""

    def __init__(self, logo: LogoFile | None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="billstream-paper-"))
        weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)
        if logo is not None:
            (self.folder / logo.name).write_bytes(logo.content)


def read_logo(path: Path) -> LogoFile:
    """The logo of the settings; raises ConfigurationError when it is missing, too large or something else."""
    fix = "Set `logo` to a PNG, JPEG or SVG file of at most 2 MB, or leave it out."
    try:
        content = path.read_bytes() if path.stat().st_size <= LOGO_BYTES_MAX else b""
    except OSError as error:
        message = f"The logo {path} cannot be read."
        raise ConfigurationError("pdf_logo_unusable", message, fix, str(error)) from error
    suffix = path.suffix.lower()
    start = _STARTS.get(suffix, b"")
    is_svg = suffix == ".svg" and b"<svg" in content[:_SVG_START_BYTES]
    if not content or not (content.startswith(start) if start else is_svg):
        raise ConfigurationError("pdf_logo_unusable", f"{path} is too large, or not what its name says.", fix)
    return LogoFile(suffix, content)
