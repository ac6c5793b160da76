"""Commands: orders of a person or a policy, each with an id, who gave it and why. A command counts once per id."""

from typing import ClassVar

from schemas.draft import DocumentScope
from schemas.envelope import Envelope
from schemas.inputs import Category
from schemas.values import Instant, Record, WireEnum


class Command(Record):
    """What all commands carry; `person` is a person's or a policy's name, `reason` is never empty."""

    envelope: Envelope
    command_id: str
    person: str
    reason: str


class AssignEntry(Command):
    """Give an entry a client, person or project that its source did not name well enough. Empty fields stay as they
    are.
    """

    schema_id: ClassVar[int] = 1101
    schema_name: ClassVar[str] = "assign_entry"

    entry_id: str
    client_id: str = ""
    person_id: str = ""
    project_id: str = ""


class CorrectEntry(Command):
    """A person's decision about an entry; it fits the entry as long as its text and references stay the same.

    With `remember`, the same text of the same client is decided so from now on (approved memory).
    """

    schema_id: ClassVar[int] = 1102
    schema_name: ClassVar[str] = "correct_entry"

    entry_id: str
    category: Category
    service_item: str = ""
    utbms_task: str = ""
    utbms_activity: str = ""
    remember: bool = False


class HoldEntry(Command):
    """Keep an entry off invoices until it is released."""

    schema_id: ClassVar[int] = 1103
    schema_name: ClassVar[str] = "hold_entry"

    entry_id: str


class ReleaseEntry(Command):
    """Settle one reason for which an entry is held: a hold, a possible duplicate, a conflict, a proposed deletion
    (keep it).
    """

    schema_id: ClassVar[int] = 1104
    schema_name: ClassVar[str] = "release_entry"

    entry_id: str
    held_reason: str


class DeleteEntry(Command):
    """Accept a proposed deletion: the entry is gone at its source."""

    schema_id: ClassVar[int] = 1105
    schema_name: ClassVar[str] = "delete_entry"

    entry_id: str


class WriteOff(Command):
    """A person decides not to bill an entry."""

    schema_id: ClassVar[int] = 1106
    schema_name: ClassVar[str] = "write_off"

    entry_id: str


class CloseDocument(Command):
    """Draft the invoice of a scope as of this command's offset.

    Corrections of earlier documents of the contract come with it.
    A scope whose kind is a credit note asks for what the documents of that period have to give back, and nothing else.

    It waits for the named sources to be seen up to `watermark_until` and for a decision of each entry, at most until
    `wait_until` (a tick decides); then what is missing is held and named.
    """

    schema_id: ClassVar[int] = 1107
    schema_name: ClassVar[str] = "close_document"

    scope: DocumentScope
    sources: tuple[str, ...] = ()
    watermark_until: Instant | None = None
    wait_until: Instant | None = None


class ReopenPeriod(Command):
    """Withdraw the drafts and approved documents of a scope; only while nothing of it was issued."""

    schema_id: ClassVar[int] = 2108
    schema_name: ClassVar[str] = "reopen_period"

    scope: DocumentScope


class ApproveDocument(Command):
    """Approve exactly this revision with exactly this content; a stale draft is refused."""

    schema_id: ClassVar[int] = 1109
    schema_name: ClassVar[str] = "approve_document"

    document_id: str
    revision: int
    content: str


class RejectDocument(Command):
    """Send a draft back with a comment; its allocations are unbilled again."""

    schema_id: ClassVar[int] = 1110
    schema_name: ClassVar[str] = "reject_document"

    document_id: str
    revision: int


class IssueDocument(Command):
    """Give an approved document its number and let it leave."""

    schema_id: ClassVar[int] = 1111
    schema_name: ClassVar[str] = "issue_document"

    document_id: str


class VoidDocument(Command):
    """Void an issued document through a credit note over all that stands of it; it keeps its number.

    With `rebill` its time and money may be billed again by closing the period anew; without, they are written off.
    """

    schema_id: ClassVar[int] = 2112
    schema_name: ClassVar[str] = "void_document"

    document_id: str
    rebill: bool = False


class LetterOutcome(WireEnum):
    """What a person did about a dead letter."""

    REPLAYED = "replayed"
    REPAIRED = "repaired"
    DISCARDED = "discarded"
    UNKNOWN = "unknown"


class SettleDeadLetter(Command):
    """Close a dead letter: it was replayed, edited or dismissed.

    `sent` is the SHA-256 of the bytes that went out again, empty when none did: a letter about the same bytes that
    comes later is the same trouble once more.
    """

    schema_id: ClassVar[int] = 2113
    schema_name: ClassVar[str] = "settle_dead_letter"

    dead_letter_id: str
    outcome: LetterOutcome
    sent: str = ""
