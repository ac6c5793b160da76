"""What stands on a sheet, in tables: the two layouts, statements, languages and figures."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from schemas.draft import (
    CorrectedDocument,
    CorrectedLine,
    CorrectionPart,
    CorrectionReason,
    DocumentKind,
    DraftBody,
    DraftLine,
    LineKind,
    RetainerBalance,
    TaxRow,
)
from sinks.pdf import ClientPaper, Paper, PdfSettings
from sinks.pdf.numbers import Numbers, clock
from sinks.pdf.settings import luminance
from sinks.pdf.sheet import Sheet, SheetTable
from sinks.pdf.sink import Press
from sinks.pdf.tables import initials_of
from sinks.pdf.words import LANGUAGES
from sinks.testing import example_body, example_draft, example_expense, example_fee


def sheet_of(body: DraftBody, client: ClientPaper | None = None, number: str = "2026-0042", **paper: object) -> Sheet:
    clients = {} if client is None else {body.scope.client_id: client}
    settings = PdfSettings(folder=Path("unused"), paper=Paper.model_validate(paper), clients=clients)
    return Press(settings).sheet(example_draft(body, number=number))[0]


def shown(table: SheetTable) -> str:
    """A table as aligned text: title, heads, rows; groups and subtotals are marked."""
    marks = {"plain": " ", "group": "#", "subtotal": "="}
    lines = [table.title, "  " + " | ".join(column.head for column in table.columns)]
    lines += [f"{marks[row.style.value]} " + " | ".join(row.cells) for row in table.rows]
    return "\n".join(line.rstrip() for line in lines)


def table(sheet: Sheet, title: str) -> str:
    (found,) = [one for one in (*sheet.summary, *sheet.details) if one.title == title]
    return shown(found)


def expected(text: str) -> str:
    return "\n".join(line.strip("\n")[8:].rstrip() for line in text.strip("\n").splitlines()).strip()


def agency(*, lines: int = 3) -> DraftBody:
    """Work for two projects and some without, three lines each."""
    made = []
    for position in range(1, lines + 1):
        project = ("shop", "app", "")[position % 3]
        name = {"shop": "Web shop", "app": "Rider app", "": ""}[project]
        text = f"{name}, Design, senior" if name else "Maintenance, all sites"
        update = {"project_id": project, "text": text, "service_item": "Design", "utbms_task": "", "utbms_activity": ""}
        made.append(
            example_fee(position, quantity="1.50", unit_price="120.00", amount="180.00").model_copy(update=update)
        )
    body = example_body(*made)
    return body.model_copy(update={"matter_id": "", "matter_name": "", "client_matter_id": ""})


def test_a_short_bill_by_project_is_one_page() -> None:
    """Projects under the names that billing wrote, subtotals, work without a project last, and no second page."""
    sheet = sheet_of(agency())
    assert sheet.details == ()
    assert table(sheet, "Professional services") == expected("""
        Professional services
          Description | Hours | Rate | Amount USD
        # Rider app
          Design, senior | 1.50 | 120.00 | 180.00
        = Subtotal | 1.50 |  | 180.00
        # Web shop
          Design, senior | 1.50 | 120.00 | 180.00
        = Subtotal | 1.50 |  | 180.00
        # Other work
          Maintenance, all sites | 1.50 | 120.00 | 180.00
        = Subtotal | 1.50 |  | 180.00
    """)


def test_a_longer_bill_by_project_has_a_summary_and_details() -> None:
    """The first page has a row for each project; the lines are behind it."""
    sheet = sheet_of(agency(lines=12))
    assert table(sheet, "Summary") == expected("""
        Summary
          Project | Hours | Amount USD
          Rider app | 6.00 | 720.00
          Web shop | 6.00 | 720.00
          Other work | 6.00 | 720.00
        = Subtotal | 18.00 | 2,160.00
    """)
    assert [one.title for one in sheet.details] == ["Professional services"]


def test_the_only_project_is_not_shown_as_an_id() -> None:
    """Where billing wrote no name before the texts, a client reads a word and not our id."""
    lines = [
        example_fee(n).model_copy(update={"project_id": "ward-system", "text": "Services, Anna Berg"})
        for n in range(1, 13)
    ]
    sheet = sheet_of(example_body(*lines).model_copy(update={"matter_id": ""}))
    assert sheet.summary[0].rows[0].cells[0] == "Professional services"


def test_a_text_that_billing_did_not_compose_stays_whole() -> None:
    """The part before a comma is a project's name only where the service follows; nothing is guessed."""
    line = example_fee(1).model_copy(update={"text": "Hosting, domains", "service_item": "Design"})
    body = example_body(line).model_copy(update={"matter_id": ""})
    assert sheet_of(body).summary[0].rows[0].cells[0] == "Hosting, domains"


def test_a_matter_makes_it_a_legal_bill() -> None:
    """By timekeeper and by task on the first page, by date behind it."""
    sheet = sheet_of(example_body())
    assert [one.title for one in sheet.summary] == ["Timekeepers", "Work by task"]
    assert [row.cells for row in sheet.summary[0].rows] == [
        ("AB", "Anna Berg", "partner", "2.20", "–", "694.95"),
        ("", "Adjustments of the document", "", "", "", "-24.95"),
        ("", "Total", "", "2.20", "", "670.00"),
    ]
    assert table(sheet, "Work by task").splitlines()[2:] == ["  L240 | Dispositive Motions | 2.20 | 670.00"]
    assert (
        table(sheet, "Professional services").splitlines()[2].startswith("  3 Oct 2026 | AB | L240 A103 | Draft reply")
    )
    assert (
        table(sheet, "Expenses").splitlines()[2]
        == "  9 Oct 2026 | E111 | Working lunch with the expert | 1 | 24.95 | 24.95"
    )


def test_an_adjusted_line_shows_by_how_much() -> None:
    """BD-28: hours stay as worked; the column is there only when a line needs it."""
    capped = example_fee(1, quantity="3.00", unit_price="140.00", amount="333.33")
    assert (
        table(sheet_of(example_body(capped)), "Professional services")
        .splitlines()[2]
        .endswith("3.00 | 140.00 | -86.67 | 333.33")
    )
    plain = sheet_of(example_body(example_fee(1)))
    assert "Adjustment" not in [column.head for column in plain.details[0].columns]


def test_entries_stand_under_their_line() -> None:
    """With `details: entries` the reader sees who did what when, and what of the line it is."""
    sheet = sheet_of(agency(lines=1), details="entries")
    assert table(sheet, "Time entries") == expected("""
        Time entries
          Date | Name | Description | Hours | Amount USD
        # Rider app, Design, senior | 180.00
          3 Oct 2026 | Anna Berg | Drafted the reply | 1.50 | 180.00
        =  |  | Total | 1.50 | 180.00
    """)


def test_each_kind_of_line_has_its_place() -> None:
    """Agreed prices, expenses and adjustments are sections of the totals that add up to the net."""
    kinds = [kind for kind in LineKind if kind is not LineKind.FEE]
    others = [
        example_expense(n, amount=f"{n}.00", expense_code="").model_copy(update={"kind": kind, "text": kind.value})
        for n, kind in enumerate(kinds, start=2)
    ]
    sheet = sheet_of(example_body(example_fee(1), *others))
    sections = {one.title: [row.cells[0] for row in one.rows[:-1]] for one in sheet.details[1:]}
    assert sections["Fixed and recurring fees"] == [
        "retainer_fee", "fixed_fee", "milestone", "recurring_fee", "usage_fee", "minimum_true_up", "deposit",
    ]  # fmt: skip
    assert [row.cells[1] for one in sheet.details if one.title == "Expenses" for row in one.rows[:-1]] == [
        "expense", "markup",
    ]  # fmt: skip
    assert sections["Adjustments"] == ["rounding", "discount", "adjustment", "unknown"]
    named = ["Professional services", "Fixed and recurring fees", "Expenses", "Adjustments"]
    assert [fact.label for fact in sheet.totals[:4]] == named


def test_hours_among_pieces_say_that_they_are_hours() -> None:
    """A retainer's hours and a package of calls stand in one column without being mixed up."""
    hours = example_fee(2, quantity="14.00", unit_price="0", amount="0.00").model_copy(
        update={"kind": LineKind.RETAINER_FEE}
    )
    calls = example_expense(3, amount="15.20", expense_code="").model_copy(
        update={"kind": LineKind.USAGE_FEE, "unit": "package of 1000 calls", "quantity": Decimal(38)}
    )
    rows = table(sheet_of(example_body(example_fee(1), hours, calls)), "Fixed and recurring fees").splitlines()
    assert [row.split(" | ")[1] for row in rows[2:4]] == ["14.00\u00a0h", "38 × 1000 calls"]


def test_a_correction_names_the_document_it_changes() -> None:
    """The reader finds the earlier invoice, what stood there, what is right, and the difference."""
    correct = CorrectedLine(document_id="d" * 32, number="2026-0007", line_id="l", seconds=0, amount=Decimal("-80.00"))
    line = example_expense(1, amount="-80.00", expense_code="").model_copy(
        update={"kind": LineKind.ADJUSTMENT, "text": "Time corrected", "corrects": (correct,)}
    )
    document = CorrectedDocument(
        document_id="d" * 32,
        number="2026-0007",
        date_from=date(2026, 9, 1),
        date_to=date(2026, 10, 1),
        part=CorrectionPart.DIFFERENCE,
        standing=Decimal("1000.00"),
        fresh=Decimal("920.00"),
        amount=Decimal("-80.00"),
        worked_seconds=0,
    )
    sheet = sheet_of(example_body(line).model_copy(update={"corrections": (document,)}))
    assert table(sheet, "Adjustments").splitlines()[1:3] == [
        "  Description | Corrects | Amount USD",
        "  Time corrected | 2026-0007 | -80.00",
    ]
    assert table(sheet, "Corrections of earlier documents (USD)").splitlines()[2] == (
        "  2026-0007 | 1 Sept 2026 – 30 Sept 2026 | 1,000.00 | 920.00 | -80.00"
    )


def test_hours_on_account_add_up_in_their_row() -> None:
    """BD-36: brought forward + added + used + lapsed = carried forward, with their signs."""
    balance = RetainerBalance(
        engagement_id="care",
        name="Care plan",
        date_from=date(2026, 10, 1),
        date_to=date(2026, 11, 1),
        rolled_in_seconds=Decimal(7_200),
        granted_seconds=Decimal(36_000),
        used_rolled_in_seconds=Decimal(7_200),
        used_granted_seconds=Decimal(18_000),
        used_deficit_seconds=Decimal(0),
        lapsed_seconds=Decimal(3_600),
        credited_seconds=Decimal(0),
        rolled_out_seconds=Decimal(14_400),
        deficit_in_seconds=Decimal(0),
        deficit_out_seconds=Decimal(0),
        beyond_seconds=Decimal(0),
    )
    sheet = sheet_of(example_body().model_copy(update={"retainers": (balance,)}))
    assert table(sheet, "Hours on account").splitlines()[2] == (
        "  Care plan | 1 Oct 2026 – 31 Oct 2026 | 2.00 | 10.00 | -7.00 | -1.00 | 4.00"
    )


def test_a_tax_that_is_not_charged_says_why() -> None:
    """The contract's own reason stands below the totals; there is no row of zero per cent."""
    row = TaxRow(category="AE", rate=Decimal(0), base=Decimal("694.95"), tax=Decimal(0), reason="Reverse charge")
    sheet = sheet_of(example_body().model_copy(update={"taxes": (row,)}))
    assert sheet.remarks == ("Reverse charge",)
    assert not [fact for fact in sheet.totals if "%" in fact.label]


def test_two_rates_of_tax_are_both_shown() -> None:
    """With one taxed part and one that is not, both bases are there."""
    rows = (
        TaxRow(category="S", rate=Decimal("8.875"), base=Decimal("600.00"), tax=Decimal("53.25")),
        TaxRow(category="Z", rate=Decimal(0), base=Decimal("94.95"), tax=Decimal(0)),
    )
    sheet = sheet_of(example_body(tax="53.25").model_copy(update={"taxes": rows}), locale="en-US", tax_name="Sales tax")
    assert [(fact.label, fact.value) for fact in sheet.totals[-3:-1]] == [
        ("Sales tax 8.875% on 600.00", "53.25"),
        ("Sales tax 0% on 94.95", "0.00"),
    ]


def test_facts_name_what_a_clerk_looks_for() -> None:
    """Number, dates, period, matter and the client's own references; what is not known has no row."""
    sheet = sheet_of(example_body(), ClientPaper(purchase_order="PO-4711", attention="Ms Doe"))
    assert {fact.label: fact.value for fact in sheet.facts} == {
        "Invoice number": "2026-0042",
        "Invoice date": "2 November 2026",
        "Payable by": "2 December 2026",
        "Period": "1 Oct 2026 – 31 Oct 2026",
        "Client": "ACME",
        "Matter": "M-1001 · Acme v. Roadrunner",
        "Your matter": "C-77",
        "Your order": "PO-4711",
    }
    assert sheet.recipient == ("Acme Corp", "Attention: Ms Doe")


def test_a_credit_note_is_called_one_and_has_no_date_of_payment() -> None:
    """A client who gets money back is not asked to pay it."""
    body = example_body()
    scope = body.scope.model_copy(update={"kind": DocumentKind.CREDIT_NOTE})
    sheet = sheet_of(body.model_copy(update={"scope": scope}))
    assert sheet.heading == "Credit note 2026-0042"
    assert "Payable by" not in [fact.label for fact in sheet.facts]


def correction(position: int, text: str, reason: CorrectionReason, **changed: object) -> DraftLine:
    """An hour and a half of Anna taken back from an earlier invoice."""
    line = example_fee(position, quantity="-1.50", unit_price="350.00", amount="-525.00")
    said: dict[str, object] = {
        "kind": LineKind.ADJUSTMENT,
        "text": text,
        "correction_reason": reason,
        "corrected_kind": LineKind.FEE,
        "corrects": (
            CorrectedLine(document_id="d-1", number="0031", line_id="l", seconds=-5400, amount=Decimal("-525.00")),
        ),
    }
    return line.model_copy(update=said | changed)


def note_of(*lines: DraftLine) -> DraftBody:
    """A credit note of a law firm."""
    body = example_body(*lines)
    scope = body.scope.model_copy(update={"kind": DocumentKind.CREDIT_NOTE})
    people = (body.timekeepers[0],)
    return body.model_copy(update={"scope": scope, "timekeepers": people})


def test_a_credit_note_asks_for_nothing() -> None:
    """It has a number and a date of its own, and neither an account nor a note on payment."""
    body = note_of(correction(1, "Credit of 0031: Drafting", CorrectionReason.VOID))
    sheet = sheet_of(body, payment={"IBAN": "DE00"}, payment_note="Please quote the number.")
    assert [fact.label for fact in sheet.facts[:2]] == ["Credit note number", "Date"]
    assert (sheet.payment, sheet.payment_note) == ((), "")
    assert sheet.totals[-1].label == "In your favour"
    asked = sheet_of(example_body(), payment={"IBAN": "DE00"}, payment_note="Please quote the number.")
    assert (len(asked.payment), asked.payment_note) == (1, "Please quote the number.")


def test_a_correction_shows_its_hours_in_the_language_of_the_paper() -> None:
    """The number has a column, so the text does not repeat it; the reason is translated, the work's words are not."""
    written = "Correction to 0031: 2026-10-03, Drafting (partner) (written off)"
    body = note_of(
        correction(1, written, CorrectionReason.WRITE_OFF),
        correction(2, "Credit of 0031: Copies (bundle C)", CorrectionReason.VOID, unit="unit"),
        correction(3, "Billed anew from 0031: Drafting", CorrectionReason.EDIT),
        correction(4, "Something of a newer version", CorrectionReason.UNKNOWN),
    )
    sheet = sheet_of(body, locale="de-DE")
    assert sheet.heading == "Rechnungskorrektur 2026-0042"
    assert table(sheet, "Anpassungen") == expected("""
        Anpassungen
          Beschreibung | Korrigiert | Stunden | Satz | Betrag USD
          2026-10-03, Drafting (partner) (erlassen) | 0031 | -1,50 | 350,00 | -525,00
          Copies (bundle C) | 0031 |  |  | -525,00
          Drafting (neu berechnet) | 0031 | -1,50 | 350,00 | -525,00
          Something of a newer version | 0031 | -1,50 | 350,00 | -525,00
        = Zwischensumme |  |  |  | -2.100,00
    """)


def test_sums_of_people_and_tasks_count_corrections() -> None:
    """700.00 of work less 525.00: the timekeeper and the task have 175.00, and the sum says that it is corrected."""
    body = example_body(example_fee(1), correction(2, "Credit of 0031: Drafting", CorrectionReason.VOID))
    people = (body.timekeepers[0].model_copy(update={"seconds": 1800, "amount": Decimal("175.00")}),)
    sheet = sheet_of(body.model_copy(update={"timekeepers": people}))
    assert table(sheet, "Timekeepers").splitlines()[-2:] == [
        "  AB | Anna Berg | partner | 0.50 | 350.00 | 175.00",
        "=  | Total with corrections |  | 0.50 |  | 175.00",
    ]
    assert table(sheet, "Work by task").splitlines()[-1] == "  L240 | Dispositive Motions | 0.50 | 175.00"


def test_a_draft_is_named_by_its_document_and_revision() -> None:
    """Two drafts on a desk can be told apart."""
    sheet = sheet_of(example_body(), number="")
    assert (sheet.heading, sheet.watermark, sheet.facts[0].value) == (
        "Invoice (Draft)",
        "Draft",
        "Draft 0123456789ab · r2",
    )


@pytest.mark.parametrize(
    ("locale", "money", "amount", "day", "percent", "heading"),
    [
        ("en-GB", "US$1,234.50", "1,234.50", "3 Oct 2026", "19%", "Invoice"),
        ("en-US", "$1,234.50", "1,234.50", "Oct 3, 2026", "19%", "Invoice"),
        ("de-DE", "1.234,50 $", "1.234,50", "03.10.2026", "19 %", "Rechnung"),
        ("de-CH", "$ 1’234.50", "1’234.50", "03.10.2026", "19%", "Rechnung"),
        ("fr-FR", "1 234,50 $US", "1 234,50", "3 oct. 2026", "19 %", "Facture"),
        ("es-ES", "1.234,50 US$", "1.234,50", "3 oct 2026", "19 %", "Factura"),
    ],
)
def test_a_locale_writes_its_own_figures(
    locale: str, money: str, amount: str, day: str, percent: str, heading: str
) -> None:
    """Separators, place of the sign, order of the date and the words are those of the region."""
    numbers = Numbers(locale, "USD")
    written = [
        numbers.money(Decimal("1234.50")),
        numbers.amount(Decimal("1234.50")),
        numbers.day(date(2026, 10, 3)),
        numbers.percent(Decimal(19)),
    ]
    blanks = {ord("\u00a0"): " ", ord("\u202f"): " "}
    assert [text.translate(blanks) for text in written] == [money, amount, day, percent]
    assert LANGUAGES[numbers.locale.language].invoice == heading


@pytest.mark.parametrize(
    ("currency", "value", "written"),
    [
        ("JPY", "1234", "1,234"),
        ("EUR", "1234", "1,234.00"),
        ("EUR", "0.005", "0.005"),
        ("BHD", "1.5", "1.500"),
        ("EUR", "-0.00", "0.00"),
        ("USD", "-1234567.89", "-1,234,567.89"),
        ("USD", "999999999999999.99", "999,999,999,999,999.99"),
    ],
)
def test_no_digit_of_an_amount_is_lost(currency: str, value: str, written: str) -> None:
    """At least the currency's decimals, and every digit that is there."""
    assert Numbers("en-GB", currency).amount(Decimal(value)) == written


def test_hours_can_be_checked() -> None:
    """69.8333 h x 105.00 is 7,332.50 only with four decimals; whole minutes on a clock are for reading."""
    numbers = Numbers("en-GB", "EUR")
    assert [numbers.hours(Decimal(text)) for text in ("2", "1.5", "69.8333", "0.16666667")] == [
        "2.00", "1.50", "69.8333", "0.1667",
    ]  # fmt: skip
    assert [clock(seconds) for seconds in (5_400, 59, 29, -5_400, 360_000)] == [
        "1:30",
        "0:01",
        "0:00",
        "-1:30",
        "100:00",
    ]


def test_initials_are_different_for_each_person() -> None:
    """Titles are no names; people with the same initials are numbered by their ids."""
    names = {"ab": "Anna Berg", "ab2": "Dr. Arno Beck", "x": "", "jfk": "John F. Kennedy", "z": "Åsa Öberg"}
    assert initials_of(names) == {"ab": "AB", "ab2": "AB2", "x": "x", "jfk": "JFK", "z": "ÅÖ"}


def test_black_is_dark_and_white_is_light() -> None:
    """The measure of contrast has its ends where the standard has them."""
    assert luminance("#000000") == 0
    assert abs(luminance("#ffffff") - 1) < Decimal("0.0001")


def test_each_word_is_used(repository_root: Path) -> None:
    """No language carries a word that stands nowhere."""
    texts = [path.read_text(encoding="utf-8") for path in (repository_root / "sinks" / "pdf").glob("*.py")]
    code = "\n".join(text for text in texts if "class Words" not in text)
    assert [name for name in LANGUAGES["en"].__dataclass_fields__ if f"words.{name}" not in code] == []
