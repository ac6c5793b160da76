"""What the app refuses to run, and the settings it cannot be made without."""

import logging
import ssl
from dataclasses import replace
from pathlib import Path

import faust
import pytest
from aiokafka import ConsumerRecord

from schemas.errors import ConfigurationError
from streams.engine import app as engine_app
from streams.engine.app import EngineSettings, create_app, install_batch_agent
from streams.engine.batch import Batch
from streams.engine.consumer import BatchConsumer
from streams.engine.thread import BatchConsumerThread
from streams.engine.transport import DurableProducer


class Nothing:
    """A handler that does nothing."""

    async def assigned(self, partition: int, committed: int | None) -> int | None:
        """Take the group's offset."""
        return committed

    async def process(self, batch: Batch) -> None:
        """Be done."""

    async def revoked(self, partition: int) -> None:
        """Be done."""


@pytest.fixture
def settings(tmp_path: Path) -> EngineSettings:
    """Settings that are accepted; no broker is asked before the app starts."""
    return EngineSettings("app", tmp_path, {"bootstrap_servers": "127.0.0.1:1,127.0.0.1:2"})


async def test_exactly_once_is_refused_with_the_reason(settings: EngineSettings) -> None:
    """Faust's exactly_once lost and doubled records; whoever asks for it is told so."""
    with pytest.raises(ConfigurationError, match="at_least_once"):
        create_app(replace(settings, processing_guarantee="exactly_once"))


async def test_other_versions_below_the_engine_are_refused(
    settings: EngineSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Private parts were proven for one version."""
    monkeypatch.setitem(engine_app.PINNED, "aiokafka", "0.0.1")
    with pytest.raises(ConfigurationError, match="aiokafka"):
        create_app(settings)


async def test_a_rebalance_shorter_than_a_batch_is_refused(settings: EngineSettings) -> None:
    """Otherwise the group would put us out while we finish."""
    with pytest.raises(ConfigurationError, match="rebalance"):
        create_app(replace(settings, rebalance_limit_seconds=15))


async def test_the_settings_that_protect_records_are_set(settings: EngineSettings) -> None:
    """At least once, no web server, nothing created, tables in memory, idempotent producer."""
    app = create_app(settings)
    assert app.conf.processing_guarantee.value == "at_least_once"
    assert not app.boot_strategy._should_enable_web()
    assert not app.conf.topic_allow_declare
    assert app.conf.store.scheme == "memory"
    assert app.conf.consumer_auto_offset_reset == "earliest"
    assert app.producer._settings_extra() == {"acks": "all", "enable_idempotence": True}
    assert [url.port for url in app.conf.broker_consumer] == [1, 2]


async def test_each_call_makes_a_fresh_app(settings: EngineSettings) -> None:
    """State of one app must not leak into the next."""
    first, second = create_app(settings), create_app(settings)
    install_batch_agent(first, "a", "topic", Nothing())
    assert not second.batch_agents


async def test_a_topic_has_one_batch_agent(settings: EngineSettings) -> None:
    """Two would both own the offset."""
    app = create_app(settings)
    install_batch_agent(app, "a", "topic", Nothing())
    with pytest.raises(ValueError, match="topic"):
        install_batch_agent(app, "b", "topic", Nothing())


@pytest.mark.parametrize("protocol", ["SSL", "SASL_SSL", "SASL_PLAINTEXT"])
async def test_proof_of_identity_reaches_faust(settings: EngineSettings, protocol: str) -> None:
    """TLS and SASL of the connection are used by Faust's own consumer and producer too."""
    arguments: dict[str, object] = {"bootstrap_servers": "127.0.0.1:1", "security_protocol": protocol}
    if protocol != "SASL_PLAINTEXT":
        arguments["ssl_context"] = ssl.create_default_context()
    if protocol != "SSL":
        arguments |= {
            "sasl_mechanism": "SCRAM-SHA-512", "sasl_plain_username": "worker", "sasl_plain_password": "word",
        }  # fmt: skip
    credentials = create_app(replace(settings, client_arguments=arguments)).conf.broker_credentials
    assert credentials.protocol.value == protocol
    assert isinstance(credentials, faust.SSLCredentials if protocol == "SSL" else faust.SASLCredentials)
    if protocol != "SSL":
        assert (credentials.username, credentials.mechanism.value) == ("worker", "SCRAM-SHA-512")


def test_a_batch_knows_its_ends() -> None:
    """Offsets may have gaps; the next offset is given, not counted."""
    records = [ConsumerRecord("t", 0, offset, 0, 0, b"k", b"v", None, 1, 1, ()) for offset in (3, 4, 9)]
    batch = Batch("t", 0, records, 11, 20)
    assert (batch.first_offset, batch.last_offset, batch.next_offset) == (3, 9, 11)


async def test_the_engine_starts_and_stops_without_a_word(
    settings: EngineSettings, caplog: pytest.LogCaptureFixture
) -> None:
    """What each part says of itself is for those who look closely; what goes wrong is for everybody."""
    app = create_app(settings)
    for level in (logging.INFO, logging.DEBUG):
        caplog.set_level(level)
        for part in (BatchConsumer, BatchConsumerThread, DurableProducer):
            part.logger.info("Starting %s...", part.__name__)
        app.log.info("Flush producer buffer...")
        app.log.warning("Careful")
    said = [(record.levelno, record.getMessage().split(" ", 1)[1]) for record in caplog.records]
    assert said[:1] == [(logging.WARNING, "Careful")]
    assert {level for level, _ in said[1:-1]} == {logging.DEBUG}
    assert len(said) == 6
