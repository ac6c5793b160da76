"""`backup`: a consistent copy of an installation while it runs; a second call into the same folder adds what is new.

Files get their names when they are whole, never change afterwards, and count once the list of the backup names them: a
call that is interrupted leaves the backup before it as it was.
"""

import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from billstream.follower_store import cluster_of
from billstream.keeping.installation import StorePlace, stores_of
from billstream.keeping.manifest import (
    MANIFEST,
    KeptFile,
    KeptOffset,
    KeptSegment,
    KeptStore,
    KeptTopic,
    Manifest,
    kept_file,
    read_manifest,
    released_schemas,
    schema_id_of,
    write_manifest,
)
from billstream.keeping.parts import FOR_EVER, groups, steps
from billstream.settings import SETTINGS_FILE, Installation
from books.stores.view import StoreView
from books.version import FOLD_VERSION
from runtime.errors import InUse, Misconfigured
from runtime.failpoints import failpoint
from runtime.files import make_folder, replace, sync_folder
from runtime.kafka import KafkaConnection, Span, spans
from runtime.kafka.groups import committed_offsets
from runtime.kafka.reading import PartitionReader, partition_reader
from runtime.kafka.segments import SegmentWriter, kept, measure
from schemas.canonical import content_hash

RECORDS_FOLDER = "records"
STORES_FOLDER = "stores"
PROJECT_FOLDER = "project"
SCHEMAS_FOLDER = "schemas"
LOCK_FILE = "lock"
ID_DIGITS = 16
OnSaved = Callable[[int, int], None]
Ends = Mapping[tuple[str, int], Span]


@dataclass(frozen=True)
class Saved:
    """A finished backup, and how many of its records are new."""

    manifest: Manifest
    new_records: int


@dataclass(frozen=True)
class _Cut:
    """What was looked at, in the order of `parts`."""

    stores: tuple[KeptStore, ...]
    offsets: tuple[KeptOffset, ...]
    ends: Ends


@dataclass
class Backup:
    """One call of `backup` into a folder."""

    folder: Path
    installation: Installation
    connection: KafkaConnection
    application_id: str
    taken_at: datetime
    on_saved: OnSaved = lambda done, total: None
    _new_records: int = field(default=0, init=False)

    async def take(self) -> Saved:
        """Copy what is new and write the list.

        Raises Misconfigured when the folder holds the backup of another installation or something else, and
        when records that the broker has to keep for ever are gone.
        """
        make_folder(self.folder).chmod(0o700)
        with _held(self.folder):
            cluster_id = await cluster_of(self.connection)
            before = self._before(cluster_id)
            cut = await self._look(cluster_id)
            segments = await self._records(before, cut.ends)
            manifest = self._manifest(cluster_id, cut, segments)
            failpoint("backup_before_list")
            write_manifest(self.folder, manifest)
            self._tidy(manifest)
        return Saved(manifest, self._new_records)

    def _before(self, cluster_id: str) -> Manifest | None:
        """The backup that is continued; None for a new one."""
        if not (self.folder / MANIFEST).exists():
            strange = [one.name for one in self.folder.iterdir() if one.name not in _OURS]
            if strange:
                message = f"{self.folder} holds something else: {', '.join(sorted(strange)[:3])}."
                raise Misconfigured("backup_folder_used", message, "Name a new folder, or an earlier backup.")
            return None
        before = read_manifest(self.folder)
        settings = self.installation.settings
        mine = (cluster_id, settings.tenant, settings.book, settings.partitions)
        if mine != (before.cluster_id, before.tenant, before.book, before.partitions):
            message = f"{self.folder} is the backup of another installation ({before.tenant}/{before.book})."
            raise Misconfigured("backup_folder_used", message, "Name a new folder; a restored cluster needs one, too.")
        return before

    async def _look(self, cluster_id: str) -> _Cut:
        stores = tuple(self._store(place) for place in newest(stores_of(self.installation.data_folder)))
        offsets = tuple(
            KeptOffset(group=group, topic=topic, partition=partition, offset=offset)
            for group, places in (await committed_offsets(self.connection, groups(self.application_id))).items()
            for (topic, partition), offset in sorted(places.items())
        )
        ends: dict[tuple[str, int], Span] = {}
        for topics in steps(self.application_id):
            ends |= await spans(self.connection, topics)
        return _Cut(stores, offsets, ends)

    def _store(self, place: StorePlace) -> KeptStore:
        """The committed rows as a file of their own, while their owner goes on."""
        folder = make_folder(self.folder / STORES_FOLDER)
        part = folder / f".{place.partition:04d}.part"
        part.unlink(missing_ok=True)
        reader = sqlite3.connect(f"{place.path.resolve().as_uri()}?mode=ro", uri=True)
        try:
            reader.execute("VACUUM INTO ?", (str(part),))
        finally:
            reader.close()
        with StoreView(part) as view:
            position = view.position
        with part.open("rb") as file:
            os.fsync(file.fileno())
        size_bytes, digest = measure(part)
        # Its hash is in its name, so that it never takes the place of a file that the list before names.
        path = folder / f"{place.partition:04d}-{position.next_offset:020d}-{digest[:ID_DIGITS]}.sqlite"
        part.replace(path)
        return KeptStore(
            path=path.relative_to(self.folder).as_posix(),
            size_bytes=size_bytes,
            digest=digest,
            partition=place.partition,
            next_offset=position.next_offset,
            fold_version=position.fold_version,
        )

    async def _records(self, before: Manifest | None, ends: Ends) -> tuple[KeptSegment, ...]:
        """The segments of the backup before, and one more for each partition that has new records."""
        segments = list(before.segments if before else ())
        todo = [
            (topic, partition, _begin(before, topic, partition, span), span.end)
            for (topic, partition), span in sorted(ends.items())
        ]
        total = sum(end - begin for _, _, begin, end in todo)
        async with partition_reader(self.connection) as reader:
            for topic, partition, begin, end in todo:
                if begin < end:
                    segments.append(await self._segment(reader, topic, partition, begin, end))
                    self.on_saved(self._new_records, total)
        return tuple(segments)

    async def _segment(self, reader: PartitionReader, topic: str, partition: int, begin: int, end: int) -> KeptSegment:
        path = self.folder / RECORDS_FOLDER / topic / f"{partition:04d}-{begin:020d}-{end:020d}.records"
        writer = SegmentWriter(path)
        try:
            async for raw in reader.read(topic, partition, begin, end):
                writer.write(map(kept, raw))
            sealed = writer.seal()
        finally:
            writer.discard()
        if topic in FOR_EVER and sealed.records != end - begin:
            raise _gone(topic, partition, begin, end, sealed.records)
        self._new_records += sealed.records
        return KeptSegment(
            path=path.relative_to(self.folder).as_posix(),
            size_bytes=sealed.size_bytes,
            digest=sealed.digest,
            topic=topic,
            partition=partition,
            begin=begin,
            end=end,
            records=sealed.records,
        )

    def _manifest(self, cluster_id: str, cut: _Cut, segments: tuple[KeptSegment, ...]) -> Manifest:
        settings = self.installation.settings
        schemas = self._schemas()
        identity = {"cluster": cluster_id, "at": self.taken_at.isoformat()}
        return Manifest(
            backup_id=content_hash(identity)[:ID_DIGITS],
            taken_at=self.taken_at,
            written_by=version("billstream"),
            fold_version=FOLD_VERSION,
            schema_ids=tuple(sorted(map(schema_id_of, released_schemas()))),
            cluster_id=cluster_id,
            application_id=self.application_id,
            tenant=settings.tenant,
            book=settings.book,
            partitions=settings.partitions,
            topics=tuple(
                KeptTopic(name=topic, partitions=sum(name == topic for name, _ in cut.ends))
                for topic in sorted({topic for topic, _ in cut.ends})
            ),
            segments=segments,
            stores=cut.stores,
            offsets=cut.offsets,
            project=self._project(),
            schemas=schemas,
        )

    def _project(self) -> tuple[KeptFile, ...]:
        """The files that a person wrote. Secrets are never in them: settings only name their files."""
        target = self.folder / PROJECT_FOLDER / f"{self.taken_at:%Y%m%dT%H%M%S%fZ}"
        return tuple(
            _copied(self.folder, self.installation.folder / name, target / name)
            for name in project_files(self.installation)
        )

    def _schemas(self) -> tuple[KeptFile, ...]:
        """All released schemas, as files of the backup."""
        target = make_folder(self.folder / SCHEMAS_FOLDER)
        kept_files = []
        for name, content in sorted(released_schemas().items()):
            replace(target / name, content, mode=0o600)
            kept_files.append(kept_file(self.folder, target / name))
        return tuple(kept_files)

    def _tidy(self, manifest: Manifest) -> None:
        """Remove what interrupted calls left, and copies of stores that newer ones replace."""
        named = {one.path for one in manifest.all_files}
        for folder in (RECORDS_FOLDER, STORES_FOLDER, PROJECT_FOLDER, SCHEMAS_FOLDER):
            # What lies deeper comes first, so that a folder is empty when its turn comes.
            for path in sorted((self.folder / folder).rglob("*"), reverse=True):
                if path.is_file() and path.relative_to(self.folder).as_posix() not in named:
                    path.unlink()
                elif path.is_dir() and not any(path.iterdir()):
                    path.rmdir()
        sync_folder(self.folder)


_OURS = frozenset({RECORDS_FOLDER, STORES_FOLDER, PROJECT_FOLDER, SCHEMAS_FOLDER, LOCK_FILE})


def newest(places: Sequence[StorePlace]) -> list[StorePlace]:
    """Of each partition the store that stands furthest among those that this version can use."""
    best: dict[int, tuple[int, StorePlace]] = {}
    for place in places:
        with StoreView(place.path) as view:
            position = view.position
        known = best.get(place.partition)
        if position.fold_version == FOLD_VERSION and (known is None or known[0] < position.next_offset):
            best[place.partition] = (position.next_offset, place)
    return [place for _, place in best.values()]


def project_files(installation: Installation) -> list[Path]:
    """Settings, directory, contracts and rates of a project that lie below its folder, by their places in it."""
    settings = installation.settings
    named = [Path(SETTINGS_FILE), settings.directory, settings.contracts, settings.exchange_rates]
    found: set[Path] = set()
    for one in named:
        place = installation.path(one)
        if place.is_relative_to(installation.folder):
            inside = place.rglob("*") if place.is_dir() else [place]
            found |= {path.relative_to(installation.folder) for path in inside if path.is_file()}
    return sorted(found)


def _copied(folder: Path, source: Path, target: Path) -> KeptFile:
    replace(make_folder(target.parent) / target.name, source.read_bytes(), mode=0o600)
    return kept_file(folder, target)


def _begin(before: Manifest | None, topic: str, partition: int, span: Span) -> int:
    """Where the next segment begins; Misconfigured when what comes next is gone or the log is shorter than before."""
    known = before.end_of(topic, partition) if before else None
    if known is not None and known > span.end:
        message = f"{topic}/{partition} ends at {span.end}, but the backup holds {known} records of it."
        raise Misconfigured("records_gone", message, "The topic lost records: keep this backup, find out why first.")
    if topic in FOR_EVER and span.beginning > (known or 0):
        raise _gone(topic, partition, known or 0, span.end, span.end - span.beginning)
    return max(known or 0, span.beginning)


def _gone(topic: str, partition: int, begin: int, end: int, records: int) -> Misconfigured:
    return Misconfigured(
        "records_gone",
        f"{topic}/{partition} holds {records} of the records {begin} to {end}: some were lost.",
        "Restore the topic from an earlier backup; nothing can be computed from a journal with a hole.",
    )


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """One call at a time."""
    with (folder / LOCK_FILE).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            message = f"Another backup into {folder} is under way."
            raise InUse("backup_running", message, "Wait for its end.") from None
        yield
