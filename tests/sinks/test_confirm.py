"""What was meant against what is seen at the sink: each difference is a finding."""

from decimal import Decimal

import pytest

from sinks.base import Receipt, SeenDraft, SeenLine, confirm
from sinks.testing import example_body, example_draft, example_fee

DRAFT = example_draft(example_body(example_fee(1), example_fee(2, amount="650.00"), tax="10.00"))
RECEIPT = Receipt(location="somewhere", sink_hash="h")
SEEN = SeenDraft(
    net=Decimal(1350),
    tax=Decimal(10),
    gross=Decimal(1360),
    currency="USD",
    lines=(SeenLine(position=1, amount=Decimal(700)), SeenLine(position=2, amount=Decimal(650))),
    sink_hash="h",
)


def lines(*amounts: tuple[int | None, str]) -> tuple[SeenLine, ...]:
    return tuple(SeenLine(position=position, amount=Decimal(amount)) for position, amount in amounts)


def test_the_same_has_no_finding() -> None:
    """Equal amounts are equal whatever their trailing zeros."""
    assert confirm(DRAFT, RECEIPT, SEEN) == ()


def test_what_the_format_has_no_place_for_is_not_compared() -> None:
    """A format without tax and currency is not blamed for it."""
    assert confirm(DRAFT, RECEIPT, SEEN.model_copy(update={"tax": None, "gross": None, "currency": None})) == ()


@pytest.mark.parametrize(
    ("change", "codes"),
    [
        ({"net": Decimal(1351)}, {"sink_total_differs", "sink_lines_do_not_add_up"}),
        ({"tax": Decimal(9)}, {"sink_total_differs"}),
        ({"gross": Decimal(1350)}, {"sink_total_differs"}),
        ({"currency": "EUR"}, {"sink_currency_differs"}),
        ({"sink_hash": "other"}, {"sink_content_differs"}),
        ({"lines": lines((1, "700"), (2, "649"))}, {"sink_line_differs", "sink_lines_do_not_add_up"}),
        ({"lines": lines((1, "650"), (2, "700"))}, {"sink_line_differs"}),
        ({"lines": lines((1, "700"))}, {"sink_line_missing", "sink_lines_do_not_add_up"}),
        ({"lines": lines((1, "700"), (2, "650"), (3, "0"))}, {"sink_line_unexpected"}),
    ],
)
def test_each_difference_is_named(change: dict[str, object], codes: set[str]) -> None:
    """No total, line or content may differ in silence."""
    assert {finding.code for finding in confirm(DRAFT, RECEIPT, SEEN.model_copy(update=change))} == codes


def test_a_line_shown_in_parts_counts_with_their_sum() -> None:
    """A roll-up shown per person is the same line."""
    assert confirm(DRAFT, RECEIPT, SEEN.model_copy(update={"lines": lines((1, "300"), (1, "400"), (2, "650"))})) == ()


def test_pooled_lines_count_with_what_is_not_shown_by_itself() -> None:
    """A format that merges discounts into one row must still carry all of them."""
    assert confirm(DRAFT, RECEIPT, SEEN.model_copy(update={"lines": lines((1, "700"), (None, "650"))})) == ()
