"""Connection settings either fit together and become client arguments, or say what is wrong."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from runtime.errors import Misconfigured
from runtime.kafka import KafkaConnection
from runtime.secrets import Secret


def test_a_plain_connection_needs_only_an_address() -> None:
    """The embedded broker's case."""
    arguments = KafkaConnection(bootstrap_servers="127.0.0.1:9092").client_arguments()
    assert arguments == {"bootstrap_servers": "127.0.0.1:9092", "security_protocol": "PLAINTEXT"}


def test_sasl_over_tls_reads_the_password_from_its_file(tmp_path: Path) -> None:
    """The password is in no setting, and the brokers' names are checked."""
    (tmp_path / "password").write_text("correct horse\n")
    arguments = KafkaConnection(
        bootstrap_servers="kafka.example:9093",
        security_protocol="SASL_SSL",
        sasl_mechanism="SCRAM-SHA-512",
        sasl_username="billstream",
        sasl_password_file=tmp_path / "password",
    ).client_arguments()
    assert arguments["sasl_plain_password"] == "correct horse"
    assert arguments["sasl_mechanism"] == "SCRAM-SHA-512"
    assert arguments["ssl_context"].check_hostname


def test_a_password_from_the_environment_shows_nowhere() -> None:
    """Neither the model's text nor its JSON has it."""
    connection = KafkaConnection(
        bootstrap_servers="k:1",
        security_protocol="SASL_SSL",
        sasl_mechanism="PLAIN",
        sasl_username="u",
        sasl_password=Secret("canary-4711"),
    )
    assert connection.client_arguments()["sasl_plain_password"] == "canary-4711"
    assert "canary" not in f"{connection!r} {connection} {connection.model_dump_json()}"


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"security_protocol": "SASL_SSL"}, "needs sasl_mechanism"),
        ({"sasl_username": "u"}, "no effect"),
        ({"ssl_ca_file": "ca.pem"}, "no effect"),
        ({"security_protocol": "SSL", "ssl_cert_file": "c.pem"}, "belong together"),
        ({"security_protocol": "TLS"}, "security_protocol"),
        ({"servers": "x"}, "servers"),
        (
            {
                "security_protocol": "SASL_PLAINTEXT",
                "sasl_mechanism": "PLAIN",
                "sasl_username": "u",
                "sasl_password": "canary-4711",
            },
            "readable over the network",
        ),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings: dict[str, str], complaint: str) -> None:
    """A setting without effect is a misunderstanding, and the error never shows a password."""
    with pytest.raises(ValidationError, match=complaint) as caught:
        KafkaConnection.model_validate({"bootstrap_servers": "kafka.example:9092"} | settings)
    assert "canary" not in str(caught.value)


def test_a_password_may_go_in_clear_to_this_machine_only() -> None:
    """On loopback nobody listens in between."""
    connection = KafkaConnection(
        bootstrap_servers="localhost:9092,127.0.0.1:9093,[::1]:9094",
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism="PLAIN",
        sasl_username="u",
        sasl_password=Secret("p"),
    )
    assert "ssl_context" not in connection.client_arguments()


@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
def test_certificates_that_cannot_be_used_are_named(tmp_path: Path, content: bytes | None) -> None:
    """Missing, empty and wrong files give a sentence with the settings' names."""
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    connection = KafkaConnection(bootstrap_servers="k:1", security_protocol="SSL", ssl_ca_file=path)
    with pytest.raises(Misconfigured, match="cannot be used") as caught:
        connection.client_arguments()
    assert "ssl_ca_file" in caught.value.fix
