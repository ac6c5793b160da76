"""Classification: what may be billed, and for everything else the bucket and the reason (billing-domain step 2).

A person's write-off goes first, then doubts about the entry itself, then the decision, then what the contract lacks.
"""

from decimal import Decimal
from typing import Final, NamedTuple

from billing.entries import BillingEntry
from schemas.draft import Bucket
from schemas.entry import EntryKind
from schemas.inputs import Category

LOW_CONFIDENCE = "low_confidence"
WITHOUT_ENGAGEMENT = "category_without_engagement"


# What every entry is asked; members of an enum are looked up slowly.
_TIME: Final = EntryKind.TIME
_EXPENSE: Final = EntryKind.EXPENSE
_BILLABLE: Final = Category.BILLABLE


class Verdict(NamedTuple):
    """Why an entry is not billed."""

    bucket: Bucket
    reason: str
    detail: str = ""


def verdict_of(entry: BillingEntry, confidence_min: Decimal) -> Verdict | None:
    """The reason not to bill an entry, from the entry and its decision alone; None when it is billable.

    A decision below the contract's least confidence is none, whatever it says; a person may release it.
    """
    if entry.written_off:
        return Verdict(Bucket.WRITTEN_OFF, "written_off", entry.written_off)
    if entry.holds:
        for hold in entry.holds:
            if hold.reason not in entry.released:
                return Verdict(Bucket.HELD, hold.reason, hold.detail)
    kind, confidence, category = entry.kind, entry.confidence, entry.category
    if kind is not _TIME and kind is not _EXPENSE:
        return Verdict(Bucket.HELD, "kind_not_billed", kind.value)
    if confidence is not None and confidence < confidence_min and LOW_CONFIDENCE not in entry.released:
        return Verdict(Bucket.HELD, LOW_CONFIDENCE, f"{confidence.normalize():f} is below {confidence_min:f}")
    if category is _BILLABLE:
        return None
    match category:
        case Category.NON_BILLABLE:
            return Verdict(Bucket.NON_BILLABLE, "non_billable")
        case Category.RETAINER | Category.PROJECT if kind is _TIME:
            # Whether the contract has such an engagement for this work, its terms say.
            return None
        case Category.RETAINER | Category.PROJECT:
            return Verdict(Bucket.HELD, WITHOUT_ENGAGEMENT, category.value)
        case Category.UNKNOWN | None:
            return Verdict(Bucket.HELD, "undecided")
