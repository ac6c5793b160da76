"""For tests of billing and of rooms above it: entries, contract and expectations as aligned text tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from billing.contract import Contract, compile_contract
from billing.currency import Rate
from billing.directory import Directory, compile_directory
from billing.entries import BillingEntry, Hold
from billing.invoice import Invoice, InvoiceRequest, compute_invoice, to_body
from schemas.contract import ContractDocument
from schemas.directory import DirectoryDocument
from schemas.draft import Bucket, DocumentScope, DraftBody, DraftLine
from schemas.entry import EntryKind
from schemas.inputs import Category
from schemas.period import Period, parse_period

Row = dict[str, str]


def read_table(text: str) -> list[Row]:
    """Rows of a table whose columns are separated by two blanks or more; `-` is an empty cell."""
    lines = [line.strip() for line in text.strip("\n").splitlines() if line.strip()]
    cells = [[cell.strip() for cell in line.replace("  ", "\t").split("\t") if cell.strip()] for line in lines]
    head, *rows = cells
    for row in rows:
        assert len(row) == len(head), f"{row} does not fit {head}"
    return [{name: "" if cell == "-" else cell for name, cell in zip(head, row, strict=True)} for row in rows]


def seconds_of(text: str) -> int:
    """`1:30` and `1:30:05` are clock time, `31m` minutes, `2.50` hours; a sign is kept."""
    sign, text = (-1, text[1:]) if text.startswith("-") else (1, text)
    if ":" in text:
        hours, minutes, *rest = text.split(":")
        return sign * (int(hours) * 3600 + int(minutes) * 60 + int(rest[0] if rest else 0))
    exact = Decimal(text.removesuffix("m")) * (60 if text.endswith("m") else 3600)
    assert exact == int(exact), f"{text} is not a whole number of seconds"
    return sign * int(exact)


def entry_of(row: Row, number: int, zone: ZoneInfo) -> BillingEntry:
    """An entry from a row; `start` is local time in the contract's zone, or an instant when it ends with Z."""
    start, work_date = row.get("start", ""), row.get("date", "")
    instant = None
    if start:
        instant = datetime.fromisoformat(start.replace("Z", "+00:00"))
        instant = (instant if instant.tzinfo else instant.replace(tzinfo=zone)).astimezone(UTC)
    name = row.get("entry") or f"e{number:02d}"
    held = row.get("held", "")
    decided = row.get("category", "billable")
    amount, quantity, price = (row.get(one, "") for one in ("amount", "quantity", "price"))
    return BillingEntry(
        entry_id=name,
        content=f"content of {name} {row.get('version', '')}",
        premise=f"premise of {name}",
        source="toggl",
        source_entry_id=name,
        kind=EntryKind(row.get("kind", "time")),
        person_id=row.get("person", "ana"),
        project_id=row.get("project", ""),
        task=row.get("task", ""),
        service_item=row.get("item", ""),
        tags=tuple(row.get("tags", "").split(",")) if row.get("tags") else (),
        description=row.get("text", ""),
        start=instant,
        end=None,
        work_date=date.fromisoformat(work_date) if work_date else None,
        worked_seconds=seconds_of(row["worked"]) if row.get("worked") else 0,
        category=Category(decided) if decided else None,
        utbms_task=row.get("utbms", ""),
        confidence=Decimal(row["confidence"]) if row.get("confidence") else None,
        holds=(Hold(held),) if held else (),
        released=frozenset(row["released"].split(",")) if row.get("released") else frozenset(),
        written_off=row.get("written_off", ""),
        billed_on=row.get("billed_on", ""),
        amount=Decimal(amount) if amount else None,
        currency=row.get("currency", "USD"),
        quantity=Decimal(quantity) if quantity else None,
        unit_price=Decimal(price) if price else None,
        expense_category=row.get("expense", ""),
    )


def hours(seconds: int) -> str:
    """Hours with two decimals where they are exact, else the seconds."""
    exact = Decimal(seconds) / 3600
    return f"{exact:.2f}" if exact == exact.quantize(Decimal("0.01")) else f"{seconds} s"


def _expect(actual: Sequence[Row], expected: Sequence[Row]) -> None:
    """Fail with both tables when the rows differ in the columns that are looked at."""
    seen = [{name: row[name] for name in expected[0]} for row in actual]
    shown = "\n".join("  ".join(cell or "-" for cell in row.values()) for row in ([*seen] or [{"": "no rows"}]))
    assert seen == list(expected), f"found\n{'  '.join(expected[0])}\n{shown}"


@dataclass(frozen=True)
class Billed:
    """An invoice and its body, with views to compare with tables."""

    invoice: Invoice
    body: DraftBody

    @property
    def net(self) -> str:
        """The net amount as text."""
        return f"{self.body.net:f}"

    def expect_lines(self, text: str) -> None:
        """The lines of the invoice, in order, seen through the columns of the table."""
        expected = read_table(text)
        actual = [self._line(line) for line in self.body.lines]
        _expect(actual, expected)

    def _line(self, line: DraftLine) -> Row:
        names = ("text", "project_id", "service_item", "person_id", "role", "unit", "tax_category", "utbms_task")
        return {
            **{name: str(getattr(line, name)) for name in names},
            "kind": line.kind.value,
            "date": line.date.isoformat(),
            "hours": hours(line.seconds),
            "quantity": f"{line.quantity:f}",
            "price": f"{line.unit_price:f}",
            "adjustment": f"{line.adjustment:f}",
            "discount": f"{line.discount:f}",
            "amount": f"{line.amount:f}",
            "shares": " ".join(f"{source.amount:f}" for source in line.sources),
            "delta": " ".join(str(source.delta_seconds // 60) for source in line.sources),
        }

    def expect_ledger(self, text: str) -> None:
        """The whole ledger: bucket, reason, hours, and other columns the table asks for."""
        expected = read_table(text)
        actual = [
            {
                "bucket": row.bucket.value,
                "reason": row.reason,
                "hours": hours(row.seconds),
                "entries": str(row.entries),
                "value": "" if row.value is None else f"{row.value:f}",
            }
            for row in self.body.buckets
        ]
        _expect(actual, expected)

    def expect_placements(self, text: str) -> None:
        """The entries that are not all on a line."""
        expected = read_table(text)
        actual = [
            {
                "entry": one.entry_id,
                "bucket": one.bucket.value,
                "reason": one.reason,
                "hours": hours(one.seconds),
                "delta": str(one.delta_seconds // 60),
                "detail": one.detail,
            }
            for one in self.body.placements
        ]
        _expect(actual, expected)

    def seconds_in(self, bucket: Bucket) -> int:
        """All seconds of a bucket."""
        return sum(row.seconds for row in self.body.buckets if row.bucket is bucket)


@dataclass(frozen=True)
class Desk:
    """Where the examples are billed: one client, some people, one contract."""

    contract: Contract
    directory: Directory
    rates: tuple[Rate, ...]
    invoice_date: date
    written: Mapping[date, date] = field(default_factory=dict)

    def entries(self, table: str) -> list[BillingEntry]:
        """Entries of a table."""
        return [entry_of(row, number, self.contract.zone) for number, row in enumerate(read_table(table), start=1)]

    def bill(self, entries: str | Sequence[BillingEntry], period: str = "2025-03") -> Billed:
        """The invoice of a period."""
        span: Period = parse_period(period)
        invoice = compute_invoice(
            InvoiceRequest(
                tenant="firm",
                book="main",
                scope=DocumentScope(client_id="acme", contract_id="c-1", date_from=span.start, date_to=span.end),
                contract=self.contract,
                contract_revision="contract-1",
                directory=self.directory,
                directory_revision="directory-1",
                entries=self.entries(entries) if isinstance(entries, str) else entries,
                exchange_rates=self.rates,
                invoice_date=self.invoice_date,
                written=self.written,
            )
        )
        return Billed(invoice, to_body(invoice))


def contract_of(clauses: Mapping[str, object]) -> ContractDocument:
    """A contract in USD and UTC with open taxes, overlaid by the given clauses."""
    base: dict[str, object] = {"id": "c-1", "client": "acme", "currency": "USD", "zone": "UTC", "from": "2024-01-01"}
    return ContractDocument.model_validate(base | dict(clauses))


def directory_of(people: str, more: Mapping[str, object]) -> DirectoryDocument:
    """People as `id role`, one per comma; a person without role has only the id."""
    rows = [one.split() for one in people.split(",") if one.strip()]
    base: dict[str, object] = {
        "firm": {"name": "The Firm", "zone": "UTC", "currency": "USD"},
        "clients": [{"id": "acme", "name": "Acme"}],
        "people": [
            {"id": row[0], "name": row[0].title(), "roles": [{"role": row[1]}] if len(row) > 1 else []} for row in rows
        ],
    }
    return DirectoryDocument.model_validate(base | dict(more))


def open_desk(
    people: str = "ana senior, bo senior, cy junior",
    directory: Mapping[str, object] | None = None,
    exchange_rates: str = "",
    invoice_date: str = "2025-04-01",
    also: Mapping[str, object] | None = None,
    **clauses: object,
) -> Desk:
    """A desk with the contract clauses given by name; what no keyword can name stands in `also`."""
    rows = read_table(exchange_rates) if exchange_rates else []
    return Desk(
        compile_contract(contract_of(clauses | dict(also or {}))),
        compile_directory(directory_of(people, directory or {})),
        tuple(
            Rate(
                row["base"], row["quote"], date.fromisoformat(row["on"]), Decimal(row["rate"]), row.get("source", "ECB")
            )
            for row in rows
        ),
        date.fromisoformat(invoice_date),
    )
