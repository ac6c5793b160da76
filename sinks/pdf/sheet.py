"""What stands on a document, as values: facts, tables and texts, already written as the reader sees them.

The template only arranges these; it computes nothing and knows no word.
"""

from dataclasses import asdict, dataclass, field
from enum import StrEnum


class RowStyle(StrEnum):
    """How a row of a table looks."""

    PLAIN = "plain"
    GROUP = "group"
    SUBTOTAL = "subtotal"


FILL = 0
AUTO = -1


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its head, its width in millimetres (FILL takes what is left, AUTO what it needs), and its side."""

    head: str
    width_mm: int = AUTO
    right: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """Cells of one row; a group has one cell over the whole width and may have a last one on the right."""

    cells: tuple[str, ...]
    style: RowStyle = RowStyle.PLAIN


@dataclass(frozen=True, slots=True)
class SheetTable:
    """A table with its title."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Fact:
    """A label and its value; the important one is the amount due."""

    label: str
    value: str
    important: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    """What it is printed on and with."""

    page: str
    families: tuple[str, ...]
    color: str
    logo: str
    logo_width_mm: int
    lang: str
    region: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """The whole document."""

    look: Look
    title: str
    subtitle: str
    heading: str
    author: str
    keywords: tuple[str, ...]
    issued_on: tuple[int, int, int]
    watermark: str
    sender: tuple[str, ...]
    sender_line: str
    recipient: tuple[str, ...]
    facts: tuple[Fact, ...]
    intro: tuple[str, ...]
    summary: tuple[SheetTable, ...]
    totals: tuple[Fact, ...]
    remarks: tuple[str, ...]
    payment_title: str
    payment: tuple[Fact, ...]
    payment_note: str
    terms_title: str
    terms: tuple[str, ...]
    terms_are_short: bool
    details_title: str
    details: tuple[SheetTable, ...] = field(default=())
    footer: tuple[str, ...] = ()
    page_of: str = ""

    @property
    def row_count(self) -> int:
        """Rows of all tables."""
        return sum(len(table.rows) for table in (*self.summary, *self.details))

    def as_values(self) -> dict[str, object]:
        """Plain values for the template."""
        return asdict(self)
