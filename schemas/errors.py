"""The tree of errors, named by what happens next.

BillstreamError
    ConfigurationError   stop the program and mend the settings (exit 78)
    SignInNeeded         park this source or sink and ask a person (exit 4)
    Retryable            wait, then make the same call again
    Rejected             never make the same call again: hold it or write a dead letter
        Unreadable       the bytes are not a record of ours
            NewerSchema  they are one that a newer release wrote
        ConservationBroken  an invoice would lose or double seconds or money: this one stops, the others go on
    OutcomeUnknown       ask the other side first
    Conflict             reload and decide again (exit 7)
    NotYet               a part of the contract language that this version does not bill
"""


class BillstreamError(Exception):
    """What went wrong (`message`) and how to mend it (`fix`), for the user; `detail` is for the engineer."""

    exit_code = 1

    def __init__(self, code: str, message: str, fix: str = "", detail: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.fix = fix
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.message} [{self.code}]" + (f" {self.fix}" if self.fix else "")


class ConfigurationError(BillstreamError):
    """The settings, the directory or a contract cannot be used as they are."""

    exit_code = 78


class SignInNeeded(BillstreamError):
    """A source or a sink no longer knows us; a person has to sign in again."""

    exit_code = 4


class Retryable(BillstreamError):
    """The same call may succeed later; `after_seconds` is the earliest time the other side named, 0 for none."""

    exit_code = 75

    def __init__(self, code: str, message: str, fix: str = "", detail: str = "", *, after_seconds: int = 0) -> None:
        super().__init__(code, message, fix, detail)
        self.after_seconds = after_seconds


class Rejected(BillstreamError):
    """The same call will never succeed: hold the thing or write a dead letter."""

    exit_code = 5


class Unreadable(Rejected):
    """Bytes that are not a record of ours: wrong frame, unknown schema, broken Avro or a value out of its domain."""


class NewerSchema(Unreadable):
    """A record of ours that only a newer release can read. Who computes from it stops; who passes it on keeps it."""

    def __init__(self, schema_id: int) -> None:
        super().__init__(
            "schema_newer",
            f"The record has schema {schema_id}, which only a newer release can read.",
            "Upgrade this program to the release that wrote it.",
        )


class ConservationBroken(Rejected):
    """Billing found that an invoice would lose or double seconds or money. It is our mistake (design rule 8)."""

    def __init__(self, what: str) -> None:
        super().__init__(
            "conservation_broken",
            f"The invoice does not add up, so it is not written: {what}.",
            "Report it with the entries of its period; other clients are not concerned.",
        )


class OutcomeUnknown(BillstreamError):
    """The call left us and no answer came: look before you send again."""

    exit_code = 75


class Conflict(BillstreamError):
    """The thing changed meanwhile: reload and decide again."""

    exit_code = 7


class NotYet(ConfigurationError):
    """The contract asks for something this version does not bill; it is refused, never ignored."""
