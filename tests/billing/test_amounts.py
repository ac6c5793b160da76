"""From time to money, residuals and taxes: groups B and H of the worked examples."""

from decimal import Decimal
from fractions import Fraction

import pytest

from billing.exact import decimal_of, exact_or_shown, spread_units, units_of
from billing.testing import Billed, open_desk
from schemas.money import MoneyRounding


@pytest.mark.parametrize(
    ("rounding", "quantity", "amount"),
    [
        ({"amount_basis": "exact"}, "0.8333", "83.33"),
        ({"amount_basis": "displayed", "quantity_decimals": 2}, "0.83", "83.00"),
        ({"amount_basis": "displayed", "quantity_decimals": 4}, "0.8333", "83.33"),
    ],
)
def test_the_basis_says_whether_the_shown_quantity_is_charged(
    rounding: dict[str, object], quantity: str, amount: str
) -> None:
    """BD-08: fifty minutes at 100; the basis is named in the explanation."""
    billed = open_desk(rates=[{"rate": "100.00"}], rounding=rounding).bill("""
        date        worked
        2025-03-03  50m
    """)
    billed.expect_lines(f"""
        quantity    price   amount
        {quantity}  100.00  {amount}
    """)
    assert f"{rounding['amount_basis']} basis" in " ".join(billed.body.lines[0].charges[0].steps)


def test_money_is_rounded_once_at_the_line() -> None:
    """BD-09: three entries of ten minutes are 50.00; their shares add up to it, the earlier get the residual."""
    billed = open_desk(rates=[{"rate": "100.00"}]).bill("""
        start             worked
        2025-03-03 09:00  10m
        2025-03-03 10:00  10m
        2025-03-03 11:00  10m
    """)
    billed.expect_lines("""
        hours  amount  shares
        0.50   50.00   16.67 16.67 16.66
    """)


@pytest.mark.parametrize(("rounding", "units"), [(MoneyRounding.HALF_UP, 813), (MoneyRounding.HALF_EVEN, 812)])
def test_a_credit_mirrors_its_charge(rounding: MoneyRounding, units: int) -> None:
    """BD-10: half a cent goes away from zero on both sides, so charge and credit leave nothing behind."""
    amount = Fraction(Decimal("32.50")) * Fraction(900, 3600)
    assert units_of(amount, 2, rounding) == units
    assert units_of(-amount, 2, rounding) == -units
    billed = open_desk(rates=[{"rate": "32.50"}], rounding={"money_rounding": rounding.value}).bill("""
        date        worked
        2025-03-03  15m
    """)
    assert billed.body.net == decimal_of(units, 2)


@pytest.mark.parametrize(
    ("currency", "rate", "amount"),
    [("JPY", "12345", "10288"), ("KWD", "31.250", "26.042"), ("USD", "31.25", "26.04")],
)
def test_each_currency_has_its_own_places(currency: str, rate: str, amount: str) -> None:
    """BD-11: no decimals in yen, three in dinar, two in dollars."""
    billed = open_desk(rates=[{"rate": rate}], currency=currency).bill("""
        date        worked
        2025-03-03  50m
    """)
    assert billed.net == amount


MAINTENANCE = """
    date        person  worked  tags    text
    2025-03-03  ana     2.50    bugfix  Fixed the basket
    2025-03-04  ana     1.25    upkeep  Updated packages
    2025-03-05  cy      3.60    bugfix  Fixed the menu
"""


def maintenance(rates: str, junior: str = "90.00") -> Billed:
    """The example's work with a roll-up of one mode."""
    return open_desk(
        rates=[{"role": "senior", "rate": "140.00"}, {"role": "junior", "rate": junior}],
        lines={"rollups": [{"id": "upkeep", "text": "Maintenance", "tags": ["bugfix", "upkeep"], "rates": rates}]},
    ).bill(MAINTENANCE)


def test_a_rollup_preserves_averages_or_lumps_and_never_changes_the_total() -> None:
    """BD-50: 849.00 in every mode, with all sources behind the line."""
    maintenance("preserve").expect_lines("""
        text                  quantity  unit  price   amount
        Maintenance (junior)  3.60      hour  90.00   324.00
        Maintenance (senior)  3.75      hour  140.00  525.00
    """)
    maintenance("average").expect_lines("""
        text         quantity  unit  price     amount
        Maintenance  7.35      hour  115.5102  849.00
    """)
    maintenance("lump").expect_lines("""
        text         quantity  unit  price   amount
        Maintenance  1         lump  849.00  849.00
    """)
    for mode in ("preserve", "average", "lump"):
        sources = [source.entry_id for line in maintenance(mode).body.lines for source in line.sources]
        assert sorted(sources) == ["e01", "e02", "e03"]


def test_an_average_price_never_changes_the_amount() -> None:
    """BD-51: 7.35 h worth 1,012.47 keep that amount; the price is for reading, with decimals enough to give it back."""
    billed = maintenance("average", junior="135.408333333333")
    line = billed.body.lines[0]
    assert (billed.net, f"{line.unit_price:f}") == ("1012.47", "137.7510")
    assert round(line.quantity * line.unit_price, 2) == line.amount


def test_an_average_price_times_the_shown_quantity_is_the_amount_that_was_charged_for_it() -> None:
    """BD-08, BD-51: a minute shown as 0.02 h and charged as that costs 100.00 an hour, not 120.00."""
    open_desk(
        rates=[{"rate": "100.00"}],
        rounding={"amount_basis": "displayed", "quantity_decimals": 2},
        lines={"rollups": [{"id": "upkeep", "text": "Maintenance", "tags": ["upkeep"], "rates": "average"}]},
    ).bill("""
        date        worked  tags
        2025-03-03  1m      upkeep
    """).expect_lines("""
        text         quantity  price   amount
        Maintenance  0.02      100.0000  2.00
    """)


@pytest.mark.parametrize("tag", ["Bugfix", "bug", ""])
def test_a_rollup_takes_only_what_it_names(tag: str) -> None:
    """Tags are compared as they are; words are whole and without case."""
    desk = open_desk(
        rates=[{"rate": "100"}],
        lines={"rollups": [{"id": "upkeep", "text": "Maintenance", "tags": ["bugfix"], "words": ["repair"]}]},
    )
    billed = desk.bill(f"""
        date        worked  tags        text
        2025-03-03  1.00    {tag or "-"}  Prepared the repairs
        2025-03-04  1.00    {tag or "-"}  REPAIR of the menu
    """)
    assert [line.text for line in billed.body.lines] == ["Services, Ana (senior)", "Maintenance (senior)"]


def test_a_fixed_total_is_spread_without_residue() -> None:
    """BD-52: 10,000.00 over seven parts is once 1,428.58 and six times 1,428.57."""
    assert spread_units(1_000_000, [1] * 7) == [142_858] + [142_857] * 6
    assert spread_units(-1_000_000, [1] * 7) == [-142_858] + [-142_857] * 6


@pytest.mark.parametrize(("rounding", "tax", "gross"), [("document", "19.01", "119.06"), ("line", "19.02", "119.07")])
def test_tax_is_rounded_on_the_document_or_on_each_line(rounding: str, tax: str, gross: str) -> None:
    """BD-53: three lines of 33.35 at 19 %."""
    desk = open_desk(
        rates=[{"rate": "33.35"}],
        lines={"group_by": ["date"]},
        taxes=[{"category": "S", "percent": "19"}],
        tax_rounding=rounding,
    )
    billed = desk.bill("""
        date        worked
        2025-03-03  1.00
        2025-03-04  1.00
        2025-03-05  1.00
    """)
    assert (billed.net, f"{billed.body.tax:f}", f"{billed.body.gross:f}") == ("100.05", tax, gross)
    assert billed.body.due == billed.body.gross


def test_each_tax_category_has_a_row() -> None:
    """BD-54: full rate, reduced rate for books, reverse charge with its reason."""
    desk = open_desk(
        rates=[{"rate": "100.00"}],
        taxes=[
            {"expense_categories": ["books"], "category": "AA", "percent": "5"},
            {"service_items": ["Export"], "category": "AE", "percent": "0", "reason": "Reverse charge"},
            {"category": "S", "percent": "20"},
        ],
    )
    billed = desk.bill("""
        kind     date        worked  item    expense  amount
        time     2025-03-03  12.00   Advice  -        -
        expense  2025-03-04  -       -       books    150.00
        time     2025-03-05  8.00    Export  -        -
    """)
    rows = [(row.category, f"{row.base:f}", f"{row.tax:f}", row.reason) for row in billed.body.taxes]
    assert rows == [
        ("AA", "150.00", "7.50", ""),
        ("AE", "800.00", "0.00", "Reverse charge"),
        ("S", "1200.00", "240.00", ""),
    ]
    assert (billed.net, f"{billed.body.tax:f}", f"{billed.body.gross:f}") == ("2150.00", "247.50", "2397.50")


def test_a_contract_without_tax_says_so() -> None:
    """No tax is a stated row, not a missing one."""
    billed = open_desk(rates=[{"rate": "100"}]).bill("date  worked\n2025-03-03  1.00")
    assert [(row.category, row.tax, row.reason) for row in billed.body.taxes] == [
        ("O", Decimal("0.00"), "The contract states no tax.")
    ]


def test_weights_of_nothing_share_equally() -> None:
    """A total over weights of zero is spread in equal parts; nothing over nothing is nothing."""
    assert spread_units(5, [0, 0, 0]) == [2, 2, 1]
    assert spread_units(0, []) == []
    assert spread_units(-7, [-1, -2]) == [-2, -5]


def test_half_a_unit_goes_up_or_to_the_even_one() -> None:
    """BD-10: 0.5, 1.5 and so on up to 6.5 units, and their credits; a whole number and a third are what they are."""
    halves = [Fraction(2 * whole + 1, 2) for whole in range(7)]
    even = [units_of(one, 0, MoneyRounding.HALF_EVEN) for one in halves]
    assert even == [0, 2, 2, 4, 4, 6, 6]
    assert [units_of(-one, 0, MoneyRounding.HALF_EVEN) for one in halves] == [-one for one in even]
    assert [units_of(one, 0, MoneyRounding.HALF_UP) for one in halves] == [1, 2, 3, 4, 5, 6, 7]
    for rounding in MoneyRounding:
        assert [units_of(Fraction(one, 3), 0, rounding) for one in (-3, -1, 0, 1, 2, 3)] == [-1, 0, 0, 0, 1, 1]


@pytest.mark.parametrize(
    ("amount", "places", "text"),
    [
        (Fraction(10**18 + 1, 100), 4, "10000000000000000.01"),
        (Fraction(-(10**18) - 1, 100), 4, "-10000000000000000.01"),
        (Fraction(3, 2), 4, "1.50"),
        (Fraction(1, 8), 4, "0.125"),
        (Fraction(1, 3), 4, "0.3333"),
        (Fraction(0), 4, "0.00"),
    ],
)
def test_a_figure_for_reading_is_exact_where_it_ends(amount: Fraction, places: int, text: str) -> None:
    """As many decimals as it has, at least two, whatever its size: no digit is lost on the way."""
    assert f"{exact_or_shown(amount, places):f}" == text
