"""What `init` has to know: eight questions at most, each also a flag, each with a default that can be explained."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from pathlib import Path
from zoneinfo import available_timezones

from billstream.beginning.exports import identifier
from billstream.cli.exits import Exit
from billstream.cli.failure import CommandFailed
from billstream.cli.session import Session
from billstream.configuration.problems import nearest

TRIES_MAX = 3
RATE_MAX = Decimal(100_000)
NOWHERE = "ZZ"
LOCALTIME = Path("/etc/localtime")


class FirmKind(StrEnum):
    """What the first contracts look like."""

    AGENCY = "agency"
    LEGAL = "legal"


class Origin(StrEnum):
    """Where an answer came from."""

    FLAG = "flag"
    ASKED = "asked"
    DEFAULT = "default"


@dataclass(frozen=True)
class Question:
    """One thing to know. `check` returns what is wrong with an answer, or nothing."""

    name: str
    text: str
    check: Callable[[str], str]

    @property
    def flag(self) -> str:
        """How it is answered on the command line."""
        return f"--{self.name}"


@dataclass(frozen=True)
class Answer:
    """An answer and where it came from."""

    question: Question
    value: str
    origin: Origin


def _any_name(value: str) -> str:
    return "" if 0 < len(value.strip()) <= 120 and value.isprintable() else "a name of 1 to 120 characters"


def _short_name(value: str) -> str:
    is_short = 0 < len(value) <= 80 and value.isprintable() and value == value.strip()
    return "" if is_short else "a short name of 1 to 80 characters"


def _zone(value: str) -> str:
    zones = available_timezones()
    return "" if value in zones else f"a zone such as Europe/Berlin; {nearest(value, zones)}".rstrip("; ")


def _currency(value: str) -> str:
    from babel.numbers import list_currencies

    known = list_currencies()
    return "" if value in known else f"a currency such as EUR; {nearest(value, known)}".rstrip("; ")


def _locale(value: str) -> str:
    from sinks.pdf.numbers import locale_problem

    return locale_problem(value)


def _kind(value: str) -> str:
    return "" if value in set(FirmKind) else "agency or legal"


def _number(value: str, most: Decimal) -> str:
    if not value:
        return ""
    try:
        number = Decimal(value)
    except InvalidOperation:
        return "a number such as 120.00, or nothing"
    return "" if number.is_finite() and 0 < number <= most else f"a number above 0 and up to {most}"


QUESTIONS = (
    Question("firm", "What is the firm called, as it stands on an invoice?", _any_name),
    Question("person", "Who gives commands from here (a short name)?", _short_name),
    Question("zone", "In which time zone does it work?", _zone),
    Question("currency", "In which currency does it bill?", _currency),
    Question("locale", "In which language and region are invoices written (en-GB, de-DE, fr-FR, es-ES, ...)?", _locale),
    Question("kind", "Is it an agency (by project) or a law firm (by matter)? agency or legal", _kind),
    Question(
        "rate",
        "What does an hour cost? (empty: later; until then entries are held)",
        lambda value: _number(value, RATE_MAX),
    ),
    Question(
        "vat",
        "How much VAT in percent goes on top? (empty: later)",
        lambda value: _number(value, Decimal(100)),
    ),
)


def defaults(folder: Path, environment: Mapping[str, str], currencies: tuple[str, ...]) -> dict[str, str]:
    """What is taken without an answer: from the folder's name, the machine's zone, and what exports count in."""
    zone = local_zone(environment)
    territory = _territory(zone)
    user = environment.get("USER") or environment.get("USERNAME") or "owner"
    return {
        "firm": " ".join(folder.resolve().name.replace("_", " ").replace("-", " ").split()).title() or "My Firm",
        "person": identifier(user, set()),
        "zone": zone,
        "currency": _currency_of(territory) or (currencies[0] if currencies else "EUR"),
        "locale": _locale_of(territory),
        "kind": FirmKind.AGENCY.value,
        "rate": "",
        "vat": "",
    }


def local_zone(environment: Mapping[str, str], localtime: Path = LOCALTIME) -> str:
    """The machine's time zone as the database names it; UTC when it does not say."""
    linked = os.path.realpath(localtime) if localtime.is_symlink() else ""
    for named in (environment.get("TZ", "").lstrip(":"), linked.partition("zoneinfo/")[2]):
        if named in available_timezones():
            return "UTC" if named.startswith("Etc/") else named
    return "UTC"


def _territory(zone: str) -> str:
    from babel.core import get_global

    territory = str(get_global("zone_territories").get(zone, ""))
    return territory if territory.isalpha() and territory != NOWHERE else ""


def _currency_of(territory: str) -> str:
    from babel.numbers import get_territory_currencies

    current = get_territory_currencies(territory) if territory else []
    return str(current[0]) if current else ""


def _locale_of(territory: str) -> str:
    from babel.languages import get_official_languages

    if not territory:
        return "en-GB"
    spoken = [str(one) for one in get_official_languages(territory)] or ["en"]
    fitting = [f"{one}-{territory}" for one in spoken if not _locale(f"{one}-{territory}")]
    return fitting[0] if fitting else "en-GB"


def collect(
    session: Session, given: Mapping[str, str | None], known: Mapping[str, str], *, yes: bool
) -> dict[str, Answer]:
    """Every answer: from its flag, else asked, else its default with --yes.

    Raises CommandFailed for a flag that is no answer, and where nobody can be asked.
    """
    return {
        question.name: _answer(session, question, given.get(question.name), known, yes=yes) for question in QUESTIONS
    }


def _answer(session: Session, question: Question, given: str | None, known: Mapping[str, str], *, yes: bool) -> Answer:
    if given is not None:
        if problem := question.check(given):
            said = f"{question.flag} {given!r}: expected {problem}."
            raise CommandFailed("answer_unfit", said, "", Exit.USAGE)
        return Answer(question, given, Origin.FLAG)
    default = known[question.name]
    if yes:
        return Answer(question, default, Origin.DEFAULT)
    if not session.asks:
        fix = f"Answer it with {question.flag}, or take every default with --yes."
        raise CommandFailed("answer_needed", question.text, fix, Exit.USAGE)
    return _asked(question, default)


def _asked(question: Question, default: str) -> Answer:
    """Ask a person; an unfit answer is asked again, three times at most."""
    import typer

    for _ in range(TRIES_MAX):
        value = str(typer.prompt(question.text, default=default, err=True, show_default=bool(default))).strip()
        problem = question.check(value)
        if not problem:
            return Answer(question, value, Origin.ASKED)
        typer.echo(f"Expected {problem}.", err=True)
    raise CommandFailed("answer_unfit", question.text, f"Answer it with {question.flag}.", Exit.USAGE)
