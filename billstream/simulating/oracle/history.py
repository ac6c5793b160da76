"""What a close must draft beside its period's own work: every billed period, whole, against what stands of it.

It knows no marks and pins no rows: all billed periods are computed at their old offsets and at the close's, and the
pure functions of billing say what the difference looks like.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from billing.adjust import Adjusted, Settled, adjust, nothing
from billing.adjusted_body import correction_body, with_adjustments
from billing.contract import needed_dates
from billing.currency import Rate
from billing.dated_terms import terms_hash
from billing.directory import Directory, compile_directory
from billing.entries import BillingEntry
from billing.reasons import reason_of
from billstream.simulating.oracle.papers import Billed, Paper, bodies_of
from schemas.contract import ContractDocument
from schemas.corrections import Correction
from schemas.directory import DirectoryDocument
from schemas.draft import CorrectionPart, CorrectionReason, DocumentKind, DocumentScope, DraftBody
from schemas.facts import DocumentDrafted
from schemas.period import Period

if TYPE_CHECKING:
    from billstream.simulating.oracle.calculator import Calculator


@dataclass(frozen=True)
class Moment:
    """The offset whose entries count, and the one whose decisions do."""

    close_offset: int
    decided_offset: int


def moment_of(made: DocumentDrafted | Paper) -> Moment:
    """The moment of which a draft is made."""
    return Moment(made.close_offset, made.decided_offset)


@dataclass(frozen=True)
class Split:
    """What goes on a credit note and what on the invoice."""

    settled: Settled
    credit: Adjusted | None
    charge: Adjusted | None


class History:
    """One close: its moment, the documents that were there, and what it must draft."""

    def __init__(self, calculator: "Calculator", fact: DocumentDrafted) -> None:
        self._calculator = calculator
        self._moment = moment_of(fact)
        self._scope = wanted_scope(calculator, fact)
        self._papers = calculator.papers(fact.decided_offset)
        self._before = calculator.papers(fact.close_offset)

    def bodies(self) -> list[DraftBody]:
        """All documents of the close."""
        found = [self._split(one) for one in self._looked()]
        scope, contract = self._scope, self._calculator.contract(self._moment, self._scope)
        today = self._calculator.today(self._moment, scope)
        own = [one for one in self._papers.billed.values() if one.first.body.scope == scope]
        if scope.kind is DocumentKind.CREDIT_NOTE:
            mine = [owed(one) for one in found if span(one.settled.fresh.scope) == span(scope)]
            return [self._note(one.settled, one.credit, today) for one in mine if one.credit is not None]
        regular = None if own else self._calculator.invoice(self._moment, scope, today)
        total = (0 if regular is None else regular.net) + sum(one.charge.amount for one in found if one.charge)
        if total < 0:
            found = [owed(one) for one in found]
        notes = [self._note(one.settled, one.credit, today) for one in found if one.credit and one.credit.lines]
        charges = [one.charge for one in found if one.charge is not None and one.charge.lines]
        if regular is not None:
            return [*notes, with_adjustments(contract, self._directory(), regular, charges)]
        if not charges:
            return notes
        settled = self._settled(own[0])
        named = {one.document.document_id for one in charges}
        charges += [] if settled.document_id in named else [nothing(settled)]
        return [
            *notes,
            correction_body(contract, self._directory(), settled.fresh, DocumentKind.INVOICE, today, charges),
        ]

    def _note(self, settled: Settled, credit: Adjusted, today: date) -> DraftBody:
        contract = self._calculator.contract(self._moment, self._scope)
        kind, charges = DocumentKind.CREDIT_NOTE, [credit]
        return correction_body(contract, self._directory(), settled.fresh, kind, today, charges)

    def _directory(self) -> Directory:
        journal, _ = self._calculator.state(self._moment.close_offset)
        assert journal.directory is not None, "a draft without a directory"
        return compile_directory(DirectoryDocument.model_validate_json(journal.directory.document))

    def _looked(self) -> list[Billed]:
        """The periods that differed when the close was given, and still stand when it was drafted."""
        found = []
        for document_id, then in sorted(self._before.billed.items()):
            now = self._papers.billed.get(document_id)
            same = now is not None and now.first.body.scope.contract_id == self._scope.contract_id
            if now is not None and same and (then.returned or then.lacks_rate or self._differs(then)):
                found.append(now)
        return found

    def _differs(self, billed: Billed) -> bool:
        at_close = Moment(self._moment.close_offset, self._moment.close_offset)
        return self._amended(billed) or self._known(at_close, billed) != self._known(moment_of(billed.pinned), billed)

    def _amended(self, billed: Billed) -> bool:
        people = sorted({entry.person_id for entry in self._known(moment_of(billed.pinned), billed).values()})
        return self._terms(moment_of(billed.pinned), billed, people) != self._terms(self._moment, billed, people)

    def _terms(self, moment: Moment, billed: Billed, people: list[str]) -> str:
        journal, _ = self._calculator.state(moment.close_offset)
        assert journal.directory is not None, "a draft without a directory"
        scope = billed.first.body.scope
        contract = ContractDocument.model_validate_json(journal.contracts[scope.contract_id].document)
        directory = DirectoryDocument.model_validate_json(journal.directory.document)
        return terms_hash(contract, directory, people, self._needed_from(billed), scope.date_to)

    def _needed_from(self, billed: Billed) -> date:
        scope = billed.first.body.scope
        contract = self._calculator.contract(moment_of(billed.pinned), scope)
        return needed_dates(contract, Period(start=scope.date_from, end=scope.date_to))[0]

    def _known(self, moment: Moment, billed: Billed) -> dict[str, BillingEntry]:
        """The entries of a billed period as they were at a moment."""
        scope, first = billed.first.body.scope, self._needed_from(billed).isoformat()
        return {
            one.version.entry_id: self._calculator.entry(one, verdict)
            for one, verdict in self._calculator.entries(moment, scope)
            if first <= one.local_date < scope.date_to.isoformat()
        }

    def _settled(self, billed: Billed) -> Settled:
        scope = billed.first.body.scope
        return Settled(
            document_id=billed.first.document_id,
            number=self._papers.by_id[billed.first.document_id].number,
            bodies=bodies_of(self._papers, billed),
            fresh=self._calculator.invoice(self._moment, scope, billed.first.body.invoice_date, self._rates(billed)),
            pinned=None,
            reasons=self._reasons(billed),
            amended=billed.lacks_rate or self._amended(billed),
        )

    def _rates(self, billed: Billed) -> list[Rate]:
        """The rates that the document keeps; a later one counts only where it has none."""
        found: dict[tuple[str, str, date], Rate] = {}
        for offset in (*billed.rates_of, self._moment.close_offset):
            for one in self._calculator.rates(offset):
                found.setdefault((one.base, one.quote, one.on), one)
        return list(found.values())

    def _reasons(self, billed: Billed) -> Mapping[str, CorrectionReason]:
        then, now = self._known(moment_of(billed.pinned), billed), self._known(self._moment, billed)
        _, living = self._calculator.state(self._moment.close_offset)
        contract_id = billed.first.body.scope.contract_id
        found = {}
        for entry_id in {*then, *now}:
            stood = [one == contract_id for one in self._papers.contracts_of(entry_id)]
            is_living = entry_id in living
            reason = reason_of(then.get(entry_id), now.get(entry_id), is_living=is_living, stood_here=stood)
            if reason is not None:
                found[entry_id] = reason
        return found

    def _split(self, billed: Billed) -> Split:
        settled = self._settled(billed)
        difference = Split(settled, None, adjust(settled, CorrectionPart.DIFFERENCE))
        match self._calculator.contract(self._moment, self._scope).document.correction:
            case Correction.ADJUST_NEXT:
                return difference
            case Correction.CREDIT_NOW:
                return owed(difference)
            case Correction.CREDIT_AND_REBILL:
                credit, rebill = adjust(settled, CorrectionPart.CREDIT), adjust(settled, CorrectionPart.REBILL)
                two = rebill.lines and (credit.lines or billed.returned)
                return Split(settled, credit, rebill) if two else owed(difference)


def owed(one: Split) -> Split:
    """What the client is owed, on a credit note."""
    if one.credit is None and one.charge is not None and one.charge.amount < 0:
        return Split(one.settled, one.charge, None)
    return one


def span(scope: DocumentScope) -> tuple[date, date]:
    """The period of a scope."""
    return scope.date_from, scope.date_to


def wanted_scope(calculator: "Calculator", fact: DocumentDrafted) -> DocumentScope:
    """The scope that the close was given: that of its command, or of the period that fell due."""
    given = calculator.close_of(fact)
    return fact.body.scope if given is None else given
