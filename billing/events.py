"""Events that are billed without being work: milestone and usage entries, and why one of them is not billed."""

from datetime import date

from billing.classify import Verdict
from billing.contract import Contract
from billing.entries import BillingEntry
from schemas.draft import Bucket
from schemas.inputs import Category


def event_verdict_of(contract: Contract, entry: BillingEntry, day: date) -> Verdict | None:
    """The reason not to bill a milestone or usage entry; it says itself what it is, so it waits for no decision."""
    if entry.written_off:
        return Verdict(Bucket.WRITTEN_OFF, "written_off", entry.written_off)
    for hold in entry.holds:
        if hold.reason not in entry.released:
            return Verdict(Bucket.HELD, hold.reason, hold.detail)
    if entry.category is Category.NON_BILLABLE:
        return Verdict(Bucket.NON_BILLABLE, "non_billable")
    document = contract.document
    other_project = bool(document.project) and entry.project_id != document.project
    if not document.covers(day) or other_project:
        return Verdict(Bucket.HELD, "contract_missing", f"contract {contract.id}")
    return None
