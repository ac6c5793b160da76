"""The judge of LEDES files: each rule accepts what it should and names line, field and rule of the rest."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinks.ledes_1998b import check_ledes
from sinks.ledes_1998b import fields as f
from sinks.ledes_1998b.fields import FIELD_NAMES, FIELDS
from sinks.ledes_1998b.reader import day_of, number_of, read_ledes
from sinks.ledes_1998b.settings import CharacterSet, LineEnding, Receiver

LF = Receiver(line_ending=LineEnding.LF)
Changes = dict[tuple[int, str], str]
FileOf = Callable[..., bytes]


def found(content: bytes, receiver: Receiver = LF) -> set[tuple[str, int, str]]:
    return {(problem.code, problem.line, problem.field) for problem in check_ledes(content, receiver)}


def test_a_file_of_two_invoices_is_good(file_of: FileOf) -> None:
    """The arithmetic of the format's well-known sample, with invented names: 1684.45 and a retainer of 1250.00."""
    assert found(file_of()) == set()


def test_values_are_read_as_they_stand(file_of: FileOf) -> None:
    """The reader gives each value by its field's name and line."""
    records = read_ledes(file_of(), LF).records
    assert [record.line for record in records] == [3, 4, 5, 6, 7, 8]
    assert (records[0][f.ADJUSTMENT], records[0][f.TIMEKEEPER_NAME], records[5][f.LINE_TYPE]) == (
        "-70.00",
        "Berg, Anna",
        "IF",
    )


def spoilt(content: bytes, old: bytes, new: bytes) -> bytes:
    assert old in content
    return content.replace(old, new, 1)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (b"LEDES1998B[]", b"LEDES1998BI[]", ("ledes_header", 1)),
        (b"LEDES1998B[]", b"LEDES1998B", ("ledes_header", 1)),
        (b"LEDES1998B[]", b"ledes1998b[]", ("ledes_header", 1)),
        (b"LEDES1998B[]", b"\xef\xbb\xbfLEDES1998B[]", ("ledes_header", 1)),
        (b"CLIENT_ID|", b"CLIENT ID|", ("ledes_header", 2)),
        (b"CLIENT_MATTER_ID[]", b"CLIENT_MATTER_ID", ("ledes_header", 2)),
        (b"423-987[]\n", b"423-987\n", ("ledes_line_mark", 3)),
        (b"423-987[]\n", b"423-987[] \n", ("ledes_line_mark", 3)),
        (b"423-987[]\n", b"423-987|[]\n", ("ledes_field_count", 3)),
        (b"|L510||A102|", b"|L510|A102|", ("ledes_field_count", 3)),
        (b"Research", b"Re\nsearch", ("ledes_line_mark", 3)),
        (b"423-988[]\n", b"423-988[]", ("ledes_line_end", 8)),
        (b"423-988[]\n", b"423-988[]\n\n", ("ledes_line_mark", 9)),
    ],
)
def test_a_broken_frame_is_named(file_of: FileOf, old: bytes, new: bytes, expected: tuple[str, int]) -> None:
    """Header lines, 24 values, the mark at the end of each line."""
    assert expected in {(code, line) for code, line, _ in found(spoilt(file_of(), old, new))}


def test_a_file_without_lines_is_no_invoice(file_of: FileOf) -> None:
    """A valid file has at least three lines."""
    assert ("ledes_no_lines", 2, "the line") in found(file_of(lines=()))
    assert {code for code, _, _ in found(b"")} == {"ledes_header", "ledes_no_lines"}


def test_the_line_end_is_the_receivers(file_of: FileOf) -> None:
    """CRLF for one, LF for another; the other kind is never accepted."""
    crlf = file_of().replace(b"\n", b"\r\n")
    assert found(crlf, Receiver()) == set()
    assert found(file_of(), Receiver()) != set()
    assert found(crlf) != set()


BAD_VALUES: list[tuple[int, str, str, str]] = [
    (3, f.INVOICE_DATE, "20260231", "ledes_date"),
    (3, f.INVOICE_DATE, "2026-11-02", "ledes_date"),
    (3, f.INVOICE_DATE, "", "ledes_required"),
    (3, f.INVOICE_NUMBER, "2026/1", "ledes_invoice_number"),
    (3, f.INVOICE_NUMBER, "Ä1", "ledes_character"),
    (3, f.INVOICE_NUMBER, "1" * 21, "ledes_length"),
    (3, f.CLIENT_ID, "", "ledes_required"),
    (3, f.CLIENT_ID, "C" * 21, "ledes_length"),
    (3, f.LAW_FIRM_MATTER_ID, "", "ledes_required"),
    (3, f.INVOICE_TOTAL, "1,684.45", "ledes_number"),
    (3, f.INVOICE_TOTAL, "$1684.45", "ledes_number"),
    (3, f.INVOICE_TOTAL, "+1684.45", "ledes_number"),
    (3, f.INVOICE_TOTAL, "1684.", "ledes_number"),
    (3, f.INVOICE_TOTAL, "1e3", "ledes_number"),
    (3, f.INVOICE_TOTAL, "NaN", "ledes_number"),
    (3, f.INVOICE_TOTAL, "1234567890123.00", "ledes_number_size"),
    (3, f.INVOICE_TOTAL, "1684.451", "ledes_decimals"),
    (3, f.BILLING_START_DATE, "", "ledes_required"),
    (3, f.BILLING_END_DATE, "20261301", "ledes_date"),
    (3, f.INVOICE_DESCRIPTION, "x" * 2_001, "ledes_length"),
    (3, f.LINE_ITEM_NUMBER, "", "ledes_required"),
    (3, f.LINE_TYPE, "X", "ledes_line_type"),
    (3, f.LINE_TYPE, "", "ledes_required"),
    (3, f.UNITS, "", "ledes_required"),
    (3, f.UNITS, "0.00", "ledes_units"),
    (3, f.UNITS, "-2.00", "ledes_units"),
    (3, f.UNITS, "2.001", "ledes_decimals"),
    (8, f.UNITS, "0", "ledes_units"),
    (3, f.ADJUSTMENT, "-70.00001", "ledes_decimals"),
    (3, f.LINE_ITEM_TOTAL, "", "ledes_required"),
    (3, f.LINE_ITEM_DATE, "20261015T", "ledes_date"),
    (3, f.TASK_CODE, "", "ledes_required"),
    (3, f.TASK_CODE, "L500", "ledes_code"),
    (3, f.TASK_CODE, "L999", "ledes_code"),
    (3, f.TASK_CODE, "A102", "ledes_code"),
    (6, f.TASK_CODE, "L510", "ledes_not_on_kind"),
    (3, f.EXPENSE_CODE, "E111", "ledes_not_on_kind"),
    (6, f.EXPENSE_CODE, "", "ledes_required"),
    (6, f.EXPENSE_CODE, "E100", "ledes_code"),
    (8, f.EXPENSE_CODE, "E111", "ledes_not_on_kind"),
    (3, f.ACTIVITY_CODE, "", "ledes_required"),
    (3, f.ACTIVITY_CODE, "L110", "ledes_code"),
    (6, f.ACTIVITY_CODE, "A102", "ledes_not_on_kind"),
    (3, f.TIMEKEEPER_ID, "", "ledes_required"),
    (6, f.TIMEKEEPER_ID, "22547", "ledes_not_on_kind"),
    (8, f.TIMEKEEPER_ID, "22547", "ledes_not_on_kind"),
    (3, f.LINE_ITEM_DESCRIPTION, "", "ledes_required"),
    (3, f.LINE_ITEM_DESCRIPTION, "NULL", "ledes_blank_value"),
    (3, f.LINE_ITEM_DESCRIPTION, " Research", "ledes_blank_value"),
    (3, f.LINE_ITEM_DESCRIPTION, "see [1]", "ledes_character"),
    (3, f.LINE_ITEM_DESCRIPTION, "tab\there", "ledes_character"),
    (3, f.LINE_ITEM_DESCRIPTION, "café", "ledes_character"),
    (3, f.LINE_ITEM_DESCRIPTION, "x" * 15_001, "ledes_length"),
    (3, f.LAW_FIRM_ID, "", "ledes_required"),
    (3, f.UNIT_COST, "", "ledes_required"),
    (3, f.UNIT_COST, "0.00", "ledes_unit_cost"),
    (3, f.UNIT_COST, "350.125", "ledes_decimals"),
    (8, f.UNIT_COST, "5.00", "ledes_unit_cost"),
    (3, f.TIMEKEEPER_NAME, "N" * 31, "ledes_length"),
    (3, f.TIMEKEEPER_CLASSIFICATION, "BOSS", "ledes_classification"),
    (6, f.TIMEKEEPER_CLASSIFICATION, "PARTNR", "ledes_not_on_kind"),
    (3, f.CLIENT_MATTER_ID, "", "ledes_required"),
]


@pytest.mark.parametrize(("line", "field", "value", "code"), BAD_VALUES)
def test_a_bad_value_is_named_with_line_and_field(
    file_of: FileOf, line: int, field: str, value: str, code: str
) -> None:
    """Types, sizes, characters, what must be there and what must not, code sets."""
    assert (code, line, field) in found(file_of({(line, field): value}))


def test_every_field_has_a_bad_value_here() -> None:
    """The table above covers all 24 fields."""
    assert {field for _, field, _, _ in BAD_VALUES} == set(FIELD_NAMES)
    assert len(FIELDS) == 24


BAD_SUMS: list[tuple[Changes, tuple[str, int, str]]] = [
    ({(3, f.LINE_ITEM_TOTAL): "630.01"}, ("ledes_line_total", 3, f.LINE_ITEM_TOTAL)),
    ({(3, f.ADJUSTMENT): ""}, ("ledes_line_total", 3, f.LINE_ITEM_TOTAL)),
    ({(3, f.ADJUSTMENT): "-70.005"}, ("ledes_line_total", 3, f.LINE_ITEM_TOTAL)),
    ({(3, f.LINE_ITEM_TOTAL): "630.01", (3, f.ADJUSTMENT): "-69.99"}, ("ledes_invoice_total", 3, f.INVOICE_TOTAL)),
    ({(8, f.INVOICE_TOTAL): "1250.01"}, ("ledes_invoice_total", 8, f.INVOICE_TOTAL)),
    ({(3, f.LINE_ITEM_DATE): "20260930"}, ("ledes_date_outside", 3, f.LINE_ITEM_DATE)),
    ({(3, f.LINE_ITEM_DATE): "20261101"}, ("ledes_date_outside", 3, f.LINE_ITEM_DATE)),
    ({(8, f.BILLING_END_DATE): "20260930"}, ("ledes_period", 8, f.BILLING_END_DATE)),
    ({(4, f.LINE_ITEM_NUMBER): "1"}, ("ledes_line_number", 4, f.LINE_ITEM_NUMBER)),
    *(
        (
            {(5, name): "20261003" if name in {f.INVOICE_DATE, f.BILLING_START_DATE, f.BILLING_END_DATE} else "7"},
            ("ledes_invoice_value", 5, name),
        )
        for name in f.INVOICE_FIELDS
    ),
]


@pytest.mark.parametrize(("changes", "expected"), BAD_SUMS)
def test_a_broken_identity_is_named(file_of: FileOf, changes: Changes, expected: tuple[str, int, str]) -> None:
    """Line total, invoice total, dates in the period, the invoice's values on each line, line numbers."""
    assert expected in found(file_of(changes))


@pytest.mark.parametrize(
    "changes",
    [
        {(3, f.ADJUSTMENT): "-70.0049"},
        {(3, f.ADJUSTMENT): "-69.9951"},
        {(3, f.LINE_ITEM_DATE): "20261001"},
        {(3, f.LINE_ITEM_DATE): "20261031"},
        {(3, f.TIMEKEEPER_CLASSIFICATION): ""},
        {(3, f.TIMEKEEPER_NAME): ""},
        {(4, f.ADJUSTMENT): "0.00"},
        {(8, f.UNIT_COST): "0.00"},
        {(3, f.LINE_ITEM_DESCRIPTION): "x" * 15_000},
    ],
)
def test_what_is_just_inside_the_rules_is_good(file_of: FileOf, changes: Changes) -> None:
    """The tolerance of a line is half a cent, open; bounds of the period are inside; optional values may be absent."""
    assert found(file_of(changes)) == set()


def test_a_second_negative_adjustment_is_refused(file_of: FileOf) -> None:
    """A strict receiver takes one negative line a type; a positive one beside it is fine."""
    row = "20261102|9|711|0529|-20.00|20261001|20261031||{0}|IF|1|{1}|{1}|20261031|||||Discount|24-0000001||||423-988[]"
    twice = file_of(lines=(row.format(1, "-10.00"), row.format(2, "-10.00")))
    assert found(twice) == {("ledes_adjustments", 4, f.LINE_TYPE)}
    assert found(file_of(lines=(row.format(1, "-30.00"), row.format(2, "10.00")))) == set()


OPTIONS: list[tuple[Receiver, Changes, str]] = [
    (Receiver(invoice_number_length_max=4), {}, "ledes_length"),
    (Receiver(invoice_number_punctuation=""), {(8, f.INVOICE_NUMBER): "96-543"}, "ledes_invoice_number"),
    (Receiver(narrative_length_max=10), {}, "ledes_length"),
    (Receiver(description_length_max=10), {}, "ledes_length"),
    (Receiver(description_required=True), {(8, f.INVOICE_DESCRIPTION): ""}, "ledes_required"),
    (Receiver(code_sets=("bankruptcy", "activity", "expense")), {}, "ledes_code"),
    (Receiver(codes_allowed=("L510", "A102", "E111")), {}, "ledes_code"),
    (Receiver(amount_decimals_max=1), {}, "ledes_decimals"),
]


@pytest.mark.parametrize(("receiver", "changes", "code"), OPTIONS)
def test_a_receivers_own_rules_are_kept(file_of: FileOf, receiver: Receiver, changes: Changes, code: str) -> None:
    """The same file is good by the format and bad for this receiver."""
    assert found(file_of(changes)) == set()
    narrowed = receiver.model_copy(update={"line_ending": LineEnding.LF})
    assert code in {each for each, _, _ in found(file_of(changes), narrowed)}


@pytest.mark.parametrize(
    ("receiver", "changes"),
    [
        (Receiver(client_matter_id_required=False), {(8, f.CLIENT_MATTER_ID): ""}),
        (
            Receiver(task_code_required=False, activity_code_required=False),
            {(3, f.TASK_CODE): "", (3, f.ACTIVITY_CODE): ""},
        ),
        (Receiver(expense_code_required=False), {(6, f.EXPENSE_CODE): ""}),
        (Receiver(narrative_required=False), {(3, f.LINE_ITEM_DESCRIPTION): ""}),
        (
            Receiver(units_decimals_max=4, unit_cost_decimals_max=3),
            {(3, f.UNITS): "2.0004", (3, f.UNIT_COST): "349.930"},
        ),
        (Receiver(codes_allowed=("L500", "L510", "A102", "A104", "A107", "E110", "E111")), {(3, f.TASK_CODE): "L500"}),
        (Receiver(classifications={"boss": "BOSS"}), {(3, f.TIMEKEEPER_CLASSIFICATION): "BOSS"}),
        (Receiver(character_set=CharacterSet.UTF_8), {(3, f.LINE_ITEM_DESCRIPTION): "café 打"}),
        (Receiver(invoice_number_punctuation="/"), {(8, f.INVOICE_NUMBER): "96/543"}),
    ],
)
def test_a_receiver_may_take_more(file_of: FileOf, receiver: Receiver, changes: Changes) -> None:
    """Each option that widens the rules does so."""
    assert found(file_of(changes)) != set()
    assert found(file_of(changes), receiver.model_copy(update={"line_ending": LineEnding.LF})) == set()


def test_each_problem_says_what_to_do(file_of: FileOf) -> None:
    """What a person has to mend has a fix in words."""
    needing_person = {"ledes_required", "ledes_character", "ledes_length", "ledes_code", "ledes_units"}
    for line, field, value, code in BAD_VALUES:
        if code in needing_person and field not in {
            f.INVOICE_DATE,
            f.BILLING_START_DATE,
            f.LINE_TYPE,
            f.LINE_ITEM_NUMBER,
        }:
            problems = [each for each in check_ledes(file_of({(line, field): value}), LF) if each.code == code]
            assert problems
            assert all(each.what for each in problems)


@given(content=st.binary(max_size=400), ending=st.sampled_from(LineEnding), characters=st.sampled_from(CharacterSet))
def test_any_bytes_get_an_answer(content: bytes, ending: LineEnding, characters: CharacterSet) -> None:
    """The judge never fails: whatever it is given, it names problems."""
    assert check_ledes(content, Receiver(line_ending=ending, character_set=characters))


@given(line=st.integers(3, 8), field=st.sampled_from(FIELD_NAMES), value=st.text(max_size=30))
def test_any_value_gets_an_answer(file_of: FileOf, line: int, field: str, value: str) -> None:
    """One strange value never makes the judge fail, and a delimiter or break is always found."""
    problems = found(file_of({(line, field): value}))
    if set(value) & set("|[]\n\r\t\x00"):
        assert problems


@pytest.mark.parametrize(
    ("text", "number"), [("+70", "70"), ("1250.", "1250"), ("0.200", "0.2"), ("", "0"), ("-70", "-70")]
)
def test_numbers_of_others_are_read_liberally(text: str, number: str) -> None:
    """Files in the wild write numbers in more ways than we do."""
    assert number_of(text) == Decimal(number)


@pytest.mark.parametrize("text", ["1,5", "1e5", "--1", "NaN", "Infinity", "٣", "1.2.3", ".", "- 1"])
def test_what_is_no_number_is_refused(text: str) -> None:
    """No notation is read as an amount by accident."""
    with pytest.raises(ValueError, match="not a number"):
        number_of(text)


@pytest.mark.parametrize("text", ["20260229", "2026010", "202601011", "٢٠٢٦٠١٠١", "", "20261301"])
def test_what_is_no_day_is_refused(text: str) -> None:
    """Only real calendar days in eight ASCII digits."""
    with pytest.raises(ValueError, match=r".+"):
        day_of(text)
