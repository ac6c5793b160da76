"""The project folder a command works in: settings, configuration and who is speaking."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from billstream.configuration.load import Configuration, load_configuration
from billstream.settings import Installation, load_settings
from schemas.envelope import Envelope
from schemas.errors import ConfigurationError

PRODUCER = "billstream-cli"


def open_project(folder: Path, environment: Mapping[str, str]) -> Installation:
    """The settings of a folder; InvalidFiles names what is wrong with them."""
    return load_settings(folder, environment)


def open_configuration(installation: Installation, contracts: Path | None = None) -> Configuration:
    """Directory and contracts of a project, checked as a whole; `contracts` replaces the settings' folder."""
    settings = installation.settings
    return load_configuration(
        installation.path(settings.directory),
        installation.path(settings.contracts) if contracts is None else contracts.resolve(),
        installation.folder,
        frozenset(settings.sinks),
    )


def speaker(installation: Installation, named: str) -> str:
    """Who gives a command; ConfigurationError when nobody is named, because every order has a person."""
    person = named or installation.settings.person
    if not person:
        message = "A command needs to know who gives it."
        raise ConfigurationError("person_missing", message, "Use --as NAME or set `person` in billstream.yaml.")
    return person


def now() -> datetime:
    """The front door's clock; asked once per command and passed on."""
    return datetime.now(UTC)


def envelope(installation: Installation, event_id: str, at: datetime, *, correlation: str = "") -> Envelope:
    """The envelope of a record this machine writes."""
    settings = installation.settings
    return Envelope(
        event_id=event_id,
        tenant=settings.tenant,
        book=settings.book,
        correlation=correlation,
        origin="cli",
        recorded_at=at,
        producer=PRODUCER,
    )
