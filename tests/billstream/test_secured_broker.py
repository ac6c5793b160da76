"""A cluster that wants TLS and a password: every program of ours gets in with the settings, and nobody without them."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from billstream.cli.exits import Exit
from runtime.broker import EmbeddedBroker, properties
from runtime.broker.ports import choose
from runtime.clock import SystemClock

pytestmark = pytest.mark.broker
LIMIT_SECONDS = 120
USER, PASSWORD = "billstream", "correct horse battery staple"
LOGIN = "org.apache.kafka.common.security.plain.PlainLoginModule"


@pytest.fixture
async def secured(tmp_path: Path, broker_cache: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[dict[str, str]]:
    """The settings, as variables, of a broker with a second listener that is encrypted and asks for a password."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    keys = tmp_path / "broker.pem"
    issued = authority.issue_cert("127.0.0.1")
    key = load_pem_private_key(issued.private_key_pem.bytes(), password=None)
    # Kafka reads no other form of a key.
    chain = b"".join(one.bytes() for one in issued.cert_chain_pems)
    keys.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + chain)
    (tmp_path / "password").write_text(PASSWORD)
    (tmp_path / "password").chmod(0o600)
    port = choose(None, wanted_broker_port=None).broker
    plain = properties.server_properties

    def with_a_second_listener(ports: properties.Ports, seat: properties.Seat | None) -> str:
        text = plain(ports, seat)
        for name, more in {
            "listeners": f",SECURED://127.0.0.1:{port}",
            "advertised.listeners": f",SECURED://127.0.0.1:{port}",
            "listener.security.protocol.map": ",SECURED:SASL_SSL",
        }.items():
            text = "".join(
                line + more + "\n" if line.startswith(f"{name}=") else line + "\n" for line in text.splitlines()
            )
        own = "listener.name.secured."
        login = f'{LOGIN} required username="broker" password="unused" user_{USER}="{PASSWORD}";'
        return text + "".join(
            f"{own}{name}={value}\n"
            for name, value in {
                "ssl.keystore.type": "PEM",
                "ssl.keystore.location": keys,
                "sasl.enabled.mechanisms": "PLAIN",
                "plain.sasl.jaas.config": login,
            }.items()
        )

    monkeypatch.setattr(properties, "server_properties", with_a_second_listener)
    async with EmbeddedBroker(tmp_path / "broker", cache=broker_cache):
        yield {
            "BILLSTREAM_BROKERS": f"127.0.0.1:{port}",
            "BILLSTREAM_BROKER_SECURITY_PROTOCOL": "SASL_SSL",
            "BILLSTREAM_BROKER_SASL_MECHANISM": "PLAIN",
            "BILLSTREAM_BROKER_SASL_USERNAME": USER,
            "BILLSTREAM_BROKER_SASL_PASSWORD_FILE": str(tmp_path / "password"),
            "BILLSTREAM_BROKER_SSL_CA_FILE": str(tmp_path / "ca.pem"),
            "BILLSTREAM_HEALTH_PORT": "0",
        }


def run(folder: Path, environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command to its end."""
    command = [sys.executable, "-m", "billstream", *arguments]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("BILLSTREAM_")}
    return subprocess.run(
        command, cwd=folder, env=inherited | environment, capture_output=True, text=True, check=False,
        timeout=LIMIT_SECONDS,
    )  # fmt: skip


@pytest.fixture
def worker(firm: Path, secured: dict[str, str]) -> Iterator[Path]:
    """A project whose worker is at work on the secured broker, in two processes."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("BILLSTREAM_")}
    parts = (("--role", "fold"), ("--role", "sequence", "--role", "slow", "--role", "deliver"))
    running = []
    with (firm / "worker.log").open("wb") as log:
        for part in parts:
            command = [sys.executable, "-m", "billstream", "worker", *part]
            running.append(
                subprocess.Popen(
                    command, cwd=firm, env=inherited | secured, stdout=log, stderr=log, start_new_session=True
                )
            )
    yield firm
    for process in running:
        process.send_signal(signal.SIGTERM)
    assert [process.wait(LIMIT_SECONDS) for process in running] == [0, 0], (firm / "worker.log").read_text()[-2000:]


def test_a_month_is_drafted_over_tls_with_a_password(worker: Path, secured: dict[str, str]) -> None:
    """Sequence, fold, the table of hours and deliveries, the importer and the desk: all speak TLS and sign in."""
    clock = SystemClock()
    end_seconds = clock.monotonic_seconds() + LIMIT_SECONDS
    while run(worker, secured, "contracts", "apply", "--json").returncode != 0:
        assert clock.monotonic_seconds() < end_seconds, (worker / "worker.log").read_text()[-2000:]
        time.sleep(0.2)
    imported = run(worker, secured, "import", "exports", "--json")
    assert imported.returncode == 0, imported.stderr
    closed = run(worker, secured, "close", "--period", "2026-10", "--client", "pavlik", "--json")
    assert closed.returncode in (Exit.DONE, Exit.NEEDS_ATTENTION), closed.stdout + closed.stderr
    assert json.loads(closed.stdout)["documents"][0]["client"] == "pavlik"


def test_a_wrong_password_is_refused_in_a_sentence(firm: Path, secured: dict[str, str], tmp_path: Path) -> None:
    """No traceback, no password in the words, and an exit code that says whose turn it is."""
    (tmp_path / "wrong").write_text("let me in")
    (tmp_path / "wrong").chmod(0o600)
    refused = run(
        firm, secured | {"BILLSTREAM_BROKER_SASL_PASSWORD_FILE": str(tmp_path / "wrong")}, "contracts", "apply"
    )
    assert refused.returncode not in (Exit.DONE, 1), refused.stderr
    assert "Traceback" not in refused.stderr
    assert "let me in" not in refused.stdout + refused.stderr


def test_without_the_authority_the_broker_is_not_believed(firm: Path, secured: dict[str, str]) -> None:
    """A certificate that nobody we trust has signed ends the talk before the password is sent."""
    settings = {name: value for name, value in secured.items() if name != "BILLSTREAM_BROKER_SSL_CA_FILE"}
    refused = run(firm, settings, "contracts", "apply")
    assert refused.returncode not in (Exit.DONE, 1), refused.stderr
    assert "Traceback" not in refused.stderr
