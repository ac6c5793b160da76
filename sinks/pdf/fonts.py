"""The letters a document may use: our own fonts, those of the firm behind them, never those of the machine."""

import struct
from dataclasses import dataclass
from pathlib import Path

import typst

from schemas.errors import ConfigurationError
from sinks.pdf.settings import Typeface

OWN_FOLDER = Path(__file__).parent / "fonts"
FAMILIES = {Typeface.SANS: "Billstream Sans", Typeface.SERIF: "Billstream Serif"}
FONT_BYTES_MAX = 32 * 1024 * 1024
FONTS_MAX = 24
SUFFIXES = (".otf", ".ttf")


@dataclass(frozen=True, slots=True)
class Letters:
    """Loaded fonts, the families in the order they are tried, and every character they can show."""

    loaded: typst.Fonts
    families: tuple[str, ...]
    characters: frozenset[int]


def load_letters(typeface: Typeface, more: Path | None) -> Letters:
    """Our fonts, the chosen family first, then those of a folder; raises ConfigurationError for an unusable folder."""
    folders = [OWN_FOLDER] if more is None else [OWN_FOLDER, _checked(more)]
    loaded = typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(one) for one in folders]
    )
    chosen = FAMILIES[typeface]
    rest = sorted({font.family for font in loaded.fonts()} - {chosen})
    own_first = sorted(rest, key=lambda family: family not in FAMILIES.values())
    files = [path for folder in folders for path in _font_files(folder)]
    characters = frozenset[int]().union(*(characters_of(path.read_bytes()) for path in files))
    return Letters(loaded, (chosen, *own_first), characters)


def _font_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)


def _checked(folder: Path) -> Path:
    """The firm's folder of fonts, when it can be used."""
    fix = "Name a folder with .ttf or .otf files under `fonts`, or leave it out."
    if not folder.is_dir():
        raise ConfigurationError("pdf_fonts_unusable", f"There is no folder of fonts at {folder}.", fix)
    files = _font_files(folder)
    if not files or len(files) > FONTS_MAX:
        said = f"{folder} holds {len(files)} fonts; 1 to {FONTS_MAX} are read."
        raise ConfigurationError("pdf_fonts_unusable", said, fix)
    for path in files:
        if path.stat().st_size > FONT_BYTES_MAX:
            raise ConfigurationError("pdf_fonts_unusable", f"{path.name} is larger than a font may be.", fix)
        if not characters_of(path.read_bytes()):
            raise ConfigurationError("pdf_fonts_unusable", f"{path.name} is not a font that can be read.", fix)
    return folder


def characters_of(font: bytes) -> frozenset[int]:
    """The characters of a TrueType or OpenType font, from its table of characters; empty when it is no such font."""
    try:
        offset = _table(font, b"cmap")
        count = struct.unpack_from(">H", font, offset + 2)[0]
        found: set[int] = set()
        for index in range(count):
            start = offset + struct.unpack_from(">I", font, offset + 8 + index * 8)[0]
            found |= _subtable(font, start)
    except (struct.error, ValueError):
        return frozenset()
    return frozenset(found)


def _table(font: bytes, name: bytes) -> int:
    for index in range(struct.unpack_from(">H", font, 4)[0]):
        tag, _, offset, _ = struct.unpack_from(">4sIII", font, 12 + index * 16)
        if tag == name:
            return int(offset)
    raise ValueError(f"no table {name!r}")


def _subtable(font: bytes, start: int) -> set[int]:
    """Characters of the two forms that carry Unicode: segments of 16 bits, and groups of 32 bits."""
    form = struct.unpack_from(">H", font, start)[0]
    if form == 4:
        segments = struct.unpack_from(">H", font, start + 6)[0] // 2
        ends = struct.unpack_from(f">{segments}H", font, start + 14)
        starts = struct.unpack_from(f">{segments}H", font, start + 16 + segments * 2)
        return {one for first, last in zip(starts, ends, strict=True) for one in range(first, last + 1)} - {0xFFFF}
    if form == 12:
        groups = struct.unpack_from(">I", font, start + 12)[0]
        if groups * 12 > len(font):
            raise ValueError("more groups than the file holds")
        found: set[int] = set()
        for index in range(groups):
            first, last, _ = struct.unpack_from(">III", font, start + 16 + index * 12)
            if last - first > 0x11_0000:
                raise ValueError("a group larger than Unicode")
            found.update(range(first, last + 1))
        return found
    return set()
