"""The interpreter of the worked examples: a story in text says contract, people, work, and what each invoice must be.

A story has sections; a section begins with its name and a colon at the left edge.

    contract:              clauses as a contract file has them
    people:                id and role, as in a directory
    directory:             clauses of the directory file, where people are not enough
    rates:                 exchange rates: base, quote, on, rate
    work:                  one row per entry, see `billing.testing.entry_of`
    invoices:              one row per period: net, tax, gross, due, worked, delta, or the hours of a bucket
    balances:              one row per period and retainer or block, hours of `RetainerBalance` without `_seconds`
    lines 2025-03:         the lines of a period through the columns of the table
    ledger 2025-03:        its buckets
    placements 2025-03:    its entries that are not all on a line
    findings 2025-03:      its findings, code and text

What a table does not ask for is not compared; the rows and their order are.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from textwrap import dedent

from ruamel.yaml import YAML

from billing.testing import Billed, Desk, Row, open_desk, read_table
from schemas.draft import Bucket, RetainerBalance

PEOPLE = "ana senior, bo senior, cy junior"


@dataclass(frozen=True)
class Story:
    """The sections of a story by their heading."""

    sections: dict[str, str]
    desk: Desk

    def bill(self, period: str) -> Billed:
        """The invoice of a period."""
        return self.desk.bill(self.sections["work"], period)


def check(text: str) -> Story:
    """Bill what a story says and compare each expectation; a story without expectation is a mistake."""
    story = read_story(text)
    expectations = 0
    for heading, body in story.sections.items():
        word, _, period = heading.partition(" ")
        match word:
            case "invoices":
                _check_invoices(story, read_table(body))
            case "balances":
                _check_balances(story, read_table(body))
            case "lines":
                story.bill(period).expect_lines(body)
            case "ledger":
                story.bill(period).expect_ledger(body)
            case "placements":
                story.bill(period).expect_placements(body)
            case "findings":
                _check_findings(story.bill(period), read_table(body))
            case _:
                continue
        expectations += 1
    assert expectations, "the story expects nothing"
    return story


def read_story(text: str) -> Story:
    """Sections and desk of a story."""
    sections: dict[str, str] = {}
    heading = ""
    for line in dedent(text).splitlines():
        found = re.fullmatch(r"([a-z]+(?: [0-9W.-]+)?):", line)
        if found:
            heading = found[1]
            assert heading not in sections, f"two sections {heading}"
            sections[heading] = ""
        else:
            assert heading or not line.strip(), f"{line!r} stands before the first section"
            sections[heading] = sections.get(heading, "") + line + "\n"
    sections.pop("", None)
    unknown = {heading.split()[0] for heading in sections} - _KNOWN
    assert not unknown, f"no such section: {unknown}"
    clauses = _clauses(sections.get("contract", ""))
    directory = _clauses(sections.get("directory", ""))
    people = ", ".join(line.strip() for line in sections.get("people", PEOPLE).splitlines() if line.strip())
    invoice_date = str(clauses.pop("invoice_date", "2025-04-01"))
    desk = open_desk(
        people=people,
        directory=directory,
        exchange_rates=sections.get("rates", ""),
        invoice_date=invoice_date,
        also=clauses,
    )
    return Story(sections, desk)


def _clauses(text: str) -> dict[str, object]:
    """Clauses as a file has them; everything stays text but whole numbers, so that no amount becomes a float."""
    read = YAML(typ="base").load(dedent(text)) or {}
    assert isinstance(read, dict), f"not clauses: {text}"
    return {str(name): _with_numbers(value) for name, value in read.items()}


def _with_numbers(value: object) -> object:
    if isinstance(value, dict):
        return {name: _with_numbers(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_with_numbers(member) for member in value]
    return int(value) if isinstance(value, str) and re.fullmatch(r"\d+", value) else value


_KNOWN = {"contract", "people", "directory", "rates", "work", "invoices", "balances", "lines", "ledger"} | {
    "placements",
    "findings",
}


def _check_invoices(story: Story, rows: Sequence[Row]) -> None:
    actual = []
    for row in rows:
        body = story.bill(row["period"]).body
        hours = {bucket.value: _hours(_seconds_in(story, row["period"], bucket)) for bucket in Bucket}
        found = {"period": row["period"], "worked": _hours(Decimal(body.worked_seconds)), **hours}
        found |= {name: f"{getattr(body, name):f}" for name in ("net", "tax", "gross", "due")}
        found["delta"] = f"{Decimal(body.rounding_delta_seconds) / 60:f}m"
        actual.append({name: found[name] for name in row})
    _compare(actual, rows)


def _seconds_in(story: Story, period: str, bucket: Bucket) -> Decimal:
    return Decimal(story.bill(period).seconds_in(bucket))


def _check_balances(story: Story, rows: Sequence[Row]) -> None:
    actual = []
    for row in rows:
        accounts = story.bill(row["period"]).body.retainers
        account = next((one for one in accounts if one.engagement_id == row.get("id", one.engagement_id)), None)
        actual.append({name: row[name] if name in ("period", "id") else _balance(account, name) for name in row})
    _compare(actual, rows)


def _balance(account: RetainerBalance | None, name: str) -> str:
    if account is None:
        return "no account"
    if name == "earned":
        return "" if account.earned is None else f"{account.earned:f}"
    if name == "used":
        return _hours(account.used_rolled_in_seconds + account.used_granted_seconds + account.used_deficit_seconds)
    return _hours(getattr(account, f"{name}_seconds"))


def _hours(seconds: Decimal) -> str:
    """Hours with two decimals where they are exact, else the seconds; nothing is `0`."""
    exact = seconds / 3600
    if not seconds:
        return "0"
    return f"{exact:.2f}" if exact == exact.quantize(Decimal("0.01")) else f"{seconds:f} s"


def _check_findings(billed: Billed, rows: Sequence[Row]) -> None:
    actual = [{name: str(getattr(one, name)) for name in rows[0]} for one in billed.body.findings]
    _compare(actual, rows)


def _compare(actual: Sequence[Row], rows: Sequence[Row]) -> None:
    """Fail with the table that was found, in the form in which it can be read beside the expected one."""
    shown = "\n".join("  ".join(cell or "-" for cell in row.values()) for row in actual)
    assert list(actual) == list(rows), f"found\n{'  '.join(rows[0])}\n{shown}"
