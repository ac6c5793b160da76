"""What a backup holds: a list of its files with their hashes, the offsets they reach, and what wrote them.

The list is written last and replaced whole: files that it does not name are no part of the backup.
"""

from importlib.resources import files
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from runtime.errors import Misconfigured
from runtime.files import replace
from runtime.kafka.segments import measure
from schemas.values import Instant

MANIFEST = "manifest.json"
FORM = "billstream.backup/1"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class KeptFile(_Part):
    """A file below the backup's folder."""

    path: str
    size_bytes: int
    digest: str

    def problem(self, folder: Path) -> str:
        """What is wrong with the file as it lies there now; empty when it is whole."""
        place = folder / self.path
        if not place.is_file():
            return f"{self.path} is missing"
        size_bytes, digest = measure(place)
        return "" if (size_bytes, digest) == (self.size_bytes, self.digest) else f"{self.path} was changed or cut"


class KeptSegment(KeptFile):
    """Records of one partition with `begin <= offset < end`; a log may have gaps, so `records` may be fewer."""

    topic: str
    partition: int
    begin: int
    end: int
    records: int


class KeptStore(KeptFile):
    """A copy of the rows of a partition, up to `next_offset` of its journal."""

    partition: int
    next_offset: int
    fold_version: str


class KeptOffset(_Part):
    """Where a group goes on in a partition; offsets are those of the cluster that was backed up."""

    group: str
    topic: str
    partition: int
    offset: int


class KeptTopic(_Part):
    """A topic and how many partitions it has."""

    name: str
    partitions: int


class Manifest(_Part):
    """Everything that a backup holds."""

    form: str = FORM
    backup_id: str
    taken_at: Instant
    written_by: str
    fold_version: str
    schema_ids: tuple[int, ...]
    cluster_id: str
    application_id: str
    tenant: str
    book: str
    partitions: int
    topics: tuple[KeptTopic, ...]
    segments: tuple[KeptSegment, ...]
    stores: tuple[KeptStore, ...]
    offsets: tuple[KeptOffset, ...]
    project: tuple[KeptFile, ...]
    """Settings, directory, contracts and rates; below two folders stand their places in the project's folder."""
    schemas: tuple[KeptFile, ...]

    @property
    def all_files(self) -> tuple[KeptFile, ...]:
        """All files but this list itself."""
        return (*self.segments, *self.stores, *self.project, *self.schemas)

    def of(self, topic: str, partition: int) -> tuple[KeptSegment, ...]:
        """The segments of a partition, in order."""
        mine = [one for one in self.segments if (one.topic, one.partition) == (topic, partition)]
        return tuple(sorted(mine, key=lambda one: one.begin))

    def in_project(self, one: KeptFile) -> Path:
        """Where a file of the project belongs below the project's folder."""
        return Path(*Path(one.path).parts[2:])

    def end_of(self, topic: str, partition: int) -> int | None:
        """Up to which offset a partition is in the backup; None when nothing of it is."""
        mine = self.of(topic, partition)
        return mine[-1].end if mine else None


def read_manifest(folder: Path) -> Manifest:
    """The list of a backup; raises Misconfigured when the folder holds none that is whole."""
    path = folder / MANIFEST
    try:
        found = Manifest.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        message = f"{folder} holds no whole backup: there is no {MANIFEST}."
        raise Misconfigured("backup_missing", message, "A backup that was interrupted: run it again.") from None
    except ValidationError as error:
        raise Misconfigured(
            "backup_damaged",
            f"{path} is not what a backup writes.",
            "Take another copy of the backup, or the version of Billstream that wrote it.",
            detail=str(error),
        ) from error
    if found.form != FORM:
        message = f"{path} has the form {found.form}; this version reads {FORM}."
        raise Misconfigured("backup_damaged", message, "Restore it with the version that wrote it.")
    return found


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Put the list in place, whole."""
    replace(folder / MANIFEST, manifest.model_dump_json(indent=1).encode() + b"\n", mode=0o600)


def kept_file(folder: Path, path: Path) -> KeptFile:
    """A file that lies below the backup's folder."""
    size_bytes, digest = measure(path)
    return KeptFile(path=path.relative_to(folder).as_posix(), size_bytes=size_bytes, digest=digest)


def problems(folder: Path, manifest: Manifest) -> list[str]:
    """What is wrong with the files of a backup; every byte is read."""
    return [problem for one in manifest.all_files if (problem := one.problem(folder))]


def released_schemas() -> dict[str, bytes]:
    """File name -> content of every Avro schema that was ever released: with them anybody can read the records."""
    return {one.name: one.read_bytes() for one in files("schemas").joinpath("avsc", "released").iterdir()}


def schema_id_of(name: str) -> int:
    """The id in the name of a released schema's file."""
    return int(name.split("-", 1)[0])
