"""What happened to an entry since a document was approved, in one word (billing-domain group K)."""

from collections.abc import Sequence

from billing.entries import BillingEntry
from schemas.draft import CorrectionReason


def reason_of(
    then: BillingEntry | None, now: BillingEntry | None, *, is_living: bool, stood_here: Sequence[bool]
) -> CorrectionReason | None:
    """The reason why an entry is another than it was on the document; None when it is not.

    `is_living` says that an entry that left is somewhere else now; `stood_here` says of each approved document on which
    the entry ever stood whether it is of this contract.
    """
    if now is None:
        if then is None:
            return None
        return CorrectionReason.MOVE if is_living else CorrectionReason.DELETION
    if then is None:
        if not stood_here:
            return CorrectionReason.LATE
        return CorrectionReason.RESTORED if stood_here[-1] else CorrectionReason.MOVE
    return _changed(then, now)


def _changed(then: BillingEntry, now: BillingEntry) -> CorrectionReason | None:
    """What happened to the entry itself; None when only contract or directory see it in another way."""
    if then.content != now.content:
        return CorrectionReason.EDIT
    if then.written_off != now.written_off:
        return CorrectionReason.WRITE_OFF
    if then.released != now.released or then.holds != now.holds:
        return CorrectionReason.RELEASE
    if (then.category, then.confidence, then.service_item) != (now.category, now.confidence, now.service_item):
        return CorrectionReason.DECISION
    who = (then.person_id, then.project_id, then.task) != (now.person_id, now.project_id, now.task)
    return CorrectionReason.EDIT if who else None
