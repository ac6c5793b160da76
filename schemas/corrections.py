"""How a contract wants what changed after a document was approved: settings `correction` and `late_policy`."""

from enum import StrEnum


class Correction(StrEnum):
    """How a difference to an approved document reaches the client (BD-64, BD-66).

    `adjust_next` puts it on the next invoice; `credit_and_rebill` credits each changed line whole and bills it anew;
    `credit_now` writes a credit note at once when the client is owed something.
    """

    ADJUST_NEXT = "adjust_next"
    CREDIT_AND_REBILL = "credit_and_rebill"
    CREDIT_NOW = "credit_now"


class LatePolicy(StrEnum):
    """Whether late work takes its place in the order of work, or only what earlier documents left free (BD-68)."""

    RECOMPUTE_DELTA = "recompute_delta"
    REMAINING_CAPACITY = "remaining_capacity"
