"""Numbers as people and spreadsheets write them, read exactly; a mark that could mean two things is never guessed."""

import re
from decimal import Decimal

from connectors.tables.mapping import DecimalMark

_PLAIN = re.compile(r"[+-]?[0-9]{1,15}", re.ASCII)
_BLANKS = re.compile(r"[\s'’\u00a0\u202f]")
_MONEY_SIGNS = "€$£¥"
_POINT = re.compile(
    r"[+-]?(?:[0-9]{1,15}|[1-9][0-9]{0,2}(?:,[0-9]{3}){1,4})(?:\.[0-9]{1,12})?|[+-]?\.[0-9]{1,12}", re.ASCII
)
_COMMA = re.compile(
    r"[+-]?(?:[0-9]{1,15}|[1-9][0-9]{0,2}(?:\.[0-9]{3}){1,4})(?:,[0-9]{1,12})?|[+-]?,[0-9]{1,12}", re.ASCII
)


class AmbiguousNumber(ValueError):
    """The text is a number with either mark, and another number with the other."""


class OtherMark(ValueError):
    """The text is a number only with the other decimal mark than the one that holds."""


def mark_of(text: str) -> DecimalMark | None:
    """The decimal mark that this cell proves; None when it proves none."""
    bare = _bare(text)
    as_point, as_comma = _POINT.fullmatch(bare) is not None, _COMMA.fullmatch(bare) is not None
    if as_point == as_comma:
        return None
    return DecimalMark.POINT if as_point else DecimalMark.COMMA


def parse_decimal(text: str, mark: DecimalMark | None) -> Decimal:
    """The exact number. Raises AmbiguousNumber, OtherMark, or ValueError for what is no number."""
    if _PLAIN.fullmatch(text):
        return Decimal(text)
    bare = _bare(text)
    if mark is None:
        mark = mark_of(bare)
    if mark is None:
        if _POINT.fullmatch(bare) and not _PLAIN.fullmatch(bare):
            raise AmbiguousNumber(text)
        mark = DecimalMark.POINT
    form, other = (_POINT, _COMMA) if mark is DecimalMark.POINT else (_COMMA, _POINT)
    if not form.fullmatch(bare):
        raise OtherMark(text) if other.fullmatch(bare) else ValueError(text)
    if mark is DecimalMark.POINT:
        return Decimal(bare.replace(",", ""))
    return Decimal(bare.replace(".", "").replace(",", "."))


def _bare(text: str) -> str:
    return _BLANKS.sub("", text).strip(_MONEY_SIGNS)
