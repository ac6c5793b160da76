"""Writes `jars.toml`, Kafka's jars with size and SHA-256; `python -m runtime.broker.pin` after a change of version.

The list is reviewed and shipped, so a start trusts neither the network nor what the resolver happens to pick that day.
"""

import hashlib
import tempfile
from collections.abc import Sequence
from pathlib import Path

from runtime.broker.jars import PINNED_FILE
from runtime.files import replace

# `kafka-clients` is named because the resolver otherwise picks an old one; design section 4 has the story.
COORDINATES = (
    "org.apache.kafka:kafka_2.13:4.3.1",
    "org.apache.kafka:kafka-clients:4.3.1",
    "org.apache.logging.log4j:log4j-slf4j-impl:2.24.3",
)


def resolve(coordinates: Sequence[str] = COORDINATES) -> str:
    """Ask the resolver for everything the coordinates need and return the text of a list; needs the network."""
    import jgo

    lines = ["# Written by runtime/broker/pin.py; the order is the class path."]
    with tempfile.TemporaryDirectory() as folder:
        environment = jgo.build("+".join(coordinates), cache_dir=Path(folder))
        lockfile = environment.lockfile
        assert lockfile is not None, "the resolver writes its lock file with the environment"
        by_digest = {jar.sha256: jar for jar in lockfile.dependencies}
        for path in sorted(environment.all_jars, key=lambda jar: str(jar.name)):
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            jar = by_digest[digest]
            lines += [
                "",
                "[[jar]]",
                f'coordinate = "{jar.groupId}:{jar.artifactId}:{jar.version}"',
                f"size_bytes = {path.stat().st_size}",
                f'sha256 = "{digest}"',
            ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    replace(PINNED_FILE, resolve().encode(), mode=0o644)
