"""What a close drafts: the invoice of its period, with what earlier documents are to be corrected by, and credit notes.

Where a correction goes is the contract's setting `correction`; a pure function of the facts, so preview, close and
approval agree (rule 3).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from billing.adjust import Adjusted, Settled, adjust, nothing
from billing.adjusted_body import correction_body, with_adjustments
from billing.invoice import to_body
from books.book import Book
from books.corrections import Facts, pinned_rows, settled
from books.invoicing import Terms, gather, invoice, rates_now
from books.rows import EntryRow, SettledRow
from books.settled import settled_of, settled_rows
from schemas.corrections import Correction
from schemas.draft import CorrectionPart, DocumentKind, DocumentScope, DraftBody


@dataclass(frozen=True, slots=True)
class Composed:
    """The bodies of a close: credit notes first, then the invoice; None and nothing when there is nothing to draft."""

    credits: tuple[DraftBody, ...]
    invoice: DraftBody | None

    @property
    def bodies(self) -> tuple[DraftBody, ...]:
        """All of them, in the order in which they are drafted."""
        return self.credits if self.invoice is None else (*self.credits, self.invoice)


@dataclass(frozen=True, slots=True)
class _Correction:
    """One approved document on its way: what goes on a credit note of its own, and what on the next invoice."""

    settled: Settled
    credit: Adjusted | None
    charge: Adjusted | None


def rows_for(book: Book, terms: Terms, scope: DocumentScope, looked: Iterable[SettledRow]) -> dict[str, EntryRow]:
    """The rows that a close of a scope depends on, by entry: those of its period and of the documents it looks at, and
    those that left them.
    """
    found = {row.entry_id: row for row in gather(book, terms.agreement, scope)}
    pinned: set[str] = set()
    for row in looked:
        found |= {one.entry_id: one for one in gather(book, terms.agreement, period_scope(scope, row))}
        pinned |= {one.entry_id for one in pinned_rows(book, row)}
    for entry_id in sorted(pinned - found.keys()):
        gone = book.get(EntryRow, entry_id)
        assert gone is not None, "an entry does not vanish"
        found[entry_id] = gone
    return found


def period_scope(scope: DocumentScope, row: SettledRow) -> DocumentScope:
    """The scope of an approved document of the same contract."""
    fields = {**scope.model_dump(), "date_from": row.date_from, "date_to": row.date_to, "kind": DocumentKind.INVOICE}
    return DocumentScope.model_validate(fields)


def facts_now(book: Book, terms: Terms, scope: DocumentScope, looked: Sequence[SettledRow]) -> Facts:
    """The facts as they are now."""
    return Facts(terms, tuple(rows_for(book, terms, scope, looked).values()), rates_now(book))


def compose(book: Book, facts: Facts, scope: DocumentScope, looked: Sequence[SettledRow]) -> Composed:
    """The bodies of a scope. Raises ConservationBroken as `invoice` does."""
    corrections = [_correction(book, row, facts) for row in looked]
    if scope.kind is DocumentKind.CREDIT_NOTE:
        mine = [
            one
            for one in corrections
            if (one.settled.fresh.scope.date_from, one.settled.fresh.scope.date_to) == (scope.date_from, scope.date_to)
        ]
        return Composed(_credits(facts, [_owed(one) for one in mine]), None)
    billed = billed_row(book, scope)
    regular = None if billed is not None else to_body(invoice(book, facts.terms, scope, facts.rows, facts.rates))
    net = Decimal(0) if regular is None else regular.net
    if net + sum((one.charge.amount for one in corrections if one.charge is not None), Decimal(0)) < 0:
        # No invoice is below zero: what the client is owed becomes credit notes.
        corrections = [_owed(one) for one in corrections]
    charges = [one.charge for one in corrections if one.charge is not None and one.charge.lines]
    if regular is not None:
        contract, directory = facts.terms.agreement.compiled, facts.terms.people.compiled
        return Composed(_credits(facts, corrections), with_adjustments(contract, directory, regular, charges))
    assert billed is not None, "a scope without an invoice of its own was billed"
    return Composed(_credits(facts, corrections), _supplement(book, facts, billed, charges) if charges else None)


def recompose(book: Book, facts: Facts, body: DraftBody) -> DraftBody | None:
    """A body once more from other facts, with the same parts of the same corrections; None when one of the documents
    that it corrects does not stand any more. Raises ConservationBroken as `invoice` does.
    """
    contract, directory, scope = facts.terms.agreement.compiled, facts.terms.people.compiled, body.scope
    adjusted: list[Adjusted] = []
    base: DraftBody | None = None
    for one in body.corrections:
        row = settled_of(book, scope.contract_id, one.document_id)
        if row is None:
            return None
        found = settled(book, row, facts)
        adjusted.append(adjust(found, one.part))
        if (one.date_from, one.date_to) == (scope.date_from, scope.date_to):
            base = found.fresh
    if is_regular(body):
        fresh = to_body(invoice(book, facts.terms, scope, facts.rows, facts.rates))
        return with_adjustments(contract, directory, fresh, adjusted)
    assert base is not None, "a document of corrections alone names the one that bills its period"
    return correction_body(contract, directory, base, scope.kind, body.invoice_date, adjusted)


def is_regular(body: DraftBody) -> bool:
    """Whether a body bills the work of its period, and does not only correct what billed it."""
    span = (body.scope.date_from, body.scope.date_to)
    corrects_itself = any((one.date_from, one.date_to) == span for one in body.corrections)
    return body.scope.kind is DocumentKind.INVOICE and not corrects_itself


def billed_row(book: Book, scope: DocumentScope) -> SettledRow | None:
    """The approved document that bills exactly this period; what follows it is a supplement."""
    span = (scope.date_from.isoformat(), scope.date_to.isoformat())
    found = (row for row in settled_rows(book, scope.contract_id) if (row.date_from, row.date_to) == span)
    return next(found, None)


def _correction(book: Book, row: SettledRow, facts: Facts) -> _Correction:
    """Where the difference of one document goes; `credit_and_rebill` needs no credit where lines only grew."""
    found = settled(book, row, facts)
    match facts.terms.agreement.document.correction:
        case Correction.ADJUST_NEXT:
            return _Correction(found, None, adjust(found, CorrectionPart.DIFFERENCE))
        case Correction.CREDIT_NOW:
            return _owed(_Correction(found, None, adjust(found, CorrectionPart.DIFFERENCE)))
        case Correction.CREDIT_AND_REBILL:
            credit, rebill = adjust(found, CorrectionPart.CREDIT), adjust(found, CorrectionPart.REBILL)
            if rebill.lines and (credit.lines or row.returned):
                return _Correction(found, credit, rebill)
            return _owed(_Correction(found, None, adjust(found, CorrectionPart.DIFFERENCE)))


def _owed(one: _Correction) -> _Correction:
    """A difference in the client's favour as a credit note of its own; anything else as it is."""
    if one.credit is None and one.charge is not None and one.charge.amount < 0:
        return _Correction(one.settled, one.charge, None)
    return one


def _credits(facts: Facts, corrections: Sequence[_Correction]) -> tuple[DraftBody, ...]:
    contract, directory = facts.terms.agreement.compiled, facts.terms.people.compiled
    day = facts.terms.invoice_date
    return tuple(
        correction_body(contract, directory, one.settled.fresh, DocumentKind.CREDIT_NOTE, day, [one.credit])
        for one in corrections
        if one.credit is not None and one.credit.lines
    )


def _supplement(book: Book, facts: Facts, billed: SettledRow, charges: Sequence[Adjusted]) -> DraftBody:
    """An invoice of corrections alone, for a period that is billed; it always names the document that bills it."""
    found = settled(book, billed, facts)
    named = list(charges)
    if all(one.document.document_id != billed.document_id for one in charges):
        named.append(nothing(found))
    contract, directory = facts.terms.agreement.compiled, facts.terms.people.compiled
    return correction_body(contract, directory, found.fresh, DocumentKind.INVOICE, facts.terms.invoice_date, named)
