"""Texts of corrections in the language of the paper: billing writes them in English, the paper says what they mean.

Only the frame that billing puts around a line's text is put into other words; the text itself stays as it is.
"""

import re

from schemas.draft import DraftLine, LineKind
from sinks.pdf.words import Words

_FRAME = re.compile(
    r"(Correction to|Credit of|Billed anew from|Taken back: Credit of|Taken back: Correction to) ([^:]+): "
)
_REASON = re.compile(r" \([^()]*\)$")
_WITH_REASON = "Correction to"


def correction_text(line: DraftLine, words: Words) -> str:
    """What a correction says beside the number of the document that it corrects, which has a column of its own."""
    framed = _FRAME.match(line.text)
    if line.kind is not LineKind.ADJUSTMENT or framed is None or not line.corrects:
        return line.text
    rest = line.text[framed.end() :]
    reason = "" if line.correction_reason is None else words.reasons.get(line.correction_reason, "")
    if framed[1] == _WITH_REASON:
        rest = _REASON.sub("", rest)
    elif framed[1] == "Billed anew from":
        reason = words.billed_anew
    return f"{rest} ({reason})" if reason else rest
