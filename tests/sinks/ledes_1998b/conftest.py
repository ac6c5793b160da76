"""LEDES files to judge: a good one, and a way to spoil single values of it."""

from collections.abc import Callable

import pytest

from sinks.ledes_1998b.fields import FIELD_NAMES
from sinks.ledes_1998b.settings import LineEnding, Receiver

Line = dict[str, str]
FileOf = Callable[..., bytes]

FEE = (
    "20261102|96542|711|0528|1684.45|20261001|20261031|For services rendered|1|F|2.00|-70.00|630.00|20261015|L510||A102"
    "|22547|Research attorney's fees|24-0000001|350.00|Berg, Anna|PARTNR|423-987[]"
)
LINES = (
    FEE,
    "20261102|96542|711|0528|1684.45|20261001|20261031|For services rendered|2|F|2.00||700.00|20261015|L510||A107"
    "|22547|Meeting with expert|24-0000001|350.00|Berg, Anna|PARTNR|423-987[]",
    "20261102|96542|711|0528|1684.45|20261001|20261031|For services rendered|3|F|0.20||40.00|20261015|L510||A104"
    "|22548|Review letter|24-0000001|200.00|Dahl, Carl|ASSOC|423-987[]",
    "20261102|96542|711|0528|1684.45|20261001|20261031|For services rendered|4|E|1.00||24.95|20261018||E111||"
    "|Meal|24-0000001|24.95|||423-987[]",
    "20261102|96542|711|0528|1684.45|20261001|20261031|For services rendered|5|E|1.00||289.50|20261018||E110||"
    "|Out-of-town travel|24-0000001|289.50|||423-987[]",
    "20261102|96543|711|0529|1250.00|20261001|20261031|Monthly retainer|1|IF|1.00|1250.00|1250.00|20261031|||||Retainer"
    "|24-0000001||||423-988[]",
)


@pytest.fixture(scope="session")
def receiver() -> Receiver:
    """The strict defaults, with plain line ends so that files are easy to read here."""
    return Receiver(line_ending=LineEnding.LF)


@pytest.fixture(scope="session")
def file_of() -> FileOf:
    """Make a file of two invented invoices; `changes` is {(line in the file, field): value}."""

    def make(changes: dict[tuple[int, str], str] | None = None, lines: tuple[str, ...] = LINES) -> bytes:
        rows = ["LEDES1998B[]", "|".join(FIELD_NAMES) + "[]", *lines]
        for (number, field), value in (changes or {}).items():
            values = rows[number - 1].removesuffix("[]").split("|")
            values[FIELD_NAMES.index(field)] = value
            rows[number - 1] = "|".join(values) + "[]"
        return "".join(row + "\n" for row in rows).encode()

    return make
