"""Laws of what follows from an invoice, over generated firms: its explanation, its certificate, its adjustments."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from billing.adjust import Settled, adjust
from billing.adjusted_body import correction_body
from billing.certificate import differences
from billing.contract import compile_contract
from billing.directory import compile_directory
from billing.explained import Explanations
from billing.invoice import trace_invoice
from billing.nodes import Node, NodeKind
from schemas.draft import CorrectionPart, DocumentKind, DraftBody
from schemas.entry import EntryKind
from tests.second.case import Case
from tests.second.firms import generate
from tests.second.product import product_body, request_of

SEEDS = st.integers(0, 10**12)
ISSUED = "document-1"


def amount(node: Node) -> Decimal:
    """What a node says it is worth."""
    return Decimal(str(node.facts["amount"]))


def below(node: Node, kind: NodeKind) -> list[Node]:
    """The nodes of a kind directly below."""
    return [one for one in node.below if one.kind is kind]


@given(SEEDS)
def test_every_explanation_adds_up_to_its_amount(seed: int) -> None:
    """Section 6: allocations are their charge, charges their line, lines the net; and the certificate holds."""
    case = generate(seed)
    body = product_body(case)
    lines = list(Explanations(trace_invoice(request_of(case))).lines())
    assert sum((amount(line) for line in lines), Decimal(0)) == body.net
    for line in lines:
        charges = below(line, NodeKind.CHARGE)
        assert sum((amount(one) for one in charges), Decimal(0)) == amount(line)
        for charge in charges:
            parts = below(charge, NodeKind.ALLOCATION)
            assert not parts or sum((amount(one) for one in parts), Decimal(0)) == amount(charge)
    assert differences(body) == ()


def changed(case: Case, seed: int) -> Case:
    """The same firm after some entries were edited, deleted, moved by a day or came late."""
    random = Random(seed)
    entries = []
    for entry in case.entries:
        what = random.choice(["kept", "kept", "kept", "gone", "edited", "moved", "late"])
        fresh = replace(entry, content=f"{entry.content} {what}")
        if what == "kept":
            entries.append(entry)
        elif what == "edited":
            seconds = random.choice([0, 59, 3600, 7199]) if entry.kind is EntryKind.TIME else 0
            entries.append(replace(fresh, worked_seconds=seconds, task="review"))
        elif what == "moved" and entry.start is not None:
            entries.append(replace(fresh, start=entry.start + timedelta(days=random.choice([-1, 1]))))
        elif what == "late":
            entries += [entry, replace(fresh, entry_id=f"{entry.entry_id} late")]
    return replace(case, entries=tuple(entries))


def seconds_of(bodies: list[DraftBody]) -> dict[str, int]:
    """Worked seconds of each entry over all documents, without those that are nothing."""
    found: dict[str, int] = {}
    for body in bodies:
        for line in body.lines:
            for source in line.sources:
                found[source.entry_id] = found.get(source.entry_id, 0) + source.worked_seconds
    return {entry_id: seconds for entry_id, seconds in found.items() if seconds}


@given(SEEDS, st.integers())
def test_what_was_issued_and_its_adjustments_are_the_fresh_computation(seed: int, change: int) -> None:
    """Invariant 4 over every clause: money and the seconds of each entry; said once, nothing is left to say."""
    case = generate(seed)
    stood, fresh = product_body(case), product_body(changed(case, change))
    contract, people = compile_contract(case.contract), compile_directory(case.directory)
    settled = Settled(ISSUED, "1", [(ISSUED, stood)], fresh, stood, {}, amended=False)
    found = adjust(settled, CorrectionPart.DIFFERENCE)
    assert stood.net + found.amount == fresh.net
    body = correction_body(contract, people, fresh, DocumentKind.INVOICE, fresh.invoice_date, [found])
    assert seconds_of([stood, body]) == seconds_of([fresh])
    again = Settled(ISSUED, "1", [(ISSUED, stood), ("document-2", body)], fresh, fresh, {}, amended=False)
    assert adjust(again, CorrectionPart.DIFFERENCE).lines == ()
    # Without the facts that were kept, cents of rounding may be told to move between entries, and come to nothing.
    assert adjust(replace(again, pinned=None), CorrectionPart.DIFFERENCE).amount == 0


@given(SEEDS, st.integers())
def test_credit_and_rebill_come_to_the_difference(seed: int, change: int) -> None:
    """BD-64: the ways of correcting differ in what they show, never in what the client owes."""
    case = generate(seed)
    stood, fresh = product_body(case), product_body(changed(case, change))
    settled = Settled(ISSUED, "1", [(ISSUED, stood)], fresh, stood, {}, amended=False)
    credit, rebill = adjust(settled, CorrectionPart.CREDIT), adjust(settled, CorrectionPart.REBILL)
    assert credit.amount + rebill.amount == fresh.net - stood.net
