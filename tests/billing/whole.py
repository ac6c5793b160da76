"""Whole invoices: a story, and behind it everything that its invoices say and how they are explained.

A file of tests/golden/invoices is a story as `tests/billing/tables.py` reads it, whose `bill:` names the periods, and
after each line of `=` an invoice. `python -m tests.billing.whole` writes what the code of today says; what that changes
is to be read before it is committed.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from billing.certificate import differences
from billing.explained import Explanations
from billing.forecast import Forecast, balance_forecasts, sentence
from billing.invoice import trace_invoice
from billing.money_forecast import amount_cap_forecasts
from billing.nodes import Node
from billing.testing import Billed
from tests.billing.tables import Story, read_story

FILES = Path(__file__).resolve().parent.parent / "golden" / "invoices"
RULE = "=" * 100 + "\n"
WIDTH = 400
"""A part of a document that is longer is written on lines of its own."""


@dataclass(frozen=True)
class Whole:
    """A file of stories with its text, its periods, and what it expects of each."""

    text: str
    periods: tuple[str, ...]
    invoices: tuple[str, ...]

    def story(self) -> Story:
        """What was agreed and worked."""
        return read_story(self.text.partition("\n")[2])


def read_whole(path: Path) -> Whole:
    """Read a file."""
    text, *invoices = path.read_text().split(RULE)
    return Whole(text, tuple(text.partition("\n")[0].removeprefix("bill:").split()), tuple(invoices))


def told(billed: Billed) -> str:
    """All that an invoice says, with the explanation of each line and of each entry that is not all on lines."""
    return "\n".join(_invoice(billed)) + "\n"


def _invoice(billed: Billed) -> Iterator[str]:
    body = billed.body
    assert not differences(body), "the certificate says something else"
    yield f"invoice of {body.scope.date_from} to {body.scope.date_to}"
    yield from _fields(json.loads(body.model_dump_json(exclude_defaults=True)), "  ")
    answers = Explanations(trace_invoice(billed.invoice.request))
    yield "lines explained"
    for line in answers.lines():
        yield from _tree(line, "  ")
    yield "entries explained"
    for entry_id in sorted({one.entry_id for one in body.placements}):
        entry = answers.entry(entry_id)
        assert entry is not None, f"{entry_id} is placed and not explained"
        yield from _tree(entry, "  ")
    yield from _forecasts(billed)


def _forecasts(billed: Billed) -> Iterator[str]:
    """What is to be expected in the middle of the period, exactly and in words."""
    today = billed.body.scope.date_from + timedelta(days=16)
    yield f"forecasts on {today}"
    for account, found in balance_forecasts(billed.invoice, today):
        yield f"  {sentence(account.engagement_id, found)}"
        yield f"    {_forecast(found)}"
    for cap, window, found in amount_cap_forecasts(trace_invoice(billed.invoice.request), today):
        yield f"  {sentence(f'{cap.id} {window}', found, billed.body.currency)}"
        yield f"    {_forecast(found)}"


def _forecast(found: Forecast) -> str:
    figures = f"{found.used} of {found.limit}, {found.pace} in each of {found.workdays}, {found.expected} at the end"
    return f"{figures}; {found.crosses_on} {'warning' if found.is_warning else ''}".rstrip()


def _fields(value: object, indent: str) -> Iterator[str]:
    """A JSON value as indented lines; what is short stays on one line."""
    rows = (
        value.items() if isinstance(value, dict) else [("-", one) for one in value] if isinstance(value, list) else []
    )
    for name, member in rows:
        text = json.dumps(member, ensure_ascii=False)
        if isinstance(member, dict | list) and len(text) > WIDTH:
            yield f"{indent}{name}"
            yield from _fields(member, indent + "  ")
        else:
            yield f"{indent}{name} {text}"


def _tree(node: Node, indent: str) -> Iterator[str]:
    yield f"{indent}{node.kind.value}: {node.text}"
    yield f"{indent}    {json.dumps(node.facts, ensure_ascii=False)}"
    for below in node.below:
        yield from _tree(below, indent + "  ")


if __name__ == "__main__":
    for path in sorted(FILES.glob("*.txt")):
        whole = read_whole(path)
        story = whole.story()
        path.write_text(RULE.join([whole.text, *(told(story.bill(period)) for period in whole.periods)]))
