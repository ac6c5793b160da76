"""Settings: one tree from file and environment, unknown words are errors, every field is described."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from billstream.configuration.problems import InvalidFiles
from billstream.settings import Settings, load_settings, variables


def settings_of(tmp_path: Path, text: str, **environment: str) -> Settings:
    (tmp_path / "billstream.yaml").write_text(text)
    return load_settings(tmp_path, environment).settings


def test_without_a_file_all_settings_have_defaults(tmp_path: Path) -> None:
    """A project needs no file to begin."""
    installation = load_settings(tmp_path, {})
    assert installation.settings == Settings()
    assert installation.data_folder == tmp_path / ".billstream"


def test_the_environment_lies_over_the_file(tmp_path: Path) -> None:
    """A variable wins over the file; BILLSTREAM_BROKERS is the short name of the servers."""
    text = "broker: {servers: 'a:1', replication_factor: 3}\nhealth: {port: 1}\n"
    settings = settings_of(tmp_path, text, BILLSTREAM_BROKERS="b:2", BILLSTREAM_HEALTH_PORT="9", PATH="x")
    assert (settings.broker.servers, settings.broker.replication_factor, settings.health.port) == ("b:2", 3, 9)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tennant: x", "billstream.yaml:1:1: unknown key 'tennant' (did you mean 'tenant'?)"),
        ("zone: Europe/Berln", "did you mean 'Europe/Berlin'?"),
        ("sinks: {a: {kind: jsn, folder: x}}", "'jsn' is not one of the kinds there are (did you mean 'json'?)"),
        ("sinks: {a: {kind: json}}", "'folder' is missing in sinks.a"),
        ("sources: {a: {kind: table, account: x}}", "a source of kind 'table' needs `mapping`"),
        ("broker: {security_protocol: SASL_SSL}", "needs sasl_username and sasl_password_file"),
        ("partitions: many", "partitions: 'many': expected a whole number"),
        ("health: 3", "expected lines of `key: value`"),
    ],
)
def test_a_wrong_setting_is_named_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    """Each mistake says where it is and what was expected."""
    with pytest.raises(InvalidFiles) as caught:
        settings_of(tmp_path, text)
    assert said in caught.value.message


def test_a_wrong_variable_is_named(tmp_path: Path) -> None:
    """The environment is checked like the file."""
    with pytest.raises(InvalidFiles, match=r"BILLSTREAM_HEALTH_PORT: health\.port: 'x': expected a whole number"):
        settings_of(tmp_path, "", BILLSTREAM_HEALTH_PORT="x")
    with pytest.raises(
        InvalidFiles, match=r"unknown variable BILLSTREAM_BROKER \(did you mean 'BILLSTREAM_BROKERS'\?\)"
    ):
        settings_of(tmp_path, "", BILLSTREAM_BROKER="x")


def fields(model: type[BaseModel], place: str = "") -> Iterator[tuple[str, str | None, bool]]:
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from fields(inner, f"{place}{name}.")
        else:
            yield f"{place}{name}", field.description, bool(field.examples)


def test_every_setting_has_a_description_and_an_example() -> None:
    """The docs page is made of them."""
    grouped = {"sources", "sinks"}
    lacking = [place for place, text, example in fields(Settings) if not text or (not example and place not in grouped)]
    assert not lacking


def test_no_secret_can_stand_in_the_settings() -> None:
    """Passwords and keys are paths of files."""
    secret = [
        place
        for place in variables().values()
        if place.rsplit(".", 1)[-1] in {"password", "sasl_password", "token", "secret"}
    ]
    assert not secret
