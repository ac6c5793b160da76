"""Outside text made fit for paper: one line, no hidden or turning characters, nothing the fonts cannot show.

A character without a letter is shown as a box and reported, never dropped in silence. Typst gets texts as values and
reads no markup in them.
"""

import re
import unicodedata
from collections.abc import Iterable

MISSING = "\u25a1"
BREAK = "\u200b"
WORD_CHARACTERS_MAX = 22
MARKS_MAX = 3
_BLANK = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")
_LONG_WORD = re.compile(rf"\S{{{WORD_CHARACTERS_MAX + 1},}}")
_MARK = r"[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
_MARKS = re.compile(rf"({_MARK}{{{MARKS_MAX}}}){_MARK}+")
# Formatting characters change how others look and show nothing themselves; variation selectors belong to emoji.
_UNSEEN = {"Cf", "Cc", "Cs", "Co", "Cn"}


class Printer:
    """Makes texts printable with the characters at hand, and remembers which were missing."""

    def __init__(self, characters: frozenset[int]) -> None:
        self._characters = characters
        self.missing: set[str] = set()

    def line(self, text: str) -> str:
        """The text as one line; very long words may break."""
        plain = _BLANK.sub(" ", unicodedata.normalize("NFC", text)).strip()
        if not plain.isascii():
            plain = _MARKS.sub(r"\1", plain)
            plain = "".join(self._letter(letter) for letter in plain)
        return _LONG_WORD.sub(_with_breaks, plain)

    def lines(self, texts: Iterable[str]) -> list[str]:
        """Several lines; empty ones fall away."""
        return [line for text in texts if (line := self.line(text))]

    def paragraphs(self, text: str) -> list[str]:
        """Paragraphs of a longer text: a blank line begins a new one."""
        return self.lines(re.split(r"\n\s*\n", text))

    def _letter(self, letter: str) -> str:
        code = ord(letter)
        if code < 0x7F or (code in self._characters and unicodedata.category(letter) not in _UNSEEN):
            return letter
        if unicodedata.category(letter) in {"Cf", "Cc"} or 0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF:
            return ""
        if unicodedata.category(letter) == "Zs":
            return " "
        self.missing.add(letter)
        return MISSING


def _with_breaks(found: re.Match[str]) -> str:
    word = found[0]
    step = WORD_CHARACTERS_MAX
    return BREAK.join(word[start : start + step] for start in range(0, len(word), step))
