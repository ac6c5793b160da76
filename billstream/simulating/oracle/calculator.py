"""The naive batch calculator: what a drafted fact must say, from the journal up to the fact's offsets (issue 3).

It shares billing's pure function with the product, and nothing else of what decides which entries are billed and how.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property

from billing.contract import Contract, compile_contract, needed_dates
from billing.directory import compile_directory
from billing.entries import BillingEntry
from billing.invoice import InvoiceRequest, Rate, compute_invoice, to_body
from billstream.simulating.oracle.entries import Journal, Numbered, Resolved, resolve_all, said
from billstream.simulating.oracle.history import History, Moment, moment_of
from billstream.simulating.oracle.holds import Verdict, holds_of, rank, settled, verdict_of, word_of
from billstream.simulating.oracle.papers import Papers, papers_at
from billstream.simulating.oracle.reading import read
from schemas import commands, inputs
from schemas.canonical import canonical_bytes
from schemas.contract import ContractDocument
from schemas.corrections import LatePolicy
from schemas.directory import DirectoryDocument
from schemas.draft import DocumentScope, DraftBody, body_hash
from schemas.facts import DocumentDrafted
from schemas.inputs import Decision
from schemas.period import Period
from schemas.values import named_fields

LATE = 2**62
"""The rank of work that stands on no document as it is."""


@dataclass(frozen=True)
class Difference:
    """A drafted fact that is not what the calculator makes, with the first thing that differs."""

    fact_id: str
    offset: int
    what: str


class Calculator:
    """Judges the drafted facts of one book's journal, `[(offset, record), ...]` in order."""

    def __init__(self, journal: Numbered, tenant: str, book: str) -> None:
        self.journal = [
            (offset, record)
            for offset, record in journal
            if (record.envelope.tenant, record.envelope.book) == (tenant, book)
        ]
        self._tenant, self._book = tenant, book
        self._states: dict[int, tuple[Journal, dict[str, Resolved]]] = {}

    @cached_property
    def drafts(self) -> dict[str, tuple[int, DocumentDrafted]]:
        """The drafted facts that count: the first of each id."""
        found: dict[str, tuple[int, DocumentDrafted]] = {}
        for offset, record in self.journal:
            if isinstance(record, DocumentDrafted):
                found.setdefault(record.fact_id, (offset, record))
        return found

    def differences(
        self, further: "Callable[[Calculator, DocumentDrafted], str]" = lambda calculator, fact: ""
    ) -> Iterator[Difference]:
        """Every draft that is not, byte for byte, what the journal up to its offsets gives; and what a close had to
        draft beside its drafts and did not, such as a credit note.

        `further` says what else is wrong with a draft, asked while the entries at its offsets are at hand.
        """
        lacking: dict[tuple[int, str], tuple[str, int, dict[DocumentScope, DraftBody]]] = {}
        for fact_id, (offset, fact) in self.drafts.items():
            close = (fact.close_offset, fact.command_id.partition("~credit~")[0])
            wrong = self._wrong_offsets(fact)
            if not wrong:
                wanted = {body.scope: body for body in History(self, fact).bodies()}
                _, _, left = lacking.setdefault(close, (fact_id, offset, dict(wanted)))
                own = wanted.get(fact.body.scope)
                wrong = "nothing was to be drafted" if own is None else compare(own, fact)
                left.pop(fact.body.scope, None)
            if wrong := wrong or further(self, fact):
                yield Difference(fact_id, offset, wrong)
        for fact_id, offset, left in lacking.values():
            for scope, body in left.items():
                said = f"its close had to draft a document of kind {scope.kind.value}, too: {body.net:f}"
                yield Difference(fact_id, offset, said)

    def state(self, cut: int) -> tuple[Journal, dict[str, Resolved]]:
        """Journal and entries at an offset."""
        if cut not in self._states:
            journal = read(self.journal, cut)
            self._states = {cut: (journal, resolve_all(journal))}
        return self._states[cut]

    def invoice(
        self, moment: Moment, scope: DocumentScope, invoice_date: date, rates: Iterable[Rate] | None = None
    ) -> DraftBody:
        """The invoice of a period from the facts of a moment, without anything that was billed before."""
        journal, _ = self.state(moment.close_offset)
        revision, directory = journal.contracts[scope.contract_id], journal.directory
        assert directory is not None, "a draft without a directory"
        return to_body(
            compute_invoice(
                InvoiceRequest(
                    tenant=self._tenant,
                    book=self._book,
                    scope=scope,
                    contract=self.contract(moment, scope),
                    contract_revision=revision.revision_hash,
                    directory=compile_directory(DirectoryDocument.model_validate_json(directory.document)),
                    directory_revision=directory.revision_hash,
                    entries=self._ranked(moment, scope),
                    exchange_rates=self.rates(moment.close_offset) if rates is None else list(rates),
                    invoice_date=invoice_date,
                )
            )
        )

    def rates(self, cut: int) -> list[Rate]:
        """The exchange rates at an offset."""
        journal, _ = self.state(cut)
        return [Rate(r.base, r.quote, r.on, r.rate, r.rate_source) for r in journal.rates.values()]

    def _ranked(self, moment: Moment, scope: DocumentScope) -> list[BillingEntry]:
        """The entries of a period; where late work gets only what is left, what stands as it is comes first."""
        found = [self.entry(one, verdict) for one, verdict in self.entries(moment, scope)]
        if self.contract(moment, scope).document.late_policy is not LatePolicy.REMAINING_CAPACITY:
            return found
        ranks = self.papers(moment.decided_offset).ranks(scope.contract_id)
        return [replace(one, rank=ranks.get((one.entry_id, one.content), LATE)) for one in found]

    def contract(self, moment: Moment, scope: DocumentScope) -> Contract:
        """The contract in force at a moment."""
        journal, _ = self.state(moment.close_offset)
        return compile_contract(ContractDocument.model_validate_json(journal.contracts[scope.contract_id].document))

    def today(self, moment: Moment, scope: DocumentScope) -> date:
        """The invoice date of a scope."""
        journal, _ = self.state(moment.close_offset)
        last_day = scope.date_to - timedelta(days=1)
        if journal.clock is None:
            return last_day
        return max(last_day, journal.clock.astimezone(self.contract(moment, scope).zone).date())

    def close_of(self, fact: DocumentDrafted) -> DocumentScope | None:
        """The scope of the command that a draft answers; None for one that a tick gave."""
        command_id = fact.command_id.partition("~credit~")[0]
        given = (
            r.scope for _, r in self.journal if isinstance(r, commands.CloseDocument) and r.command_id == command_id
        )
        return next(given, None)

    def papers(self, cut: int) -> Papers:
        """The documents at an offset."""
        return papers_at(self.journal, self._tenant, self._book, cut)

    def entries(self, moment: Moment, scope: DocumentScope) -> list[tuple[Resolved, Verdict | None]]:
        """The entries a draft depends on as of its close, with the decisions as of the end of its wait."""
        _, found = self.state(moment.close_offset)
        first, end = needed_dates(self.contract(moment, scope), Period(start=scope.date_from, end=scope.date_to))
        mine = [
            one
            for one in found.values()
            if (one.client_id, one.contract_id) == (scope.client_id, scope.contract_id)
            and one.local_date
            and first <= date.fromisoformat(one.local_date) < end
        ]
        before, answers = self._answers(moment.close_offset), self._answers(moment.decided_offset)
        awaited = [one for one in mine if verdict_of(one, before) is None and not one.version.running]
        told = self._corrected_meanwhile(awaited, moment)
        return [(told.get(one.version.entry_id) or (one, verdict_of(one, answers))) for one in mine]

    def _corrected_meanwhile(
        self, awaited: list[Resolved], moment: Moment
    ) -> dict[str, tuple[Resolved, Verdict | None]]:
        """What a person said of undecided entries while the close waited, unless an answer was there first."""
        found: dict[str, tuple[Resolved, Verdict | None]] = {}
        for offset, record in self.journal:
            if (
                not isinstance(record, commands.CorrectEntry)
                or not moment.close_offset < offset <= moment.decided_offset
            ):
                continue
            known, answers = read(self.journal, offset), self._answers(offset)
            for one in awaited:
                entry_id = one.version.entry_id
                told = known.told[entry_id].corrections.get(said(one.version))
                is_first = entry_id not in found and (entry_id, one.input_hash) not in answers
                if entry_id == record.entry_id and told is not None and is_first:
                    found[entry_id] = one, word_of(told)
        return found

    def _answers(self, cut: int) -> dict[tuple[str, str], Decision]:
        best: dict[tuple[str, str], Decision] = {}
        for offset, record in self.journal:
            if offset > cut:
                break
            if isinstance(record, Decision):
                known = best.get((record.entry_id, record.input_hash))
                if known is None or rank(record) > rank(known):
                    best[record.entry_id, record.input_hash] = record
        return best

    @staticmethod
    def entry(one: Resolved, verdict: Verdict | None) -> BillingEntry:
        """An entry as billing sees it."""
        version = one.version
        return BillingEntry(
            entry_id=version.entry_id,
            content=version.content,
            premise=one.input_hash,
            source=version.source,
            source_entry_id=version.source_entry_id,
            kind=version.kind,
            person_id=one.person_id,
            project_id=one.project_id,
            task=version.task_ref,
            service_item=(verdict.service_item if verdict else "") or version.service_item,
            tags=version.tags,
            description=version.description,
            start=version.start,
            end=version.end,
            work_date=version.work_date,
            worked_seconds=version.worked_seconds,
            category=verdict.category if verdict else None,
            utbms_task=verdict.utbms_task if verdict else "",
            utbms_activity=verdict.utbms_activity if verdict else "",
            confidence=verdict.confidence if verdict else None,
            holds=holds_of(one, verdict),
            released=settled(one),
            written_off=one.told.written_off,
            amount=version.amount,
            currency=version.currency,
            quantity=version.quantity,
            unit_price=version.unit_price,
            expense_category=version.category,
        )

    def _wrong_offsets(self, fact: DocumentDrafted) -> str:
        """A close is the first record of its command, or the tick that made it due; what it lacks it names."""
        command_id = fact.command_id.partition("~credit~")[0]
        given = [n for n, r in self.journal if isinstance(r, commands.CloseDocument) and r.command_id == command_id]
        at = dict(self.journal).get(fact.close_offset)
        if given and given[0] != fact.close_offset:
            return f"the command stands at {given[0]}, the fact names {fact.close_offset}"
        if not given and not isinstance(at, inputs.ClockTick):
            return f"there is neither command nor tick at {fact.close_offset}"
        undecided = [
            one
            for one, verdict in self.entries(moment_of(fact), fact.body.scope)
            if verdict is None and not one.version.running
        ]
        return f"{len(undecided)} entries undecided and not named" if undecided and not fact.missing else ""


def compare(wanted: DraftBody, fact: DocumentDrafted) -> str:
    """Where the fact's body is not the wanted one, byte for byte; empty when it is."""
    if fact.content != body_hash(fact.body):
        return "the content hash is not that of the body"
    left, right = named_fields(wanted), named_fields(fact.body)
    if canonical_bytes(left) == canonical_bytes(right) and wanted == fact.body:
        return ""
    for name in sorted(left.keys() | right.keys()):
        if left.get(name) != right.get(name):
            return f"{name}: wanted {str(left.get(name))[:300]}, drafted {str(right.get(name))[:300]}"
    return "the notation of a number"
