"""What billing itself says on a line, in the language of the paper; what people wrote stays as it is.

Billing composes some texts in English: how a price came about, hours used and left, mark-up, deposits, minimums. Only
these frames are put into other words, and only where they stand whole.
"""

import re
from datetime import date
from decimal import Decimal

from schemas.draft import DraftLine, LineKind
from sinks.pdf.numbers import Numbers
from sinks.pdf.words import Words

_ABOVE = re.compile(r" \(above (retainer|block|cap) (.+)\)$")
_USED = re.compile(r"^(.+): (-?[\d.]+) h used, (-?[\d.]+) h left$")
_DEDUCTED = re.compile(r"^(.+) of (\d{4}-\d{2}-\d{2}), deducted$")
_SHORTFALL = re.compile(r"^(.+), shortfall(?: of (.+))?$")
_SERVICES = re.compile(r"(^|, )Services(?=$|, | \()")
_MINIMUM = "Minimum commitment"
_MARKUP = "Mark-up on expenses"


def own_words(line: DraftLine, text: str, words: Words, numbers: Numbers) -> str:
    """The text of a line, or a part of it, with what billing said in the words of the paper."""
    said = words.phrases
    match line.corrected_kind or line.kind:
        case LineKind.FEE:
            if not line.service_item and line.text not in {source.description for source in line.sources}:
                text = _SERVICES.sub(lambda found: f"{found[1]}{said.services}", text, count=1)
            above = {"retainer": said.above_retainer, "block": said.above_block, "cap": said.above_cap}
            return _ABOVE.sub(lambda found: f" ({above[found[1]].format(name=found[2])})", text)
        case LineKind.RETAINER_FEE if used := _USED.match(text):
            hours = {"used": numbers.hours(Decimal(used[2])), "left": numbers.hours(Decimal(used[3]))}
            return f"{used[1]}: {said.used_and_left.format(**hours)}"
        case LineKind.MARKUP if text == _MARKUP:
            return said.markup
        case LineKind.DEPOSIT if deducted := _DEDUCTED.match(text):
            return said.deducted.format(name=deducted[1], day=numbers.day(date.fromisoformat(deducted[2])))
        case LineKind.MINIMUM_TRUE_UP if lacking := _SHORTFALL.match(text):
            name = said.minimum if lacking[1] == _MINIMUM else lacking[1]
            return said.shortfall_of.format(name=name, period=lacking[2]) if lacking[2] else f"{name}, {said.shortfall}"
        case _:
            return text
