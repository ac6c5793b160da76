"""A worker's place on its host: a folder of its own for each set of roles, held by locks, and the name it keeps."""

import fcntl
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TextIO

from schemas.canonical import content_hash
from schemas.errors import ConfigurationError

WORKERS_MAX = 64
_HELD: list[TextIO] = []
"""All locks of this process: one that nobody refers to would be closed with its file, and given up so, in silence."""


class Role(StrEnum):
    """What a worker process does; all of it by default. Each role is a consumer group of its own."""

    SEQUENCE = "sequence"
    FOLD = "fold"
    SLOW = "slow"
    DELIVER = "deliver"


@dataclass(frozen=True)
class Slot:
    """A worker's own folder on this host; what it does there is held by locks until the process ends.

    `name` is the same after a restart, and no other worker of any host has it: its groups know it again by that.
    """

    folder: Path
    locks: tuple[TextIO, ...]
    name: str


def take_slot(data_folder: Path, roles: Iterable[Role]) -> Slot:
    """The first worker folder below the data folder in which nobody has one of these roles.

    It is the same again after a restart, so its stores are used. Processes with different roles share a folder.
    Raises ConfigurationError when all are taken.
    """
    for number in range(1, WORKERS_MAX + 1):
        folder = data_folder / "workers" / f"{number:02d}"
        folder.mkdir(parents=True, exist_ok=True)
        locks = [(folder / f"{role.value}.lock").open("w") for role in sorted(roles)]
        try:
            for lock in locks:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            for lock in locks:
                lock.close()
            continue
        _HELD.extend(locks)
        return Slot(folder, tuple(locks), f"{_name_of(data_folder)}-{number:02d}")
    raise ConfigurationError(
        "workers_too_many",
        f"{WORKERS_MAX} workers already use {data_folder}.",
        "Stop some, or give this one another data folder.",
    )


def _name_of(data_folder: Path) -> str:
    """The host and the folder: a cluster may serve two folders of one host, and one path on two hosts."""
    folder = content_hash({"folder": str(data_folder.resolve())})[:12]
    return f"{socket.gethostname()}-{folder}"
