"""Prepaid blocks from before their contract began: how old they are, and what an early expiry leaves (BD-36, BD-77)."""

import pytest

from billing.testing import open_desk
from tests.billing.tables import check

EARLIER = """
    contract:
        from: {start}
        retainer_order: {order}
        rates: [{{rate: 150.00}}]
        prepaid_blocks:
          - {{id: a, hours: 10, purchased: 2024-12-29}}
          - {{id: b, hours: 10, purchased: 2024-12-27{expires}}}
    work:
        date        worked
        2025-01-10  4.00
    placements 2025-01:
        entry  bucket    reason        hours
        e01    retainer  block:{drawn}  4.00
"""


@pytest.mark.parametrize(
    ("start", "order", "expires", "drawn"),
    [
        ("2024-12-01", "newest_first", ", expires: 2025-06-30", "a"),
        ("2025-01-01", "newest_first", ", expires: 2025-06-30", "a"),
        ("2025-01-01", "newest_first", "", "a"),
        ("2024-12-01", "first_expiring", "", "b"),
        ("2025-01-01", "first_expiring", "", "b"),
        ("2025-01-01", "first_expiring", ", expires: 2025-06-30", "b"),
    ],
)
def test_a_block_is_as_old_as_its_purchase(start: str, order: str, expires: str, drawn: str) -> None:
    """BD-36, BD-77: the date of purchase decides, also of blocks that were bought before the contract began."""
    check(EARLIER.format(start=start, order=order, expires=expires, drawn=drawn))


def test_a_block_from_before_the_contract_is_older_than_its_first_retainer() -> None:
    """BD-77: newest first draws the retainer, although both are there on the contract's first day."""
    check("""
    contract:
        from: 2025-03-01
        retainer_order: newest_first
        retainers: [{id: care, hours: 10, fee: 0}]
        prepaid_blocks: [{id: pack, hours: 10, purchased: 2025-02-24}]
    work:
        date        worked
        2025-03-03  4.00
    balances:
        period   id    rolled_in  granted  used  used_rolled_in  used_granted  rolled_out
        2025-03  care  0          10.00    4.00  0               4.00          0
        2025-03  pack  0          10.00    0     0               0             10.00
    placements 2025-03:
        entry  bucket    reason         hours
        e01    retainer  retainer:care  4.00
    """)


def test_a_block_that_expired_before_the_contract_pays_for_nothing() -> None:
    """The expiry is the last day of use (BD-36): hours that were gone before the first day lapse on it."""
    check("""
    contract:
        from: 2025-01-05
        rates: [{rate: 150.00}]
        prepaid_blocks: [{id: old, hours: 10, purchased: 2024-12-01, expires: 2024-12-31, price: 900, sale: on_invoice}]
    work:
        date        worked
        2025-01-10  4.00
        2025-02-10  1.00
    balances:
        period   id   rolled_in  granted  used  lapsed  rolled_out
        2025-01  old  0          10.00    0     10.00   0
    invoices:
        period   retainer  billed  net
        2025-01  0         4.00    1500.00
        2025-02  0         1.00    150.00
    """)


def test_work_that_empties_a_block_asks_no_other() -> None:
    """BD-42: two hours that are just there are paid by one block, and the next is not named."""
    blocks = [{"id": name, "hours": size, "purchased": "2025-03-01"} for name, size in (("one", 2), ("two", 5))]
    billed = open_desk(rates=[{"rate": "100"}], prepaid_blocks=blocks).bill("date  worked\n2025-03-03  2.00")
    (placed,) = billed.body.placements
    assert (placed.seconds, placed.detail.count("->")) == (7200, 1)
