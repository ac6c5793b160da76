"""Texts for a format without quoting: delimiters and line breaks become blanks, accents and typography plain letters.

A character that cannot be carried becomes SUBSTITUTE (0x1A), which the validator refuses: nothing goes in silence.
"""

import unicodedata

from sinks.ledes_1998b.settings import CharacterSet

SUBSTITUTE = "\x1a"
_DELIMITERS = "|[]"
_BREAKING = str.maketrans({"|": " ", "[": "(", "]": ")"})
_PLAIN = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′ʼ´`", "'"),
        **dict.fromkeys("“”„‟″«»", '"'),
        **dict.fromkeys("‐‑‒–—―−", "-"),
        **dict.fromkeys("•‣·", "*"),
        "⁄": "/",
        "…": "...",
        "¡": "!",
        "¿": "?",
        "¢": "c",
        "¤": " ",
        "¦": " ",
        "¬": "-",
        "°": " deg.",
        "±": "+/-",
        "µ": "u",
        "¶": " ",
        "ħ": "h",
        "Ħ": "H",
        "ĸ": "k",
        "ŋ": "n",
        "Ŋ": "N",
        "ŧ": "t",
        "Ŧ": "T",
        "Ð": "D",
        "Þ": "Th",
        "ß": "ss",
        "ẞ": "SS",
        "æ": "ae",
        "Æ": "AE",
        "œ": "oe",
        "Œ": "OE",
        "ø": "o",
        "Ø": "O",
        "ł": "l",
        "Ł": "L",
        "đ": "d",
        "Đ": "D",
        "ð": "d",
        "þ": "th",
        "ı": "i",
        "€": "EUR ",
        "£": "GBP ",
        "¥": "JPY ",
        "§": "Sec. ",
        "×": "x",
        "÷": "/",
        "©": "(c)",
        "®": "(R)",
        "→": "->",
        "≤": "<=",
        "≥": ">=",
    }
)


def free_text(text: str, characters: CharacterSet) -> str:
    """A description or a name as the receiver can read it: one line, single blanks, no delimiters."""
    if text.isascii() and text.isprintable():  # nearly all texts, and the slow way would give the same
        return " ".join(text.translate(_BREAKING).split())
    composed = unicodedata.normalize("NFC", text)
    spelled = composed if characters is CharacterSet.UTF_8 else "".join(_spell(each, characters) for each in composed)
    blanked = "".join(_blank(each) for each in spelled.translate(_BREAKING))
    return " ".join(exact_text(blanked, characters).split())


def exact_text(text: str, characters: CharacterSet) -> str:
    """An id or a code: nothing is rewritten, because another spelling would be another thing."""
    if are_carried(text, characters):
        return text
    return "".join(each if is_carried(each, characters) else SUBSTITUTE for each in text)


def are_carried(text: str, characters: CharacterSet) -> bool:
    """Whether a value may hold all characters of a text."""
    if text.isascii() and text.isprintable():
        return not any(delimiter in text for delimiter in _DELIMITERS)
    return all(is_carried(character, characters) for character in text)


def is_carried(character: str, characters: CharacterSet) -> bool:
    """Whether a value may hold this character: printable, not a delimiter, known to the character set."""
    if character in _DELIMITERS or (character != " " and not character.isprintable()):
        return False
    return _is_in(character, characters)


def _is_in(text: str, characters: CharacterSet) -> bool:
    try:
        text.encode(characters.codec)
    except UnicodeEncodeError:
        return False
    return True


def _blank(character: str) -> str:
    """Blanks and control characters of all kinds are a blank, invisible marks are nothing."""
    match unicodedata.category(character):
        case "Cc" | "Zs" | "Zl" | "Zp":
            return " "
        case "Cf":
            return ""
        case _:
            return character


def _spell(character: str, characters: CharacterSet) -> str:
    """The character, else its plain spelling, else its letter without accents, else itself, to be refused."""
    if _is_in(character, characters):
        return character
    plain = character.translate(_PLAIN)
    if plain != character:
        return plain
    letters = "".join(each for each in unicodedata.normalize("NFKD", character) if not unicodedata.combining(each))
    letters = letters.translate(_PLAIN)
    return letters if _is_in(letters, characters) else character
