"""How to reach a Kafka cluster: one settings model, turned into the arguments of every aiokafka client."""

import ipaddress
import ssl
from pathlib import Path
from typing import Literal, NotRequired, Self, TypedDict

from pydantic import BaseModel, ConfigDict, Field, model_validator

from runtime.errors import Misconfigured
from runtime.secrets import Secret, read_secret_file

SecurityProtocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
SaslMechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]


class ClientArguments(TypedDict):
    """Keyword arguments that producers, consumers and admin clients of aiokafka have in common."""

    bootstrap_servers: str
    security_protocol: str
    ssl_context: NotRequired[ssl.SSLContext]
    sasl_mechanism: NotRequired[str]
    sasl_plain_username: NotRequired[str]
    sasl_plain_password: NotRequired[str]


class KafkaConnection(BaseModel):
    """Address and proof of identity. Files are read when a client is made, so a renewed certificate is seen then."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    bootstrap_servers: str = Field(
        description="Brokers to ask first, host:port, separated by commas.",
        examples=["127.0.0.1:9092", "kafka-1:9093,kafka-2:9093"],
        min_length=1,
    )
    security_protocol: SecurityProtocol = Field(
        default="PLAINTEXT",
        description="How the connection is protected.",
        examples=["SASL_SSL"],
    )
    sasl_mechanism: SaslMechanism | None = Field(
        default=None,
        description="How we prove who we are when the protocol begins with SASL.",
        examples=["SCRAM-SHA-512"],
    )
    sasl_username: str | None = Field(default=None, description="User name for SASL.", examples=["billstream"])
    sasl_password_file: Path | None = Field(
        default=None,
        description="File with the password for SASL.",
        examples=["/run/secrets/kafka_password"],
    )
    sasl_password: Secret | None = Field(
        default=None,
        description="Password for SASL when it came from the environment; the file wins.",
        examples=["***"],
    )
    ssl_ca_file: Path | None = Field(
        default=None,
        description="Certificates that may sign the brokers' ones; the system's when empty.",
        examples=["/etc/billstream/ca.pem"],
    )
    ssl_cert_file: Path | None = Field(
        default=None,
        description="Our own certificate, when brokers ask for one.",
        examples=["/etc/billstream/client.pem"],
    )
    ssl_key_file: Path | None = Field(
        default=None,
        description="Key of our own certificate.",
        examples=["/run/secrets/client_key"],
    )

    @property
    def uses_sasl(self) -> bool:
        """Whether we send a user name and prove it."""
        return self.security_protocol.startswith("SASL")

    @property
    def uses_tls(self) -> bool:
        """Whether the connection is encrypted and the brokers' names are checked."""
        return self.security_protocol.endswith("SSL")

    def client_arguments(self) -> ClientArguments:
        """Arguments for any aiokafka client; raises Misconfigured when a file named here cannot be used."""
        arguments = ClientArguments(
            bootstrap_servers=self.bootstrap_servers,
            security_protocol=self.security_protocol,
        )
        if self.uses_tls:
            arguments["ssl_context"] = self._ssl_context()
        if self.uses_sasl:
            arguments["sasl_mechanism"] = self.sasl_mechanism or "PLAIN"
            arguments["sasl_plain_username"] = self.sasl_username or ""
            arguments["sasl_plain_password"] = self._password().reveal()
        return arguments

    @model_validator(mode="after")
    def _settings_fit_together(self) -> Self:
        proofs = (self.sasl_mechanism, self.sasl_username, self.sasl_password_file or self.sasl_password)
        if self.uses_sasl and not all(proofs):
            raise ValueError(f"{self.security_protocol} needs sasl_mechanism, sasl_username and a password (file)")
        if not self.uses_sasl and any(proofs):
            raise ValueError(f"SASL settings have no effect with {self.security_protocol}; use SASL_SSL")
        if not self.uses_tls and (self.ssl_ca_file or self.ssl_cert_file or self.ssl_key_file):
            raise ValueError(f"certificates have no effect with {self.security_protocol}; use SSL or SASL_SSL")
        if bool(self.ssl_cert_file) != bool(self.ssl_key_file):
            raise ValueError("ssl_cert_file and ssl_key_file belong together")
        if self.security_protocol == "SASL_PLAINTEXT" and self.sasl_mechanism == "PLAIN" and not self._is_loopback():
            raise ValueError("PLAIN over SASL_PLAINTEXT sends the password readable over the network; use SASL_SSL")
        return self

    def _is_loopback(self) -> bool:
        return all(_is_loopback(server.rsplit(":", 1)[0].strip()) for server in self.bootstrap_servers.split(","))

    def _password(self) -> Secret:
        if self.sasl_password_file is not None:
            return read_secret_file(self.sasl_password_file, name="sasl_password_file")
        assert self.sasl_password is not None, "checked when the settings were read"
        return self.sasl_password

    def _ssl_context(self) -> ssl.SSLContext:
        try:
            context = ssl.create_default_context(cafile=self.ssl_ca_file)
            if self.ssl_cert_file is not None and self.ssl_key_file is not None:
                # A protected key would ask on the terminal and hang a service; the empty answer makes it an error.
                context.load_cert_chain(self.ssl_cert_file, self.ssl_key_file, password="")
        except (OSError, ValueError) as error:
            raise Misconfigured(
                "kafka-certificate-unusable",
                "The certificates for Kafka cannot be used: "
                f"{error.strerror or error if isinstance(error, OSError) else error}.",
                "Check ssl_ca_file, ssl_cert_file and ssl_key_file: they must be readable PEM files that fit together.",
                detail=f"{self.ssl_ca_file} {self.ssl_cert_file} {self.ssl_key_file}: {error!r}",
            ) from error
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
