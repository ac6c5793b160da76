"""Which jars make a broker: the pinned list, read from `jars.toml`."""

import hashlib
import tomllib
from dataclasses import dataclass
from pathlib import Path

PINNED_FILE = Path(__file__).with_name("jars.toml")
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Jar:
    """One jar of the class path and what it must be, to the byte."""

    coordinate: str
    size_bytes: int
    sha256: str

    @property
    def file_name(self) -> str:
        """Name in the cache folder, as in the public repository."""
        _, artifact, version = self.coordinate.split(":")
        return f"{artifact}-{version}.jar"

    def matches(self, path: Path) -> bool:
        """Whether the file is there and is this jar; a shorter, longer or changed file is not."""
        if not path.is_file() or path.stat().st_size != self.size_bytes:
            return False
        digest = hashlib.sha256()
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
        return digest.hexdigest() == self.sha256


def pinned_jars(file: Path = PINNED_FILE) -> tuple[Jar, ...]:
    """The jars of a pinned list, by default those of the shipped Kafka version, in class path order."""
    document = tomllib.loads(file.read_text(encoding="utf-8"))
    return tuple(Jar(row["coordinate"], row["size_bytes"], row["sha256"]) for row in document["jar"])


def kafka_version(jars: tuple[Jar, ...]) -> str:
    """Kafka's own version among the pinned jars, such as `4.3.1`."""
    return next(jar.coordinate.rsplit(":", 1)[1] for jar in jars if ":kafka-clients:" in jar.coordinate)
