"""From a document and the firm's paper to the sheet: what stands where. The tables are in `tables.py`; pure.

No amount is computed here but sums that are asserted to be the document's own.
"""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal, localcontext

from schemas.draft import DocumentKind, DocumentState, DraftBody
from sinks.base import DraftToSend
from sinks.pdf.keywords import keywords_of
from sinks.pdf.numbers import Numbers
from sinks.pdf.settings import ClientPaper, Paper
from sinks.pdf.sheet import Fact, Look, Sheet, SheetTable
from sinks.pdf.statements import statements
from sinks.pdf.tables import Desk, detail_tables, section_totals, summary_tables
from sinks.pdf.texts import Printer
from sinks.pdf.words import LANGUAGES, Words

PRECISION_DIGITS = 60
LINES_ON_ONE_PAGE = 9
SHORT_TERMS_CHARACTERS = 700


@dataclass(frozen=True, slots=True)
class Composed:
    """A sheet, and the characters for which no font had a letter."""

    sheet: Sheet
    missing: tuple[str, ...]


def compose(
    draft: DraftToSend,
    paper: Paper,
    client: ClientPaper,
    characters: frozenset[int],
    families: tuple[str, ...],
    logo: str,
) -> Composed:
    """Arrange a document; `characters` are those the fonts can show, `logo` is the template's name for it or empty."""
    with localcontext(prec=PRECISION_DIGITS):
        numbers = Numbers(paper.locale, draft.body.currency)
        desk = Desk(draft.body, paper, numbers, LANGUAGES[numbers.locale.language], Printer(characters))
        sheet = _sheet(draft, desk, client, _look(paper, numbers, families, logo))
    return Composed(sheet, tuple(sorted(desk.printer.missing)))


def _look(paper: Paper, numbers: Numbers, families: tuple[str, ...], logo: str) -> Look:
    return Look(
        page=paper.page.value,
        families=families,
        color=paper.color,
        logo=logo,
        logo_width_mm=paper.logo_width_mm,
        lang=numbers.locale.language,
        region=numbers.locale.territory or "",
    )


def _sheet(draft: DraftToSend, desk: Desk, client: ClientPaper, look: Look) -> Sheet:
    body, paper, words, printer = desk.body, desk.paper, desk.words, desk.printer
    heading = _heading(draft, words, printer)
    firm = printer.line(body.firm.name)
    invoice_date = body.invoice_date
    summary, details = _tables(desk)
    return Sheet(
        look=look,
        title=f"{heading} · {printer.line(body.client.name)}",
        subtitle=printer.line(body.matter_name) if desk.is_legal else "",
        heading=heading,
        author=firm,
        keywords=keywords_of(draft),
        issued_on=(invoice_date.year, invoice_date.month, invoice_date.day),
        watermark=_watermark(draft, words),
        sender=_sender(desk),
        sender_line=" · ".join(printer.lines([body.firm.name, *body.firm.address])),
        recipient=_recipient(desk, client),
        facts=_facts(draft, desk, client),
        intro=tuple(printer.paragraphs(paper.intro)),
        summary=summary,
        totals=_totals(desk),
        remarks=_remarks(desk),
        payment_title=words.payment,
        payment=_payment(desk),
        payment_note=printer.line(paper.payment_note) if body.due > 0 else "",
        terms_title=words.terms,
        terms=tuple(printer.paragraphs(paper.terms)),
        terms_are_short=len(paper.terms) <= SHORT_TERMS_CHARACTERS,
        details_title=words.details,
        details=details,
        footer=tuple(printer.lines(paper.footer)),
        page_of=words.page_of,
    )


def _payment(desk: Desk) -> tuple[Fact, ...]:
    """Where the amount due is to be paid; a client who owes nothing is not asked."""
    if desk.body.due <= 0:
        return ()
    line = desk.printer.line
    return tuple(Fact(line(name), line(value)) for name, value in desk.paper.payment.items())


def _tables(desk: Desk) -> tuple[tuple[SheetTable, ...], tuple[SheetTable, ...]]:
    """Summary and details; a short bill by project shows its lines at once and needs no second page."""
    details = detail_tables(desk)
    if not desk.is_legal and desk.shows_lines and len(desk.body.lines) <= LINES_ON_ONE_PAGE:
        return (*details, *statements(desk)), ()
    return (*summary_tables(desk), *statements(desk)), details


def _heading(draft: DraftToSend, words: Words, printer: Printer) -> str:
    kind = words.credit_note if draft.body.scope.kind is DocumentKind.CREDIT_NOTE else words.invoice
    return f"{kind} {printer.line(draft.number)}" if draft.number else f"{kind} ({words.draft})"


def _watermark(draft: DraftToSend, words: Words) -> str:
    match draft.state:
        case DocumentState.ISSUED:
            return ""
        case DocumentState.DRAFT | DocumentState.APPROVED:
            return words.draft
        case DocumentState.VOID:
            return words.void
        case _:
            return words.replaced


def _sender(desk: Desk) -> tuple[str, ...]:
    firm = desk.body.firm
    tax = [f"{desk.words.tax_id} {firm.tax_id}"] if firm.tax_id else []
    return tuple(desk.printer.lines([*firm.address, *desk.paper.header, *tax]))


def _recipient(desk: Desk, client: ClientPaper) -> tuple[str, ...]:
    party = desk.body.client
    attention = [f"{desk.words.attention}: {client.attention}"] if client.attention else []
    tax = [f"{desk.words.tax_id} {party.tax_id}"] if party.tax_id else []
    return tuple(desk.printer.lines([party.name, *attention, *party.address, *tax]))


def _facts(draft: DraftToSend, desk: Desk, client: ClientPaper) -> tuple[Fact, ...]:
    body, words, numbers = desk.body, desk.words, desk.numbers
    due = body.invoice_date + timedelta(days=body.payment_terms_days)
    matter = " · ".join(one for one in (body.matter_id, body.matter_name) if one)
    number = draft.number or f"{words.draft} {draft.document_id[:12]} · r{draft.revision}"
    is_note = body.scope.kind is DocumentKind.CREDIT_NOTE
    facts = (
        (words.note_number if is_note else words.number, number),
        (words.note_date if is_note else words.invoice_date, numbers.long_day(body.invoice_date)),
        (words.due_date, numbers.long_day(due) if not is_note and body.due > 0 else ""),
        (words.period, _period(body, numbers)),
        (words.client_number, body.client.ledes_id or body.scope.client_id),
        (words.matter, matter),
        (words.client_matter, body.client_matter_id),
        (words.purchase_order, client.purchase_order),
    )
    return tuple(Fact(label, desk.printer.line(value)) for label, value in facts if value)


def _period(body: DraftBody, numbers: Numbers) -> str:
    return f"{numbers.day(body.scope.date_from)} – {numbers.last_day(body.scope.date_to)}"


def _totals(desk: Desk) -> tuple[Fact, ...]:
    body, words, numbers = desk.body, desk.words, desk.numbers
    facts: list[Fact] = []
    sections = section_totals(desk)
    if len(sections) > 1:
        facts += [Fact(name, numbers.amount(amount)) for name, amount in sections]
    taxes = [row for row in body.taxes if row.tax or (len(body.taxes) > 1 and row.base)]
    if taxes:
        facts.append(Fact(words.net, numbers.amount(body.net)))
    name = desk.printer.line(desk.paper.tax_name) or words.tax
    for row in taxes:
        label = words.tax_on.format(name=name, rate=numbers.percent(row.rate), base=numbers.amount(row.base))
        facts.append(Fact(label, numbers.amount(row.tax)))
    if body.due != body.gross:
        facts.append(Fact(words.total, numbers.amount(body.gross)))
        facts += _paid(desk)
    label = words.amount_due if body.due >= 0 else words.credit_due
    return (*facts, Fact(label, numbers.money(abs(body.due)), important=True))


def _paid(desk: Desk) -> list[Fact]:
    """What is paid already from money of the client that the firm holds; what is not named is said as a sum."""
    body, words = desk.body, desk.words
    uses = [one for one in body.held_money if one.applied]
    rest = body.due - body.gross + sum((one.applied for one in uses), Decimal(0))
    named = [(f"{words.applied}: {desk.printer.line(one.name or one.held_id)}", -one.applied) for one in uses]
    return [Fact(label, desk.numbers.amount(amount)) for label, amount in [*named, (words.credits, rest)] if amount]


def _remarks(desk: Desk) -> tuple[str, ...]:
    """Why a tax is not charged, in the contract's own words, once each."""
    reasons = dict.fromkeys(row.reason for row in desk.body.taxes if row.reason and not row.tax)
    return tuple(desk.printer.lines(reasons))
