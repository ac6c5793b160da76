"""Correction lines with everything they carry: what is shown, what is counted, whose it is and what it corrects."""

from collections.abc import Mapping
from textwrap import dedent

import pytest

from billing.adjust import Adjusted, Settled, adjust, nothing, taken_back, void
from billing.adjusted_body import correction_body, with_adjustments
from billing.testing import Desk, open_desk
from schemas.draft import CorrectionPart, CorrectionReason, DocumentKind, DraftBody, DraftLine

MARCH, NUMBER = "document-1", "INV-0031"
ROUNDED = [{"minutes": 6, "mode": "up", "scope": "entry"}]
CAPPED = [{"id": "nte", "window": "contract", "amount": "900", "counts": "fees"}]
HEAD = "entry  person  start             worked\n"
BEFORE = f"{HEAD}a  ana  2025-03-05 09:00  4:01\nb  bo  2025-03-06 09:00  4:00"
AFTER = f"{HEAD}a  ana  2025-03-05 09:00  3:14\nb  bo  2025-03-06 09:00  4:00\nc  bo  2025-03-07 09:00  1:00"
DIFFERENCE = CorrectionPart.DIFFERENCE
OTHER = {"document_id": "another"}
REASONS = {"a": CorrectionReason.EDIT, "c": CorrectionReason.LATE}


def told(lines: tuple[DraftLine, ...]) -> str:
    """All of some lines, in text; seconds with their sign, empty amounts as they are written."""
    found = []
    for one in lines:
        shown = f"{one.quantity:f} {one.unit} x {one.unit_price:f} {one.adjustment:+f} = {one.amount:f}"
        found.append(f"{one.position} {one.kind} of {one.corrected_kind} {one.date}: {one.text}")
        found.append(f"  {one.seconds} s: {shown} [{one.correction_reason}]")
        for charge in one.charges:
            assert charge.charge_id.startswith(f"{one.line_id}-")
            number = charge.charge_id.removeprefix(f"{one.line_id}-")
            paid = f"{charge.quantity:f} x {charge.unit_price:f} = {charge.amount:f}"
            found.append(f"  charge {number}: {charge.seconds} s: {paid} by {charge.rate_origin}")
        for source in one.sources:
            parts = f"{source.worked_seconds} s {source.delta_seconds:+} s {source.amount:f}"
            found.append(f"  of {source.entry_id} by {source.person_id} on {source.work_date}: {parts}")
        for part in one.corrects:
            found.append(f"  corrects {part.document_id} {part.number}: {part.seconds} s {part.amount:f}")
            assert {source.corrected_line_id for source in one.sources} <= {it.line_id for it in one.corrects}
    return "\n".join(found)


def said(adjusted: Adjusted) -> str:
    """What a document says about the corrected one."""
    about = adjusted.document
    days = f"{about.date_from} to {about.date_to}"
    amounts = f"stood {about.standing:f}, is {about.fresh:f}, corrected by {about.amount:f}"
    placed = ", ".join(f"{one.entry_id} {one.reason}" for one in about.placements)
    return f"{about.part} {about.document_id} {about.number} {days}: {amounts}; {about.worked_seconds} s; {placed}"


def desk_of(**clauses: object) -> Desk:
    """150 an hour, tenths of an hour, and whatever else is agreed."""
    return open_desk(rates=[{"rate": "150"}], increments=ROUNDED, also=clauses)


def settled_by(desk: Desk, reasons: Mapping[str, CorrectionReason] = REASONS) -> Settled:
    """March was billed with 4:01 of Ana; she worked 3:14 and Bo one hour more."""
    stood, fresh = desk.bill(BEFORE).body, desk.bill(AFTER).body
    return Settled(MARCH, NUMBER, [(MARCH, stood)], fresh, stood, reasons, amended=False)


def expect(lines: tuple[DraftLine, ...], text: str) -> None:
    """Compare all of some lines."""
    assert told(lines) == dedent(text).strip("\n")


def with_april(desk: Desk, found: Adjusted) -> DraftBody:
    """An April invoice of one hour that carries a correction."""
    april = desk.bill("date  worked\n2025-04-03  1.00", "2025-04").body
    return with_adjustments(desk.contract, desk.directory, april, [found])


def test_a_difference_carries_its_seconds_its_share_and_what_it_corrects() -> None:
    """48 minutes less, one of which was rounding, and an hour late: each for itself, at the price of its day."""
    found = adjust(settled_by(desk_of()), CorrectionPart.DIFFERENCE)
    expect(
        found.lines,
        """
        0 adjustment of fee 2025-03-05: Correction to INV-0031: 2025-03-05, Services, Ana (senior) (changed)
          -2880 s: -0.80 hour x 150 +0.00 = -120.00 [edit]
          charge 0: -2880 s: -0.80 x 150 = -120.00 by contract default: 150 USD [open, open)
          of a by ana on 2025-03-05: -2820 s -60 s -120.00
          corrects document-1 INV-0031: -2880 s -120.00
        0 adjustment of fee 2025-03-07: Correction to INV-0031: 2025-03-07, Services, Bo (senior) (late)
          3600 s: 1.00 hour x 150 +0.00 = 150.00 [late]
          charge 0: 3600 s: 1.00 x 150 = 150.00 by contract default: 150 USD [open, open)
          of c by bo on 2025-03-07: 3600 s +0 s 150.00
          corrects document-1 INV-0031: 3600 s 150.00
        """,
    )
    about = "document-1 INV-0031 2025-03-01 to 2025-04-01: stood 1215.00, is 1245.00, corrected by 30.00; 29640 s; "
    assert said(found) == f"difference {about}"


def test_a_credit_takes_all_of_a_line_and_a_rebill_gives_all_of_it() -> None:
    """The line that lost time is credited whole and billed anew; the line that only grew gets what is new."""
    settled = settled_by(desk_of())
    credit, rebill = (adjust(settled, part) for part in (CorrectionPart.CREDIT, CorrectionPart.REBILL))
    expect(
        credit.lines,
        """
        0 adjustment of fee 2025-03-05: Credit of INV-0031: Services, Ana (senior)
          -14760 s: -4.10 hour x 150 +0.00 = -615.00 [edit]
          charge 0: -14760 s: -4.10 x 150 = -615.00 by contract default: 150 USD [open, open)
          of a by ana on 2025-03-05: -14460 s -300 s -615.00
          corrects document-1 INV-0031: -14760 s -615.00
        """,
    )
    expect(
        rebill.lines,
        """
        0 adjustment of fee 2025-03-05: Billed anew from INV-0031: Services, Ana (senior)
          11880 s: 3.30 hour x 150 +0.00 = 495.00 [edit]
          charge 0: 11880 s: 3.30 x 150 = 495.00 by contract default: 150 USD [open, open)
          of a by ana on 2025-03-05: 11640 s +240 s 495.00
          corrects document-1 INV-0031: 11880 s 495.00
        0 adjustment of fee 2025-03-07: Billed anew from INV-0031: 2025-03-07, Services, Bo (senior) (late)
          3600 s: 1.00 hour x 150 +0.00 = 150.00 [late]
          charge 0: 3600 s: 1.00 x 150 = 150.00 by contract default: 150 USD [open, open)
          of c by bo on 2025-03-07: 3600 s +0 s 150.00
          corrects document-1 INV-0031: 3600 s 150.00
        """,
    )
    assert [f"{one.document.part} {one.amount:f}" for one in (credit, rebill)] == ["credit -615.00", "rebill 645.00"]


def test_money_that_follows_from_another_correction_has_no_time() -> None:
    """A limit of 900.00: less time of Ana leaves Bo's day 120.00 more, and the late hour comes to nothing."""
    found = with_april(desk_of(amount_caps=CAPPED), adjust(settled_by(desk_of(amount_caps=CAPPED)), DIFFERENCE))
    expect(
        found.lines[1:],
        """
        2 adjustment of fee 2025-03-05: Correction to INV-0031: 2025-03-05, Services, Ana (senior) (changed)
          -2880 s: -0.80 hour x 150 +0.00 = -120.00 [edit]
          charge 0: -2880 s: -0.80 x 150 = -120.00 by contract default: 150 USD [open, open)
          of a by ana on 2025-03-05: -2820 s -60 s -120.00
          corrects document-1 INV-0031: -2880 s -120.00
        3 adjustment of fee 2025-03-06: Correction to INV-0031: 2025-03-06, Services, Bo (senior) (follows from another correction)
          0 s: 1 unit x 120.00 +0.00 = 120.00 [shared]
          charge 0: 0 s: 1 x 120.00 = 120.00 by contract default: 150 USD [open, open)
          of b by bo on 2025-03-06: 0 s +0 s 120.00
          corrects document-1 INV-0031: 0 s 120.00
        4 adjustment of fee 2025-03-07: Correction to INV-0031: 2025-03-07, Services, Bo (senior) (late)
          3600 s: 1.00 hour x 150 -150.00 = 0.00 [late]
          charge 0: 3600 s: 1.00 x 150 = 0.00 by contract default: 150 USD [open, open)
          of c by bo on 2025-03-07: 3600 s +0 s 0.00
          corrects document-1 INV-0031: 3600 s 0.00
        """,  # noqa: E501 - the text of the line is what is compared
    )


def test_a_void_takes_back_what_its_lines_corrected() -> None:
    """Everything that a voided invoice corrected of March comes back with the opposite sign, line by line."""
    desk = desk_of(amount_caps=CAPPED)
    settled = settled_by(desk)
    body = with_april(desk, adjust(settled, DIFFERENCE))
    elsewhere = body.lines[1].model_copy(update={"corrects": (body.lines[1].corrects[0].model_copy(update=OTHER),)})
    body = body.model_copy(update={"lines": (*body.lines, elsewhere)})
    back = taken_back(MARCH, NUMBER, [*settled.bodies, ("document-2", body)], body)
    expect(
        back.lines,
        """
        2 adjustment of fee 2025-03-05: Taken back: Correction to INV-0031: 2025-03-05, Services, Ana (senior) (changed)
          2880 s: 0.80 hour x 150 +0.00 = 120.00 [void]
          charge 0: 2880 s: 0.80 x 150 = 120.00 by contract default: 150 USD [open, open)
          of a by ana on 2025-03-05: 2820 s +60 s 120.00
          corrects document-1 INV-0031: 2880 s 120.00
        3 adjustment of fee 2025-03-06: Taken back: Correction to INV-0031: 2025-03-06, Services, Bo (senior) (follows from another correction)
          0 s: -1 unit x 120.00 +0.00 = -120.00 [void]
          charge 0: 0 s: -1 x 120.00 = -120.00 by contract default: 150 USD [open, open)
          of b by bo on 2025-03-06: 0 s +0 s -120.00
          corrects document-1 INV-0031: 0 s -120.00
        4 adjustment of fee 2025-03-07: Taken back: Correction to INV-0031: 2025-03-07, Services, Bo (senior) (late)
          -3600 s: -1.00 hour x 150 +150.00 = 0.00 [void]
          charge 0: -3600 s: -1.00 x 150 = 0.00 by contract default: 150 USD [open, open)
          of c by bo on 2025-03-07: -3600 s +0 s 0.00
          corrects document-1 INV-0031: -3600 s 0.00
        """,  # noqa: E501 - the text of the line is what is compared
    )
    assert [one.steps for line in back.lines for one in line.charges] == [
        tuple(f"line {one.line_id} of document document-1: {one.amount:+f}" for one in line.corrects)
        for line in back.lines
    ]
    about = "document-1 INV-0031 2025-03-01 to 2025-04-01: stood 900.00, is 0.00, corrected by 0.00; 28860 s; "
    assert said(back) == f"void {about}"


def test_a_void_credits_all_that_stands() -> None:
    """What an invoice corrected before is part of what stands; a line of nothing is not credited."""
    desk = desk_of(amount_caps=CAPPED)
    settled = settled_by(desk)
    body = with_april(desk, adjust(settled, DIFFERENCE))
    found = void(MARCH, NUMBER, [*settled.bodies, ("document-2", body)], settled.bodies[0][1])
    shown = [(one.text, one.seconds, f"{one.amount:f}", one.correction_reason) for one in found.lines]
    assert shown == [
        ("Credit of INV-0031: Services, Ana (senior)", -11880, "-495.00", CorrectionReason.VOID),
        ("Credit of INV-0031: Services, Bo (senior)", -18000, "-405.00", CorrectionReason.VOID),
    ]
    about = "document-1 INV-0031 2025-03-01 to 2025-04-01: stood 900.00, is 0.00, corrected by -900.00; 28860 s; "
    assert said(found) == f"void {about}"


def test_a_document_that_stands_as_it_is_is_named() -> None:
    """Where nothing is to be corrected, the document says what stands and that it is what there is today."""
    desk = desk_of()
    body = desk.bill(BEFORE).body
    found = nothing(Settled(MARCH, NUMBER, [(MARCH, body)], body, body, {}, amended=False))
    about = "document-1 INV-0031 2025-03-01 to 2025-04-01: stood 1215.00, is 1215.00, corrected by 0.00; 28860 s; "
    assert (found.lines, said(found)) == ((), f"difference {about}")


def test_the_id_of_a_correction_line_never_changes() -> None:
    """A replay of an old journal must find the lines under the ids that its documents gave them."""
    desk = desk_of()
    settled = settled_by(desk)
    parts = [adjust(settled, part) for part in (DIFFERENCE, CorrectionPart.CREDIT, CorrectionPart.REBILL)]
    body = with_april(desk, parts[0])
    parts.append(taken_back(MARCH, NUMBER, [*settled.bodies, ("document-2", body)], body))
    found = [line.line_id[:8] for part in parts for line in part.lines]
    assert found == "67218b99 8d7cd646 cb5a3b4e c779bec6 674c33bf a2da3970 76285574".split()


def test_a_document_of_corrections_alone_says_whose_it_is() -> None:
    """A credit note has firm, client, terms and matter of today and no work of its own."""
    desk = desk_of(payment_terms_days=14, taxes=[{"category": "S", "percent": "10"}])
    settled = settled_by(desk)
    credit = adjust(settled, CorrectionPart.CREDIT)
    fresh = settled.fresh.model_copy(update={"matter_id": "m-1", "matter_name": "Merger", "client_matter_id": "c-9"})
    note = correction_body(desk.contract, desk.directory, fresh, DocumentKind.CREDIT_NOTE, desk.invoice_date, [credit])
    same = "tenant book firm client client_matter_id matter_id matter_name zone currency payment_terms_days".split()
    same += ["contract_revision", "directory_revision", "entries_hash"]
    assert {name: getattr(note, name) for name in same} == {name: getattr(fresh, name) for name in same}
    assert note.scope == fresh.scope.model_copy(update={"kind": DocumentKind.CREDIT_NOTE})
    assert (note.invoice_date, note.buckets, note.placements) == (desk.invoice_date, (), ())
    assert [f"{one:f}" for one in (note.net, note.tax, note.gross, note.due)] == [
        "-615.00",
        "-61.50",
        "-676.50",
        "-676.50",
    ]
    assert (note.worked_seconds, note.rounding_delta_seconds) == (0, 0)
    assert [(one.person_id, one.seconds, f"{one.amount:f}") for one in note.timekeepers] == [("ana", -14760, "-615.00")]
    assert [one.document_id for one in note.corrections] == [MARCH]


@pytest.mark.parametrize(
    ("rounding", "april", "alone"), [("document", "-20.01", "-30.02"), ("line", "-20.02", "-30.03")]
)
def test_tax_of_corrections_is_rounded_as_the_contract_says(rounding: str, april: str, alone: str) -> None:
    """Three hours at 100.05 are gone: 10 % of each is 10.01, of all 30.02; beside one hour of April it is one less."""
    taxes = [
        {"kinds": ["expense"], "category": "AA", "percent": "5"},
        {"category": "S", "percent": "10", "reason": "us"},
    ]
    desk = open_desk(rates=[{"rate": "100.05"}], taxes=taxes, tax_rounding=rounding)
    stood = desk.bill("person  date  worked\nana  2025-03-05  1.00\nbo  2025-03-05  1.00\ncy  2025-03-05  1.00").body
    fresh = desk.bill([]).body
    gone = adjust(Settled(MARCH, NUMBER, [(MARCH, stood)], fresh, None, {}, amended=False), DIFFERENCE)
    note = correction_body(desk.contract, desk.directory, fresh, DocumentKind.CREDIT_NOTE, desk.invoice_date, [gone])
    assert [(row.category, f"{row.rate:f}", f"{row.tax:f}", row.reason) for row in note.taxes] == [
        ("S", "10", alone, "us")
    ]
    body = with_april(desk, gone)
    assert [(row.category, f"{row.base:f}", f"{row.tax:f}", row.reason) for row in body.taxes] == [
        ("S", "-200.10", april, "us")
    ]
    assert body.gross == body.net + body.tax
    assert [(one.person_id, one.seconds) for one in body.timekeepers] == [("ana", 0), ("bo", -3600), ("cy", -3600)]


def test_corrections_follow_each_other_by_period_and_number_on() -> None:
    """February comes before March whatever was found first, and lines are numbered behind those of the invoice."""
    desk = desk_of()
    found = adjust(settled_by(desk), DIFFERENCE)
    day = found.document.date_from.replace(month=2)
    earlier = Adjusted(found.lines[:1], found.document.model_copy(update={"document_id": "z", "date_from": day}))
    other = Adjusted(found.lines[1:], found.document.model_copy(update={"document_id": "a"}))
    april = desk.bill("date  worked\n2025-04-03  1.00", "2025-04").body
    body = with_adjustments(desk.contract, desk.directory, april, [found, earlier, other])
    assert [one.document_id for one in body.corrections] == ["z", "a", MARCH]
    assert [line.position for line in body.lines] == [1, 2, 3, 4, 5]
    assert [line.date.day for line in body.lines] == [3, 5, 7, 5, 7]
    assert with_adjustments(desk.contract, desk.directory, april, []) is april
