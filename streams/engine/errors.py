"""Errors of the engine; each stops the worker but `OwnershipLost`, which ends the work on one partition."""

from schemas.errors import BillstreamError, Conflict, OutcomeUnknown, Rejected


class EngineFault(BillstreamError):
    """The engine met a state it must not go on in (a moved position, lost records, a handler that hangs)."""


class OwnershipLost(Conflict):
    """This worker no longer owns the partition: nothing more may be written or committed for it."""

    def __init__(self, detail: str) -> None:
        super().__init__(
            "ownership_lost",
            "This worker lost its place in the consumer group while it worked on a partition.",
            "Nothing to do: the partition is read again by its new owner.",
            detail,
        )


class PublishUnknown(OutcomeUnknown):
    """Records were sent and the broker did not acknowledge all of them; they may or may not stand in the topic."""

    def __init__(self, detail: str) -> None:
        super().__init__(
            "publish_unknown",
            "The broker did not acknowledge every record that was sent.",
            "The worker stops and repeats the work from its stored offset; look at the broker if this comes again.",
            detail,
        )


class RecordTooLarge(Rejected):
    """The record is larger than the topics take; sending it again cannot succeed."""

    def __init__(self, topic: str, size_bytes: int, limit_bytes: int) -> None:
        super().__init__(
            "record_too_large",
            f"A record for {topic} has {size_bytes} bytes; the limit is {limit_bytes}.",
            "Split the document, or raise the limit of the topic and of the publisher together.",
        )
