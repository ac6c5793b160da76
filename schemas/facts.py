"""Facts: what the fold's owner appends to the journal, and that alone changes what was promised.

A fact counts when it is read back; the first for a `fact_id` wins. Numbers, revisions and sequences are not in them:
they are
given by counting when a fact is read back (design section 1).
"""

from typing import ClassVar

from schemas.draft import DocumentScope, DraftBody
from schemas.envelope import Envelope
from schemas.values import DecimalText, Record


class Fact(Record):
    """What all facts carry."""

    envelope: Envelope
    fact_id: str


class DocumentDrafted(Fact):
    """The result of a close command; its fact id is the command's id."""

    schema_id: ClassVar[int] = 2201
    schema_name: ClassVar[str] = "document_drafted"

    command_id: str
    close_offset: int
    decided_offset: int
    code_version: str
    content: str
    missing: tuple[str, ...] = ()
    body: DraftBody


class CommandRefused(Fact):
    """A command that could not be carried out, judged by the state at its own offset."""

    schema_id: ClassVar[int] = 1202
    schema_name: ClassVar[str] = "command_refused"

    command_id: str
    command: str
    scope: DocumentScope | None = None
    document_id: str = ""
    reason: str
    detail: str = ""


class DocumentApproved(Fact):
    """An approval that held: this revision with this content."""

    schema_id: ClassVar[int] = 1203
    schema_name: ClassVar[str] = "document_approved"

    command_id: str
    document_id: str
    revision: int
    content: str


class DocumentIssued(Fact):
    """An approved document leaves; its number is given where this is read back."""

    schema_id: ClassVar[int] = 1204
    schema_name: ClassVar[str] = "document_issued"

    command_id: str
    document_id: str


class DocumentVoided(Fact):
    """An issued document is void through the credit note `body`, which is issued with it; both numbers stay.

    With `rebill` what was credited may be billed again; without, it is written off. `written_off` says why.
    """

    schema_id: ClassVar[int] = 2205
    schema_name: ClassVar[str] = "document_voided"

    command_id: str
    document_id: str
    rebill: bool = False
    written_off: str = ""
    void_offset: int = 0
    code_version: str = ""
    content: str = ""
    body: DraftBody | None = None


class AlertRaised(Fact):
    """A cap crossed one or more thresholds in one event, or recovered (BD-29)."""

    schema_id: ClassVar[int] = 1206
    schema_name: ClassVar[str] = "alert_raised"

    kind: str
    client_id: str
    contract_id: str
    cap: str
    pool: str
    window: str
    thresholds: tuple[int, ...]
    used_seconds: int
    limit_seconds: int
    used_percent: DecimalText
    cause_entry_id: str
    text: str
