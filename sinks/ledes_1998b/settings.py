"""Settings of the LEDES 1998B sink: where files go, and what each receiver of them wants."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from schemas.utbms import SET_IDS
from schemas.values import Value
from sinks.ledes_1998b.fields import TEXT_LENGTH_MAX


class LineEnding(StrEnum):
    """What follows the `[]` of each line."""

    CRLF = "crlf"
    LF = "lf"

    @property
    def characters(self) -> str:
        """The characters themselves."""
        return "\r\n" if self is LineEnding.CRLF else "\n"


class CharacterSet(StrEnum):
    """Which characters a receiver reads; the others are transliterated where there is a plain way to write them."""

    ASCII = "ascii"
    ANSI = "ansi"
    UTF_8 = "utf-8"

    @property
    def codec(self) -> str:
        """The name Python knows it by."""
        return "cp1252" if self is CharacterSet.ANSI else self.value


class TaxPolicy(StrEnum):
    """1998B has no place for tax: write the net and say so, or refuse the document."""

    NOTE = "note"
    REFUSE = "refuse"


class PeriodPolicy(StrEnum):
    """The billing period in the file: the document's own, or widened to the dates of its lines."""

    SCOPE = "scope"
    LINES = "lines"


class Timekeeper(Value):
    """How a receiver knows one person."""

    id: str = Field(default="", description="Id on the receiver's roster; empty: our person id.", examples=["AB01"])
    name: str = Field(default="", description="Name as `Surname, First name`.", examples=["Berg, Anna"])
    classification: str = Field(default="", description="LEDES classification code.", examples=["PARTNR"])


Decimals = Annotated[int, Field(ge=0, le=4)]
TextLength = Annotated[int, Field(ge=1, le=TEXT_LENGTH_MAX)]


class Receiver(Value):
    """What one receiver of LEDES files accepts; the defaults are what the strictest documented ones want."""

    line_ending: LineEnding = Field(default=LineEnding.CRLF, description="Line end in the file.", examples=["crlf"])
    character_set: CharacterSet = Field(default=CharacterSet.ASCII, description="Characters read.", examples=["ascii"])
    currency: str = Field(default="", description="The one currency accepted; empty: any.", examples=["USD"])
    invoice_number_length_max: int = Field(
        default=20, ge=1, le=20, description="Longest invoice number.", examples=[10]
    )
    invoice_number_punctuation: str = Field(
        default="-", description="Characters besides letters and digits in an invoice number.", examples=["-"]
    )
    draft_number_prefix: str = Field(
        default="D-",
        description="Drafts without number get this and a short id; empty: drafts are refused.",
        examples=["D-"],
    )
    narrative_required: bool = Field(default=True, description="Each line needs a description.", examples=[True])
    narrative_length_max: TextLength = Field(default=TEXT_LENGTH_MAX, description="Longest narrative.", examples=[1023])
    description_required: bool = Field(default=False, description="The invoice needs a description.", examples=[False])
    description_length_max: TextLength = Field(
        default=2_000, description="Longest invoice description.", examples=[2000]
    )
    client_matter_id_required: bool = Field(
        default=True, description="Without the client's matter id an invoice cannot be routed.", examples=[True]
    )
    task_code_required: bool = Field(default=True, description="Fee lines need a task code.", examples=[True])
    activity_code_required: bool = Field(default=True, description="Fee lines need an activity code.", examples=[True])
    expense_code_required: bool = Field(default=True, description="Expense lines need a code.", examples=[True])
    code_sets: tuple[str, ...] = Field(
        default=SET_IDS, description="UTBMS sets in use.", examples=[["litigation", "activity", "expense"]]
    )
    codes_allowed: tuple[str, ...] = Field(
        default=(),
        description="Only these codes; empty: every code of the sets but headings.",
        examples=[["L110", "A102"]],
    )
    units_decimals_max: Decimals = Field(default=2, description="Decimals of hours and quantities.", examples=[2])
    unit_cost_decimals_max: Decimals = Field(default=2, description="Decimals of rates and prices.", examples=[2])
    amount_decimals_max: Decimals = Field(default=2, description="Decimals of totals.", examples=[2])
    taxes: TaxPolicy = Field(default=TaxPolicy.NOTE, description="What to do with a tax.", examples=["refuse"])
    period: PeriodPolicy = Field(
        default=PeriodPolicy.SCOPE, description="The billing period shown.", examples=["scope"]
    )
    timekeepers: Mapping[str, Timekeeper] = Field(
        default_factory=dict,
        description="Per person id, how the receiver knows that person.",
        examples=[{"ab": {"id": "AB01"}}],
    )
    classifications: Mapping[str, str] = Field(
        default_factory=dict, description="Per role, the classification code.", examples=[{"senior": "ASSOC"}]
    )

    @model_validator(mode="after")
    def _known_sets(self) -> Self:
        unknown = sorted(set(self.code_sets) - set(SET_IDS))
        if unknown:
            raise ValueError(f"unknown code sets {', '.join(unknown)}; known: {', '.join(SET_IDS)}")
        return self


class Ledes1998bSettings(Value):
    """Where LEDES files go and for whom they are."""

    folder: Path = Field(description="Folder for the files; made when missing.", examples=["drafts/ledes"])
    receiver: Receiver = Field(default_factory=Receiver, description="What receivers accept by default.")
    receivers: Mapping[str, Receiver] = Field(
        default_factory=dict,
        description="Per client id, another receiver, as `receiver`.",
        examples=[{"acme": {"line_ending": "lf"}}],
    )

    def receiver_of(self, client_id: str) -> Receiver:
        """The receiver of a client's invoices."""
        return self.receivers.get(client_id, self.receiver)

    @classmethod
    def example(cls) -> Self:
        """Settings as a configuration file would show them."""
        return cls(folder=Path("drafts/ledes"))
