"""What the programs of this folder share: stock Faust with the settings of its own guide, and one line of JSON for each
thing a test waits for.
"""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import faust

# Faust writes its banner where the lines for the test go, so those get a way of their own.
_lines = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)


@dataclass(frozen=True)
class Options:
    """What the test's rig gives: topics and a folder, and what a single program asks for."""

    servers: str
    folder: str
    name: str
    group: str
    source: str
    first: str
    second: str
    late: str = ""
    guarantee: str = "at_least_once"
    commit_seconds: float = 0.2
    port: int = 0
    requests: int = 0
    rows: int = 10
    waits: bool = False
    look_milliseconds: int = 300_000


def given() -> Options:
    """The options of this process."""
    return Options(**json.loads(sys.argv[1]))


def say(**what: object) -> None:
    """One line for the test to read."""
    _lines.write(json.dumps(what) + "\n")
    _lines.flush()


def app_for(options: Options, **settings: object) -> faust.App:
    """An app as Faust's guide makes it, on two partitions."""
    return faust.App(
        options.group,
        broker=[f"kafka://{address}" for address in options.servers.split(",")],
        processing_guarantee=options.guarantee,
        broker_commit_interval=options.commit_seconds,
        # A worker that was killed is back at once; the group does not wait for the end of its session.
        consumer_group_instance_id=Path(options.folder).name,
        datadir=options.folder,
        topic_partitions=2,
        autodiscover=False,
        **settings,
    )


def raw(app: faust.App, topic: str) -> faust.TopicT:
    """A topic of bytes."""
    return app.topic(topic, key_type=bytes, value_type=bytes, value_serializer="raw")


def run(app: faust.App, *arguments: str) -> None:
    """Run it as people do, by Faust's own command line."""
    sys.argv = ["faust", "-l", "warn", "worker", *arguments]
    app.main()
