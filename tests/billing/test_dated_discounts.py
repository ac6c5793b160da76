"""A discount for roles asks for the role of the work while it is valid, whichever entry is looked at first."""

import pytest

from billing.testing import open_desk

EARLY, LATE = "e01    2025-03-03  1.00    kim", "e02    2025-03-20  2.00    kim"


@pytest.mark.parametrize("rows", [(EARLY, LATE), (LATE, EARLY)])
def test_work_without_a_role_is_held_only_while_a_discount_asks_for_roles(rows: tuple[str, str]) -> None:
    """The work before the discount begins is billed, that behind it waits for a role, in any order of the entries."""
    discount = {"id": "d", "percent": "5", "level": "line", "counts": "fees", "roles": ["senior"], "from": "2025-03-15"}
    desk = open_desk(people="kim", rates=[{"rate": "100"}], discounts=[discount])
    billed = desk.bill("entry  date        worked  person\n" + "\n".join(rows))
    billed.expect_ledger(
        """
        bucket  reason        hours
        billed  -             1.00
        held    role_missing  2.00
        """
    )
