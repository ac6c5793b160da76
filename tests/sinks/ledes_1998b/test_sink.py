"""Documents as LEDES files: layout, golden files, refusals, and the law that no refused file is written."""

import asyncio
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.draft import DraftBody, DraftLine, LineKind, Party
from schemas.errors import Conflict
from sinks.base import DraftKey, DraftRefused, DraftToSend, confirm, key_for
from sinks.ledes_1998b import Ledes1998bSettings, Ledes1998bSink, Receiver, check_ledes, render
from sinks.ledes_1998b import fields as f
from sinks.ledes_1998b.reader import Record, number_of, read_ledes
from sinks.ledes_1998b.settings import CharacterSet, LineEnding, PeriodPolicy, TaxPolicy, Timekeeper
from sinks.testing import (
    HOUR_SECONDS,
    SinkContract,
    example_body,
    example_draft,
    example_expense,
    example_fee,
    example_source,
)

STRICT = Receiver()


def make(folder: Path) -> Ledes1998bSink:
    return Ledes1998bSink(Ledes1998bSettings(folder=folder))


class TestLedes1998bContract(SinkContract):
    """The LEDES sink keeps the contract of all sinks."""

    make = staticmethod(make)


def key_of(draft: DraftToSend) -> DraftKey:
    return key_for(draft, "ledes_1998b")


def records(draft: DraftToSend, receiver: Receiver = STRICT) -> tuple[Record, ...]:
    return read_ledes(render(draft, receiver).content, receiver).records


def notes(draft: DraftToSend, receiver: Receiver = STRICT) -> list[str]:
    return [note.code for note in render(draft, receiver).notes]


def refusal(draft: DraftToSend, receiver: Receiver = STRICT) -> set[tuple[str, str]]:
    with pytest.raises(DraftRefused) as refused:
        render(draft, receiver)
    assert all(problem.what for problem in refused.value.problems)
    return {(problem.code, problem.field) for problem in refused.value.problems}


def rolled_up(position: int) -> DraftLine:
    """Bug fixes of two people in one line of 7.35 h and 849.00 (BD-50)."""
    people = (("ab", 13_500, "525.00"), ("cd", 12_960, "324.00"))
    sources = tuple(example_source(f"r{person}", person, seconds=part, amount=share) for person, part, share in people)
    update = {
        "person_id": "",
        "person_name": "",
        "role": "",
        "seconds": 26_460,
        "sources": sources,
        "text": "Bug fixes",
    }
    return example_fee(position, quantity="7.35", unit_price="115.5102", amount="849.00").model_copy(update=update)


def money_line(position: int, kind: LineKind, amount: str, text: str, **update: object) -> DraftLine:
    """A line of money without time."""
    line = example_expense(position, amount=amount, expense_code="")
    return line.model_copy(update={"kind": kind, "text": text, **update})


def everything() -> DraftToSend:
    """One line of each kind that the format shows in its own way."""
    capped = example_fee(1, quantity="3.00", unit_price="140.00", amount="333.33")
    fixed = money_line(4, LineKind.FEE, "1250.00", "Monthly retainer, “flat”")
    lines = (
        capped,
        rolled_up(2),
        example_expense(3),
        fixed,
        money_line(5, LineKind.MARKUP, "2.50", "Mark-up"),
        money_line(6, LineKind.FEE, "-20.00", "Volume discount"),
        money_line(7, LineKind.FEE, "-5.00", "Courtesy discount"),
        money_line(8, LineKind.EXPENSE, "-1.00", "Refund"),
        money_line(9, LineKind.ROUNDING, "0.02", "Rounding"),
        example_fee(10, unit_price="0", amount="0"),
    )
    return example_draft(example_body(*lines, tax="100.00"))


@pytest.mark.parametrize(("draft", "file"), [(example_draft(), "plain.txt"), (everything(), "everything.txt")])
def test_a_golden_file_is_written_byte_for_byte(draft: DraftToSend, file: str, golden: Path) -> None:
    """A document's file changes only on purpose."""
    assert render(draft, STRICT).content == (golden / file).read_bytes()


def test_a_discount_is_a_negative_adjustment() -> None:
    """BD-73: units 3.40, unit cost 250.00, adjustment -85.00, total 765.00, and the invoice adds up."""
    (record,) = records(
        example_draft(example_body(example_fee(1, quantity="3.40", unit_price="250.00", amount="765.00")))
    )
    shown = [record[name] for name in (f.UNITS, f.UNIT_COST, f.ADJUSTMENT, f.LINE_ITEM_TOTAL, f.INVOICE_TOTAL)]
    assert shown == ["3.40", "250.00", "-85.00", "765.00", "765.00"]


def test_a_capped_line_keeps_its_hours() -> None:
    """BD-28: 3.00 h at 140.00 with an adjustment of -86.67 are 333.33; no quantity is invented."""
    (record,) = records(
        example_draft(example_body(example_fee(1, quantity="3.00", unit_price="140.00", amount="333.33")))
    )
    assert [record[name] for name in (f.UNITS, f.ADJUSTMENT, f.LINE_ITEM_TOTAL)] == ["3.00", "-86.67", "333.33"]


def test_a_roll_up_has_one_line_for_each_person() -> None:
    """Each fee line has one timekeeper; the parts carry the line's number and add up to it."""
    first, second = records(example_draft(example_body(rolled_up(1))))
    assert [first[f.LINE_ITEM_NUMBER], second[f.LINE_ITEM_NUMBER]] == ["1A", "1B"]
    assert [first[f.TIMEKEEPER_NAME], second[f.TIMEKEEPER_NAME]] == ["Berg, Anna", "Dahl, Carl"]
    assert [first[f.UNITS], second[f.UNITS]] == ["3.75", "3.60"]
    assert [first[f.UNIT_COST], second[f.UNIT_COST]] == ["140.00", "90.00"]
    assert number_of(first[f.LINE_ITEM_TOTAL]) + number_of(second[f.LINE_ITEM_TOTAL]) == Decimal(849)


def test_what_the_format_cannot_carry_is_noted() -> None:
    """Tax, missing rates, merged reductions and lines without price are said, never silent."""
    assert notes(everything()) == [
        "ledes_tax_not_expressed",
        "ledes_rate_derived",
        "ledes_line_left_out",
        "ledes_lines_merged",
    ]


def test_reductions_of_one_type_are_one_line() -> None:
    """Volume and courtesy discount together: one negative IF line, one negative IE line."""
    reductions = [record for record in records(everything()) if number_of(record[f.LINE_ITEM_TOTAL]) < 0]
    assert [(each[f.LINE_TYPE], each[f.LINE_ITEM_TOTAL]) for each in reductions] == [("IF", "-25.00"), ("IE", "-1.00")]
    assert reductions[0][f.LINE_ITEM_DESCRIPTION] == "Volume discount; Courtesy discount"


def test_the_invoice_total_is_the_net() -> None:
    """The format has no tax: total and lines are net."""
    draft = example_draft(example_body(example_fee(1), tax="140.00"))
    assert records(draft)[0][f.INVOICE_TOTAL] == "700.00"


def test_a_confirmed_file_agrees_with_its_document(tmp_path: Path) -> None:
    """Splits, merges and lines left out still read back as the document's lines."""
    sink, draft = make(tmp_path), everything()
    receipt = asyncio.run(sink.create(draft, key_of(draft)))
    assert confirm(draft, receipt, asyncio.run(sink.read_back(receipt))) == ()
    assert asyncio.run(sink.find(draft, key_of(draft))) == receipt


def test_a_draft_has_a_number_of_its_own() -> None:
    """Without a number the file says that it is a draft."""
    draft = example_draft(number="")
    assert records(draft)[0][f.INVOICE_NUMBER] == "D-01234567"
    assert refusal(draft, Receiver(draft_number_prefix="")) >= {("ledes_draft_number", f.INVOICE_NUMBER)}


def changed(**update: object) -> DraftToSend:
    return example_draft(example_body().model_copy(update=update))


def with_line(**update: object) -> DraftToSend:
    return example_draft(example_body(example_fee(1).model_copy(update=update)))


REFUSED: list[tuple[DraftToSend, Receiver, tuple[str, str]]] = [
    (changed(tax=Decimal(1)), Receiver(taxes=TaxPolicy.REFUSE), ("ledes_tax_not_expressible", f.INVOICE_TOTAL)),
    (changed(currency="EUR"), Receiver(currency="USD"), ("ledes_currency", f.INVOICE_TOTAL)),
    (changed(client_matter_id=""), STRICT, ("ledes_required", f.CLIENT_MATTER_ID)),
    (changed(matter_id=""), STRICT, ("ledes_required", f.LAW_FIRM_MATTER_ID)),
    (changed(firm=Party(name="Firm")), STRICT, ("ledes_required", f.LAW_FIRM_ID)),
    (changed(client=Party(name="C", ledes_id="A|B")), STRICT, ("ledes_character", f.CLIENT_ID)),
    (changed(net=Decimal("694.96")), STRICT, ("ledes_invoice_total", f.INVOICE_TOTAL)),
    (example_draft(number="2026/42"), STRICT, ("ledes_invoice_number", f.INVOICE_NUMBER)),
    (example_draft(number="2" * 11), Receiver(invoice_number_length_max=10), ("ledes_length", f.INVOICE_NUMBER)),
    (with_line(utbms_task=""), STRICT, ("ledes_required", f.TASK_CODE)),
    (with_line(utbms_task="L100"), STRICT, ("ledes_code", f.TASK_CODE)),
    (with_line(utbms_activity=""), STRICT, ("ledes_required", f.ACTIVITY_CODE)),
    (with_line(text=""), STRICT, ("ledes_required", f.LINE_ITEM_DESCRIPTION)),
    (with_line(text="打合せ"), STRICT, ("ledes_character", f.LINE_ITEM_DESCRIPTION)),
    (with_line(text="x" * 1024), Receiver(narrative_length_max=1023), ("ledes_length", f.LINE_ITEM_DESCRIPTION)),
    (with_line(date=date(2026, 11, 1)), STRICT, ("ledes_date_outside", f.LINE_ITEM_DATE)),
    (with_line(person_name="N" * 40), STRICT, ("ledes_length", f.TIMEKEEPER_NAME)),
    (with_line(kind=LineKind.UNKNOWN), STRICT, ("ledes_line_kind", f.LINE_TYPE)),
    (with_line(quantity=Decimal("0.001"), seconds=4), STRICT, ("ledes_units", f.UNITS)),
    (example_draft(example_body(example_expense(1, expense_code=""))), STRICT, ("ledes_required", f.EXPENSE_CODE)),
    (example_draft(example_body(example_fee(1, unit_price="0", amount="0"))), STRICT, ("ledes_no_lines", "the line")),
    (
        example_draft(example_body(example_fee(1, unit_price="1.001", amount="2.002"))),
        STRICT,
        ("ledes_decimals", f.LINE_ITEM_TOTAL),
    ),
]


@pytest.mark.parametrize(("draft", "receiver", "problem"), REFUSED)
def test_what_the_receiver_would_reject_is_not_written(
    draft: DraftToSend, receiver: Receiver, problem: tuple[str, str], tmp_path: Path
) -> None:
    """Neither a look nor a create leaves a file, and the problem names its field."""
    assert problem in refusal(draft, receiver)
    sink = Ledes1998bSink(Ledes1998bSettings(folder=tmp_path / "ledes", receiver=receiver))
    for call in (sink.find, sink.create):
        with pytest.raises(DraftRefused):
            asyncio.run(call(draft, key_of(draft)))
    assert list(tmp_path.iterdir()) == []


def test_late_entries_widen_the_period_where_the_receiver_takes_them() -> None:
    """`period: lines` covers the dates of all lines."""
    late = example_draft(example_body(example_fee(1), example_fee(2).model_copy(update={"date": date(2026, 9, 28)})))
    first, _ = records(late, Receiver(period=PeriodPolicy.LINES))
    assert [first[f.BILLING_START_DATE], first[f.BILLING_END_DATE]] == ["20260928", "20261031"]


def test_a_receiver_may_know_people_by_other_names() -> None:
    """Roster ids, names and classifications of the receiver replace ours."""
    known = Receiver(timekeepers={"ab": Timekeeper(id="PTR-7", name="van der Berg, Anna", classification="OFCOUN")})
    record = records(example_draft(), known)[0]
    names = (f.TIMEKEEPER_ID, f.TIMEKEEPER_NAME, f.TIMEKEEPER_CLASSIFICATION)
    assert [record[name] for name in names] == ["PTR-7", "van der Berg, Anna", "OFCOUN"]


def test_a_role_without_a_code_is_left_empty() -> None:
    """An optional code is not guessed."""
    assert records(with_line(role="wizard"))[0][f.TIMEKEEPER_CLASSIFICATION] == ""
    known = Receiver(classifications={"wizard": "EXPERT"})
    assert records(with_line(role="wizard"), known)[0][f.TIMEKEEPER_CLASSIFICATION] == "EXPERT"


def test_a_client_may_have_its_own_receiver(tmp_path: Path) -> None:
    """Options are per client; the others keep the default."""
    settings = Ledes1998bSettings(folder=tmp_path, receivers={"acme": Receiver(line_ending=LineEnding.LF)})
    draft = example_draft()
    receipt = asyncio.run(Ledes1998bSink(settings).create(draft, key_of(draft)))
    assert b"\r" not in (tmp_path / receipt.location).read_bytes()


def test_a_spoilt_file_is_not_confirmed(tmp_path: Path) -> None:
    """Reading back reads the disk."""
    sink, draft = make(tmp_path), example_draft()
    receipt = asyncio.run(sink.create(draft, key_of(draft)))
    (tmp_path / receipt.location).write_bytes(b"LEDES1998B[]\r\n")
    with pytest.raises(Conflict, match="sink_file_unreadable"):
        asyncio.run(sink.read_back(receipt))


def content_or_none(draft: DraftToSend, receiver: Receiver) -> bytes | None:
    try:
        return render(draft, receiver).content
    except DraftRefused:
        return None


def lines_strategy() -> st.SearchStrategy[DraftBody]:
    """Bodies of lines with any texts, quantities, prices and amounts, whether or not they fit each other."""
    texts = st.text(max_size=60)
    numbers = st.decimals("-99999", "99999", places=2)
    fees = st.builds(
        _fee,
        texts,
        st.decimals("0", "999", places=4),
        st.decimals("0", "9999", places=4),
        numbers,
        st.sampled_from(["hour", "lump"]),
        st.lists(st.tuples(st.sampled_from(["ab", "cd", "x" * 21]), st.integers(0, 50_000)), max_size=4),
    )
    money = st.builds(
        lambda kind, amount, text, code: money_line(1, kind, f"{amount:f}", text, expense_code=code),
        st.sampled_from(LineKind),
        numbers,
        texts,
        st.sampled_from(["", "E111", "X999"]),
    )
    return st.lists(st.one_of(fees, money), min_size=1, max_size=6).map(_numbered)


def _fee(
    text: str, quantity: Decimal, unit_price: Decimal, amount: Decimal, unit: str, parts: list[tuple[str, int]]
) -> DraftLine:
    line = example_fee(1, quantity=f"{quantity:f}", unit_price=f"{unit_price:f}", amount=f"{amount:f}")
    sources = tuple(
        example_source(f"s{i}", who, seconds=seconds, amount="1.00") for i, (who, seconds) in enumerate(parts)
    )
    seconds = int(quantity * HOUR_SECONDS)
    return line.model_copy(update={"text": text, "unit": unit, "seconds": seconds, "sources": sources or line.sources})


def _numbered(lines: list[DraftLine]) -> DraftBody:
    return example_body(*(line.model_copy(update={"position": n}) for n, line in enumerate(lines, start=1)))


@given(
    body=lines_strategy(),
    number=st.one_of(st.just("2026-7"), st.text(max_size=25)),
    ending=st.sampled_from(LineEnding),
    characters=st.sampled_from(CharacterSet),
    decimals=st.sampled_from([2, 4]),
    required=st.booleans(),
)
def test_any_document_is_a_good_file_or_a_refusal(
    body: DraftBody, number: str, ending: LineEnding, characters: CharacterSet, decimals: int, required: bool
) -> None:
    """Whatever billing says: a file the judge accepts whose sums are the document's to the cent, or named problems."""
    receiver = Receiver(
        line_ending=ending,
        character_set=characters,
        units_decimals_max=decimals,
        unit_cost_decimals_max=decimals,
        expense_code_required=required,
        narrative_required=required,
    )
    draft = example_draft(body, number=number)
    content = content_or_none(draft, receiver)
    if content is None:
        assert refusal(draft, receiver)
        return
    assert check_ledes(content, receiver) == ()
    shown = read_ledes(content, receiver).records
    assert sum((number_of(each[f.LINE_ITEM_TOTAL]) for each in shown), Decimal(0)) == body.net
    assert render(draft, receiver).content == content


def plain_lines() -> st.SearchStrategy[list[DraftLine]]:
    """Lines as billing makes them: hours of known people at a rate, discounted or not, expenses, reductions."""
    texts = st.text(st.characters(max_codepoint=0x17F, exclude_categories=["Cc", "Cf", "So", "Sk"]), max_size=80)
    fees = st.builds(
        lambda text, tenths, rate, cut, people: _worked("Work " + text, tenths, rate, cut, people),
        texts,
        st.integers(1, 2_000),
        st.integers(100, 90_000),
        st.integers(0, 100),
        st.lists(st.sampled_from(["ab", "cd", "ef"]), min_size=1, max_size=3, unique=True),
    )
    expenses = st.integers(1, 10**7).map(lambda cents: example_expense(1, amount=f"{Decimal(cents) / 100:f}"))
    cuts = st.integers(1, 10**6).map(
        lambda cents: money_line(1, LineKind.FEE, f"-{Decimal(cents) / 100:f}", "Discount")
    )
    return st.lists(st.one_of(fees, fees, expenses, cuts), min_size=1, max_size=12)


def _worked(text: str, tenths: int, rate_cents: int, percent_off: int, people: list[str]) -> DraftLine:
    """Hours in tenths for each person at one rate, with a discount in the adjustment."""
    rate = Decimal(rate_cents) / 100
    each = (Decimal(tenths) / 10 * rate * (100 - percent_off) / 100).quantize(Decimal("0.01"))
    seconds = tenths * HOUR_SECONDS // 10
    sources = tuple(example_source(f"w{who}", who, seconds=seconds, amount=f"{each:f}") for who in people)
    quantity = Decimal(tenths) / 10 * len(people)
    line = example_fee(1, quantity=f"{quantity:f}", unit_price=f"{rate:f}", amount=f"{each * len(people):f}")
    return line.model_copy(update={"text": text, "sources": sources, "seconds": seconds * len(people)})


@given(lines=plain_lines(), characters=st.sampled_from(CharacterSet))
def test_what_billing_makes_is_always_written(
    lines: list[DraftLine], characters: CharacterSet, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """European text, rates, discounts and roll-ups never end in a refusal, and read back line by line."""
    draft = example_draft(_numbered(lines))
    folder = tmp_path_factory.mktemp("ledes")
    sink = Ledes1998bSink(Ledes1998bSettings(folder=folder, receiver=Receiver(character_set=characters)))
    receipt = asyncio.run(sink.create(draft, key_of(draft)))
    assert confirm(draft, receipt, asyncio.run(sink.read_back(receipt))) == ()
