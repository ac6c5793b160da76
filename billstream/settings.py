"""The one typed tree of settings: `billstream.yaml` with `BILLSTREAM_*` of the environment laid over it.

Read once at start and passed down. Unknown keys and unknown variables are errors. Secrets are never in it: a secret is
the path of a file. Rules for clients (caps, rates) are not settings but dated contracts.
"""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from sinks.json_file.settings import JsonFileSettings
from sinks.ledes_1998b.settings import Ledes1998bSettings
from sinks.pdf.settings import PdfSettings

SETTINGS_FILE = "billstream.yaml"
ENVIRONMENT_PREFIX = "BILLSTREAM_"
NAME_PATTERN = r"^[a-z0-9][a-z0-9_-]{0,39}$"


def _known_zone(zone: str) -> str:
    if zone not in available_timezones():
        from billstream.configuration.problems import nearest

        hint = nearest(zone, available_timezones())
        raise ValueError(f"'{zone}' is not a time zone of the IANA database" + (f"; {hint}" if hint else ""))
    return zone


Zone = Annotated[str, AfterValidator(_known_zone)]
Name = Annotated[str, Field(pattern=NAME_PATTERN)]


class Group(BaseModel):
    """A frozen group of settings; unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SecurityProtocol(StrEnum):
    """How the broker is spoken to."""

    PLAINTEXT = "PLAINTEXT"
    SSL = "SSL"
    SASL_PLAINTEXT = "SASL_PLAINTEXT"
    SASL_SSL = "SASL_SSL"


class BrokerSettings(Group):
    """The Kafka cluster; without `servers` Billstream starts its own broker in the data folder."""

    servers: str = Field(
        default="",
        description="Host and port of one or more brokers, separated by commas. Empty means the embedded broker.",
        examples=["kafka-1.example:9093,kafka-2.example:9093"],
    )
    security_protocol: SecurityProtocol = Field(
        default=SecurityProtocol.PLAINTEXT,
        description="Encryption and sign-in of the connection.",
        examples=["SASL_SSL"],
    )
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        default="SCRAM-SHA-512", description="How we sign in, with a SASL protocol.", examples=["SCRAM-SHA-512"]
    )
    sasl_username: str = Field(default="", description="The user to sign in as.", examples=["billstream-worker"])
    sasl_password_file: Path | None = Field(
        default=None, description="File that holds the password.", examples=["/run/secrets/kafka_password"]
    )
    ssl_ca_file: Path | None = Field(
        default=None,
        description="Certificates to trust; the system's when empty.",
        examples=["/run/secrets/kafka_ca.pem"],
    )
    ssl_cert_file: Path | None = Field(
        default=None, description="Our certificate, for mutual TLS.", examples=["/run/secrets/kafka_client.pem"]
    )
    ssl_key_file: Path | None = Field(
        default=None, description="The key of our certificate.", examples=["/run/secrets/kafka_client.key"]
    )
    replication_factor: int = Field(
        default=1,
        ge=1,
        le=7,
        description="Copies of each topic; 3 on a cluster of three or more brokers.",
        examples=[3],
    )

    @model_validator(mode="after")
    def _whole_sign_in(self) -> Self:
        if self.security_protocol.value.startswith("SASL") and not (self.sasl_username and self.sasl_password_file):
            raise ValueError(f"{self.security_protocol.value} needs sasl_username and sasl_password_file")
        return self


class SourceKind(StrEnum):
    """What a file of this source looks like."""

    TOGGL_CSV = "toggl-csv"
    HARVEST_CSV = "harvest-csv"
    CLOCKIFY_CSV = "clockify-csv"
    TABLE = "table"
    JSON_LINES = "json-lines"


class SourceSettings(Group):
    """One place entries come from: exports of one account, imported by hand or from a watched folder."""

    kind: SourceKind = Field(description="The form of its files.", examples=["toggl-csv"])
    account: Name = Field(description="Name of the account; part of each entry's identity.", examples=["studio"])
    zone: Zone | None = Field(
        default=None, description="Zone of clock times without one; else the firm's.", examples=["Europe/Berlin"]
    )
    folder: Path | None = Field(default=None, description="Folder to watch for new files.", examples=["inbox/toggl"])
    mapping: Path | None = Field(
        default=None, description="Declared mapping of columns, for kind `table`.", examples=["mappings/costs.yaml"]
    )
    date_order: Literal["dmy", "mdy", "ymd"] | None = Field(
        default=None, description="Order of numeric dates, when the files leave it open.", examples=["dmy"]
    )
    date_format: str = Field(default="", description="Exact form of dates.", examples=["%d.%m.%y"])
    decimal_mark: Literal["comma", "point"] | None = Field(
        default=None, description="Decimal sign, when the files leave it open.", examples=["comma"]
    )
    duration_unit: Literal["hours", "minutes", "seconds", "days"] | None = Field(
        default=None, description="What a plain number as duration counts.", examples=["hours"]
    )
    person: str = Field(default="", description="Whose time it is, when the files do not say.", examples=["dana"])

    @model_validator(mode="after")
    def _table_has_mapping(self) -> Self:
        if (self.kind is SourceKind.TABLE) != (self.mapping is not None):
            raise ValueError("a source of kind 'table' needs `mapping`, and only that kind has one")
        return self


class JsonFiles(JsonFileSettings):
    """A sink of kind `json`: whole documents as JSON files."""

    kind: Literal["json"] = Field(description="What is written: documents as JSON.", examples=["json"])


class LedesFiles(Ledes1998bSettings):
    """A sink of kind `ledes`: e-billing files in LEDES 1998B."""

    kind: Literal["ledes"] = Field(description="What is written: LEDES 1998B.", examples=["ledes"])


class PdfFiles(PdfSettings):
    """A sink of kind `pdf`: invoices on the firm's paper."""

    kind: Literal["pdf"] = Field(description="What is written: documents as PDF.", examples=["pdf"])


SinkSettings = Annotated[JsonFiles | LedesFiles | PdfFiles, Field(discriminator="kind")]


class PolicySettings(Group):
    """What may happen without a person."""

    decision_wait_minutes: int = Field(
        default=5, ge=0, le=10_080, description="How long a close waits for missing decisions.", examples=[60]
    )


class TickSettings(Group):
    """The clock that the fold sees."""

    interval_seconds: int = Field(default=60, ge=1, le=3_600, description="Time between two ticks.", examples=[60])


class SnapshotSettings(Group):
    """Copies of the workers' stores: a worker that takes a partition over begins at the newest one."""

    folder: Path | None = Field(
        default=None,
        description="Folder that all workers reach; empty takes none, and a new store is built from the journal.",
        examples=["/mnt/billstream/snapshots"],
    )
    every_records: int = Field(
        default=100_000,
        ge=1_000,
        description="Journal records of a partition between two snapshots.",
        examples=[100000],
    )


class DeliverySettings(Group):
    """How much a worker delivers side by side; a sink that hangs holds up no other."""

    at_once: int = Field(
        default=4, ge=1, le=64, description="Documents on their way to one sink at the same time.", examples=[4]
    )
    held_mebibytes: int = Field(
        default=64,
        ge=1,
        le=4_096,
        description="Requests that a worker may hold, waiting ones as well; while they are more, none is read.",
        examples=[64],
    )


class WatchSettings(Group):
    """How watched folders are looked at."""

    interval_seconds: int = Field(default=5, ge=1, le=3_600, description="Time between two looks.", examples=[5])
    settle_seconds: int = Field(
        default=2, ge=0, le=600, description="A file must be unchanged for so long before it is read.", examples=[2]
    )


class ImportSettings(Group):
    """How a back-fill, an import of many entries, makes room for live work."""

    live_lag_seconds: int = Field(
        default=2,
        ge=1,
        le=3_600,
        description="An import waits while the oldest record that the workers have not done is older than this.",
        examples=[2],
    )
    ahead_records: int = Field(
        default=5_000,
        ge=1_000,
        description="Records of an import that may be on their way before the workers have done them.",
        examples=[5000],
    )


class HealthSettings(Group):
    """The address of metrics and health; loopback unless you say otherwise."""

    host: str = Field(default="127.0.0.1", description="Address to listen on.", examples=["127.0.0.1"])
    port: int = Field(
        default=9464, ge=0, le=65_535, description="Port to listen on; 0 picks a free one.", examples=[9464]
    )


class Settings(Group):
    """Everything one installation is told; paths are relative to the folder of `billstream.yaml`."""

    tenant: Name = Field(
        default="local", description="Who this installation belongs to; part of every id.", examples=["harbour"]
    )
    book: Name = Field(
        default="main", description="The firm or legal entity whose invoices are counted together.", examples=["berlin"]
    )
    zone: Zone = Field(default="UTC", description="The firm's time zone.", examples=["Europe/Berlin"])
    person: str = Field(
        default="",
        max_length=80,
        description="Who gives commands from this machine, when --as is not used.",
        examples=["dana"],
    )
    data_folder: Path = Field(
        default=Path(".billstream"),
        description="Broker, stores and downloads; all of it but the broker's can be deleted.",
        examples=[".billstream"],
    )
    cache_folder: Path | None = Field(
        default=None,
        description="Downloads that all projects share; else `billstream` in the user's cache.",
        examples=["/var/cache/billstream"],
    )
    directory: Path = Field(
        default=Path("directory"), description="Folder of clients, people and roles.", examples=["directory"]
    )
    contracts: Path = Field(default=Path("contracts"), description="Folder of contracts.", examples=["contracts"])
    exchange_rates: Path = Field(
        default=Path("exchange-rates.yaml"),
        description="File of exchange rates; may be missing.",
        examples=["rates.yaml"],
    )
    partitions: int = Field(
        default=4,
        ge=1,
        le=256,
        description="Partitions of each topic; fixed for the life of an installation.",
        examples=[12],
    )
    broker: BrokerSettings = Field(default=BrokerSettings(), description="The Kafka cluster.")
    sources: Mapping[Name, SourceSettings] = Field(default={}, description="Where entries come from, by name.")
    sinks: Mapping[Name, SinkSettings] = Field(
        default={"json": JsonFiles(kind="json", folder=Path("drafts"))},
        description="Where documents go, by name.",
    )
    policy: PolicySettings = Field(default=PolicySettings(), description="What may happen without a person.")
    ticks: TickSettings = Field(default=TickSettings(), description="The clock that the fold sees.")
    snapshots: SnapshotSettings = Field(
        default=SnapshotSettings(), description="Copies of the workers' stores for those who take over."
    )
    deliveries: DeliverySettings = Field(
        default=DeliverySettings(), description="How much a worker delivers side by side."
    )
    watch: WatchSettings = Field(default=WatchSettings(), description="How watched folders are looked at.")
    imports: ImportSettings = Field(default=ImportSettings(), description="How imports make room for live work.")
    health: HealthSettings = Field(default=HealthSettings(), description="The address of metrics and health.")


# Short names of the environment that do not follow from the tree.
SHORT_VARIABLES = {"BILLSTREAM_BROKERS": "broker.servers", "BILLSTREAM_CACHE": "cache_folder"}
# Variables that belong to other parts of the program or to its packaging.
FOREIGN_VARIABLES = frozenset({"BILLSTREAM_DEBUG", "BILLSTREAM_FAILPOINTS", "BILLSTREAM_REVISION"})


class Installation(BaseModel):
    """Settings and the folder they stand in; every path of the settings is meant below it."""

    model_config = ConfigDict(frozen=True)

    folder: Path
    settings: Settings

    def path(self, path: Path) -> Path:
        """A path of the settings as an absolute one."""
        return (self.folder / path).resolve()

    @property
    def data_folder(self) -> Path:
        """Where broker and stores live."""
        return self.path(self.settings.data_folder)


def variables(model: type[BaseModel] = Settings, prefix: str = "") -> dict[str, str]:
    """Environment variables and the setting each one sets, as dotted places; lists by name have none."""
    found: dict[str, str] = dict(SHORT_VARIABLES) if not prefix else {}
    for name, field in model.model_fields.items():
        place = f"{prefix}{name}"
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            found |= variables(inner, f"{place}.")
        elif place not in {"sources", "sinks"}:
            found[ENVIRONMENT_PREFIX + place.replace(".", "_").upper()] = place
    return found


def load_settings(folder: Path, environment: Mapping[str, str]) -> Installation:
    """Read `billstream.yaml` of a folder (or the file itself) and the environment; InvalidFiles names what is wrong.

    Without a file all settings have their defaults.
    """
    from billstream.configuration.source import Mapping as Tree
    from billstream.configuration.source import read_file
    from billstream.configuration.validate import validate

    path = folder if folder.is_file() else folder / SETTINGS_FILE
    root = read_file(path, path.parent) if path.exists() else Tree(SETTINGS_FILE, 1, 1)
    _overlay(root, environment)
    return Installation(folder=path.parent.resolve(), settings=validate(root, Settings))


def _overlay(root: object, environment: Mapping[str, str]) -> None:
    """Lay the variables over the tree; an unknown BILLSTREAM_ variable is an error, like an unknown key."""
    from billstream.configuration.problems import InvalidFiles, Problem, nearest
    from billstream.configuration.source import Mapping as Tree
    from billstream.configuration.source import Scalar

    known = variables()
    for variable in sorted(environment):
        if not variable.startswith(ENVIRONMENT_PREFIX) or variable in FOREIGN_VARIABLES:
            continue
        if variable not in known:
            message = f"unknown variable {variable}"
            raise InvalidFiles([Problem("environment", 0, 0, message, nearest(variable, known))])
        node = root
        *groups, last = known[variable].split(".")
        for group in groups:
            assert isinstance(node, Tree), "settings are groups of groups"
            node = node.members.setdefault(group, Tree(SETTINGS_FILE, 1, 1))
        if isinstance(node, Tree):
            node.members[last] = Scalar(variable, 0, 0, environment[variable], quoted=False)
