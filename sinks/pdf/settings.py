"""Settings of the PDF sink: what a firm's paper looks like, and what differs for single clients."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, StringConstraints

from schemas.values import Value

LINE_CHARACTERS_MAX = 160
TEXT_CHARACTERS_MAX = 6_000
CONTRAST_MIN = Decimal("4.5")
LOGO_SUFFIXES = (".png", ".jpg", ".jpeg", ".svg")


class Layout(StrEnum):
    """How the work is arranged."""

    AUTO = "auto"
    AGENCY = "agency"
    LEGAL = "legal"


class Details(StrEnum):
    """What the pages behind the summary show."""

    LINES = "lines"
    ENTRIES = "entries"
    NONE = "none"


class PageSize(StrEnum):
    """The sheet."""

    A4 = "a4"
    LETTER = "letter"


class Typeface(StrEnum):
    """The letters; both families come with Billstream."""

    SANS = "sans"
    SERIF = "serif"


class HoursForm(StrEnum):
    """How durations are written: 1.50 or 1:30."""

    DECIMAL = "decimal"
    CLOCK = "clock"


def _known_locale(locale: str) -> str:
    from sinks.pdf.numbers import locale_problem

    if problem := locale_problem(locale):
        raise ValueError(problem)
    return locale


def luminance(color: str) -> Decimal:
    """Relative luminance of `#rrggbb`, 0 for black and 1 for white (WCAG 2.2)."""
    weights = (Decimal("0.2126"), Decimal("0.7152"), Decimal("0.0722"))
    channels = (Decimal(int(color[start : start + 2], 16)) / 255 for start in (1, 3, 5))
    return sum((weight * _linear(channel) for weight, channel in zip(weights, channels, strict=True)), Decimal(0))


def _linear(channel: Decimal) -> Decimal:
    if channel <= Decimal("0.04045"):
        return channel / Decimal("12.92")
    return ((channel + Decimal("0.055")) / Decimal("1.055")) ** Decimal("2.4")


def _readable(color: str) -> str:
    contrast = Decimal("1.05") / (luminance(color) + Decimal("0.05"))
    if contrast < CONTRAST_MIN:
        raise ValueError(
            f"'{color}' is too pale to be read on white paper: "
            f"its contrast is {contrast:.1f}, at least {CONTRAST_MIN} is needed"
        )
    return color


def _logo_kind(path: Path | None) -> Path | None:
    if path is not None and path.suffix.lower() not in LOGO_SUFFIXES:
        raise ValueError(f"a logo is one of {', '.join(LOGO_SUFFIXES)}")
    return path


Line = Annotated[str, StringConstraints(max_length=LINE_CHARACTERS_MAX)]
Text = Annotated[str, StringConstraints(max_length=TEXT_CHARACTERS_MAX)]
Locale = Annotated[str, AfterValidator(_known_locale)]
Color = Annotated[str, StringConstraints(pattern=r"^#[0-9a-fA-F]{6}$"), AfterValidator(_readable)]
Logo = Annotated[Path | None, AfterValidator(_logo_kind)]
Payment = Annotated[Mapping[Line, Line], Field(max_length=12)]


class ClientPaper(Value):
    """What differs on the paper of one client; what is not said here is as for all."""

    layout: Layout | None = Field(default=None, description="Another layout for this client.", examples=["legal"])
    details: Details | None = Field(default=None, description="Other detail pages.", examples=["entries"])
    locale: Locale | None = Field(default=None, description="Another language and number format.", examples=["de-DE"])
    page: PageSize | None = Field(default=None, description="Another sheet.", examples=["letter"])
    hours: HoursForm | None = Field(default=None, description="Another form of durations.", examples=["clock"])
    intro: Text | None = Field(default=None, description="Another text above the figures.", examples=["Dear Ms Berg,"])
    payment: Payment | None = Field(default=None, description="Other payment details.", examples=[{"IBAN": "DE89 ..."}])
    payment_note: Line | None = Field(
        default=None, description="Another note on payment.", examples=["By direct debit."]
    )
    terms: Text | None = Field(default=None, description="Other terms.", examples=["Terms of the engagement letter."])
    attention: Line = Field(default="", description="Whom it is for.", examples=["Accounts payable"])
    purchase_order: Line = Field(default="", description="The client's order number.", examples=["PO-4711"])


class Paper(Value):
    """What every document of the firm looks like."""

    layout: Layout = Field(
        default=Layout.AUTO,
        description="`agency` by project, `legal` by matter and timekeeper; `auto`: legal when there is a matter.",
        examples=["legal"],
    )
    details: Details = Field(
        default=Details.LINES,
        description="Behind the summary: the lines, the single entries with their own texts, or nothing.",
        examples=["lines"],
    )
    locale: Locale = Field(
        default="en-GB", description="Language of the paper and form of numbers and dates.", examples=["de-DE"]
    )
    page: PageSize = Field(default=PageSize.A4, description="Size of the sheet.", examples=["letter"])
    typeface: Typeface = Field(default=Typeface.SANS, description="The letters.", examples=["serif"])
    fonts: Path | None = Field(
        default=None,
        description="Folder of fonts for scripts that ours lack (ours: Latin, Greek, Cyrillic).",
        examples=["brand/fonts"],
    )
    color: Color = Field(default="#1f3a5f", description="The firm's colour; dark enough to read.", examples=["#1f3a5f"])
    logo: Logo = Field(
        default=None, description="PNG, JPEG or SVG; without one the name stands there.", examples=["brand/logo.svg"]
    )
    logo_width_mm: int = Field(default=45, ge=10, le=90, description="Width of the logo.", examples=[45])
    header: tuple[Line, ...] = Field(
        default=(), max_length=6, description="Lines below the firm's address.", examples=[["+49 30 5550 100"]]
    )
    footer: tuple[Line, ...] = Field(
        default=(), max_length=4, description="Lines at the foot of each page.", examples=[["HRB 12345, Berlin"]]
    )
    intro: Text = Field(default="", description="Text above the figures.", examples=["Thank you for your trust."])
    payment: Payment = Field(
        default={}, description="Payment details, name by name.", examples=[{"IBAN": "DE89 3704 0044 0532 0130 00"}]
    )
    payment_note: Line = Field(
        default="", description="A note on payment.", examples=["Please quote the invoice number."]
    )
    terms: Text = Field(
        default="", description="Terms; a blank line begins a paragraph.", examples=["Payable in euro."]
    )
    tax_name: Line = Field(default="", description="What the tax is called; else by language.", examples=["VAT"])
    hours: HoursForm = Field(default=HoursForm.DECIMAL, description="How durations are written.", examples=["clock"])
    lines_max: int = Field(
        default=2_000, ge=1, le=10_000, description="Documents with more rows are refused.", examples=[2000]
    )


class PdfSettings(Value):
    """Where PDF documents go, what they look like, and what differs for whom."""

    folder: Path = Field(description="Folder for the documents; made when missing.", examples=["drafts/pdf"])
    paper: Paper = Field(default=Paper(), description="What every document looks like.")
    clients: Mapping[str, ClientPaper] = Field(default={}, description="Per client id, what differs.")

    @classmethod
    def example(cls) -> Self:
        """Settings as a configuration file would show them."""
        return cls(folder=Path("drafts/pdf"))

    def client(self, client_id: str) -> ClientPaper:
        """What differs for a client."""
        return self.clients.get(client_id, ClientPaper())

    def paper_of(self, client_id: str) -> Paper:
        """The paper of a client's documents."""
        own = self.client(client_id)
        changed = {name: value for name in Paper.model_fields if (value := getattr(own, name, None)) is not None}
        return self.paper.model_copy(update=changed)

    def placed(self, place: Callable[[Path], Path]) -> Self:
        """The same settings with paths that do not depend on where the program was started."""
        paper = self.paper
        logo = None if paper.logo is None else place(paper.logo)
        fonts = None if paper.fonts is None else place(paper.fonts)
        placed = paper.model_copy(update={"logo": logo, "fonts": fonts})
        return self.model_copy(update={"folder": place(self.folder), "paper": placed})
