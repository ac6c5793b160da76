"""Writes `jars.toml`, with which the job in Kafka Streams is compiled and run; `python -m bench.fold.pin` does it."""

from bench.fold.environment import JARS_FILE
from runtime.broker.pin import resolve
from runtime.files import replace

COORDINATES = (
    "org.apache.kafka:kafka-streams:4.3.1",
    "org.apache.kafka:kafka-clients:4.3.1",
    "org.apache.avro:avro:1.12.1",
    "org.slf4j:slf4j-nop:1.7.36",  # the logging of Kafka's clients, switched off
    "org.eclipse.jdt:ecj:3.44.0",  # the Java runtime we carry has no compiler
)

if __name__ == "__main__":
    replace(JARS_FILE, resolve(COORDINATES).encode(), mode=0o644)
