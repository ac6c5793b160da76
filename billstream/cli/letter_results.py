"""The published answers of the commands about dead letters."""

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar

from pydantic import BaseModel, Field, JsonValue

from billstream.cli.results import ReasonCount, RefusedItem, Result


class LetterItem(BaseModel):
    """A dead letter: where its record stood, why it is here, and how it stands."""

    letter_id: str
    state: str = Field(description="open, replayed, repaired, discarded, or settled by a newer version.")
    topic: str
    partition: int
    offset: int
    stage: str = Field(description="The agent that met the record.")
    reason: str
    detail: str
    seen_at: datetime = Field(description="When the record was written.")
    size_bytes: int
    whole_bytes: int = Field(default=0, description="Size of a record that was too large to be kept whole, else 0.")
    key: str = Field(default="", description="The record's key as text; of entries it is the entry's id.")
    settled_by: str = ""
    settled_at: datetime | None = None
    settled_because: str = ""
    follows: str = Field(default="", description="The letter whose sending again made this one.")
    first: str = Field(default="", description="The first letter of such a chain.")
    failed_again: str = Field(default="", description="The newest letter that came of sending this one again.")


class LettersResult(Result):
    """Answer of `dead-letters list`."""

    name: ClassVar[str] = "dead-letters"

    letters: tuple[LetterItem, ...]
    open: int
    by_reason: tuple[ReasonCount, ...] = ()
    left_out: int = Field(default=0, description="Letters that were not read, because of the limits.")


class SettlementItem(BaseModel):
    """What somebody did about a letter."""

    outcome: str
    person: str
    because: str
    at: datetime
    sent: str = Field(default="", description="SHA-256 of the bytes that were sent again.")


class LetterResult(Result):
    """Answer of `dead-letters show`; `record` holds what could be read."""

    name: ClassVar[str] = "dead-letter"

    letter: LetterItem
    settlements: tuple[SettlementItem, ...] = ()
    record_kind: str = Field(default="", description="The schema's name; empty when the frame names none of ours.")
    record: Mapping[str, JsonValue] = {}
    broken_at: int | None = Field(default=None, description="The byte at which reading stopped.")
    broken_field: str = ""
    broken_why: str = ""
    wrong: tuple[str, ...] = Field(default=(), description="Values that no such record can have.")
    hex_from: int = Field(default=0, description="The byte that `hex` begins with.")
    hex: str = ""
    next: tuple[str, ...] = Field(default=(), description="Commands that may follow.")


class SentItem(BaseModel):
    """A letter that was settled. `came` says what came of it: accepted, failed_again, sent or no_answer."""

    letter_id: str
    outcome: str
    topic: str = ""
    partition: int = 0
    came: str = ""
    detail: str = ""
    failed_again: str = ""


class SettledLettersResult(Result):
    """Answer of `dead-letters replay` and `dead-letters discard`."""

    name: ClassVar[str] = "settled-letters"

    done: tuple[SentItem, ...]
    refused: tuple[RefusedItem, ...] = ()
    dry_run: bool = False
    more: int = Field(default=0, description="Letters that fit too and wait for the next call.")


class ChangeItem(BaseModel):
    """A field before and after, as JSON."""

    field: str
    before: str
    after: str


class RepairResult(Result):
    """Answer of `dead-letters repair`: the file that was written, or what was changed and sent."""

    name: ClassVar[str] = "repaired-letter"

    letter_id: str
    file: str = ""
    changes: tuple[ChangeItem, ...] = ()
    sent: SentItem | None = None
    dry_run: bool = False


LETTER_RESULTS: tuple[type[Result], ...] = (LettersResult, LetterResult, SettledLettersResult, RepairResult)
