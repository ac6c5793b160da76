"""Bodies with adjustments: an invoice that also corrects earlier ones, or a document that does nothing else.

Step 15 for the lines that are added: tax per category and rate of what is corrected (BD-53, BD-54).
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction

from billing.adjust import Adjusted
from billing.certificate import with_certificate
from billing.contract import Contract
from billing.directory import Directory
from billing.exact import decimal_of, units_of
from billing.held_money import paid_again
from billing.taxes import NOT_TAXED
from schemas.clauses import TaxRounding
from schemas.draft import DocumentKind, DraftBody, DraftLine, LineKind, TaxRow, TimekeeperTotal

_TaxKey = tuple[str, Decimal]


def with_adjustments(
    contract: Contract, directory: Directory, body: DraftBody, adjusted: Sequence[Adjusted]
) -> DraftBody:
    """The body with the lines of some corrections behind its own; the directory knows names and roles of the people."""
    if not adjusted:
        return body
    ordered = sorted(adjusted, key=lambda one: (one.document.date_from, one.document.document_id))
    first = len(body.lines) + 1
    added = [line for one in ordered for line in one.lines]
    lines = tuple(line.model_copy(update={"position": first + number}) for number, line in enumerate(added))
    taxes = _taxes(contract, body, lines)
    net = body.net + sum((line.amount for line in lines), Decimal(0))
    tax = sum((row.tax for row in taxes), body.tax * 0)
    corrected = body.model_copy(
        update={
            "lines": (*body.lines, *lines),
            "taxes": taxes,
            "net": net,
            "tax": tax,
            "gross": net + tax,
            "timekeepers": _timekeepers(directory, body.timekeepers, lines),
            "corrections": tuple(one.document for one in ordered),
        }
    )
    return paid_again(contract, corrected)


def correction_body(
    contract: Contract,
    directory: Directory,
    fresh: DraftBody,
    kind: DocumentKind,
    invoice_date: date,
    adjusted: Sequence[Adjusted],
) -> DraftBody:
    """A document of corrections alone, for the period of `fresh`; who it is from and for is as today."""
    zero = fresh.net * 0 + 0
    empty = DraftBody(
        tenant=fresh.tenant,
        book=fresh.book,
        scope=fresh.scope.model_copy(update={"kind": kind}),
        firm=fresh.firm,
        client=fresh.client,
        client_matter_id=fresh.client_matter_id,
        matter_id=fresh.matter_id,
        matter_name=fresh.matter_name,
        zone=fresh.zone,
        invoice_date=invoice_date,
        currency=fresh.currency,
        payment_terms_days=fresh.payment_terms_days,
        contract_revision=fresh.contract_revision,
        directory_revision=fresh.directory_revision,
        lines=(),
        taxes=(),
        net=zero,
        tax=zero,
        gross=zero,
        due=zero,
        worked_seconds=0,
        rounding_delta_seconds=0,
        buckets=(),
        placements=(),
        entries_hash=fresh.entries_hash,
    )
    return with_certificate(with_adjustments(contract, directory, empty, adjusted))


def _timekeepers(
    directory: Directory, own: Sequence[TimekeeperTotal], lines: Sequence[DraftLine]
) -> tuple[TimekeeperTotal, ...]:
    """Hours and amounts of people with what corrections of their work change; who comes to nothing is left out."""
    totals = {(one.person_name, one.person_id, one.role): (one.seconds, one.amount) for one in own}
    kept = set(totals)
    for line in lines:
        for source in line.sources if line.corrected_kind is LineKind.FEE else ():
            person_id = source.person_id
            key = (directory.person_name(person_id), person_id, directory.role_on(person_id, source.work_date))
            seconds, amount = totals.get(key, (0, line.amount * 0))
            totals[key] = seconds + source.worked_seconds + source.delta_seconds, amount + source.amount
    return tuple(
        TimekeeperTotal(person_id=person_id, person_name=name, role=role, seconds=seconds, amount=amount + 0)
        for (name, person_id, role), (seconds, amount) in sorted(totals.items())
        if seconds or amount or (name, person_id, role) in kept
    )


def _taxes(contract: Contract, body: DraftBody, lines: Sequence[DraftLine]) -> tuple[TaxRow, ...]:
    """The breakdown with the new lines; a group of category and rate that they do not touch stays as it is."""
    rows: dict[_TaxKey, TaxRow] = {(row.category, row.rate): row for row in body.taxes}
    groups: dict[_TaxKey, list[DraftLine]] = {}
    for line in lines:
        groups.setdefault((line.tax_category, line.tax_rate), []).append(line)
    for key, members in groups.items():
        rows[key] = _row(contract, key, rows.get(key), members)
    return tuple(rows[key] for key in sorted(rows))


def _row(contract: Contract, key: _TaxKey, known: TaxRow | None, lines: Sequence[DraftLine]) -> TaxRow:
    category, rate = key
    zero = decimal_of(0, contract.places)
    base = (known.base if known else zero) + sum((line.amount for line in lines), zero)
    if contract.document.tax_rounding is TaxRounding.LINE:
        tax = (known.tax if known else zero) + sum((_tax(contract, line.amount, rate) for line in lines), zero)
    else:
        tax = _tax(contract, base, rate)
    reason = known.reason if known else _reason(contract, category, rate)
    return TaxRow(category=category, rate=rate, base=base, tax=tax, reason=reason)


def _tax(contract: Contract, amount: Decimal, rate: Decimal) -> Decimal:
    exact = Fraction(amount) * Fraction(rate) / 100
    return decimal_of(units_of(exact, contract.places, contract.document.rounding.money_rounding), contract.places)


def _reason(contract: Contract, category: str, rate: Decimal) -> str:
    """Why a rate is what it is, in the contract's words; a rule that is gone has left none."""
    rules = [rule for rule in contract.document.taxes if (rule.category, rule.percent) == (category, rate)]
    if rules:
        return rules[0].reason
    return "" if contract.document.taxes or rate else NOT_TAXED.reason
