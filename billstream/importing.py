"""Files into the book: understood first, then published in order, with the end of the import behind its last row."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from billstream.cli.exits import Exit
from billstream.cli.failure import CommandFailed
from billstream.cli.output import progress
from billstream.cli.results import ImportedFile, ImportResult, RowProblem
from billstream.cli.session import Session
from billstream.configuration.problems import nearest
from billstream.gateway import Desk, EntryInput
from billstream.previewing import files_of
from billstream.project import PRODUCER, now
from billstream.settings import Installation, SourceKind, SourceSettings
from connectors.base import Stamp
from connectors.tables import ImportOptions, Preview, load_mapping, preview_file, read_file
from schemas.inputs import ImportCompleted

PROBLEMS_KEPT_MAX = 100


@dataclass(frozen=True)
class Declared:
    """What the person at the keyboard declares; it goes before what the source's settings say. Empty is undeclared."""

    source: str = ""
    fields: Mapping[str, str | list[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Understood:
    """A file, the source it belongs to, and what was understood of it."""

    path: Path
    source: str
    preview: Preview


def understand(installation: Installation, paths: Sequence[Path], declared: Declared) -> list[Understood]:
    """Read every file once and publish nothing; a file that no source fits is a usage error."""
    found = []
    for path in files_of(paths):
        if not path.exists():
            raise CommandFailed("file_missing", f"There is no file {path}.", "", Exit.NOT_FOUND)
        name = declared.source or source_of(installation, path)
        found.append(Understood(path, name, preview_file(path, options_of(installation, name, declared))))
    return found


def source_of(installation: Installation, path: Path) -> str:
    """The one source of the settings whose form the file has; none or several is an error that names the option."""
    sources = installation.settings.sources
    recognised = preview_file(path, ImportOptions(zone=installation.settings.zone)).layout.name
    fitting = [name for name, one in sources.items() if _format_of(one) == recognised]
    if len(fitting) == 1:
        return fitting[0]
    if not fitting and not sources:
        return ""
    said = f"{path.name} is a file of {recognised}; {len(fitting)} sources of billstream.yaml are of that kind."
    raise CommandFailed("source_unclear", said, "Name one with --source: " + ", ".join(sources), Exit.USAGE)


def _format_of(source: SourceSettings) -> str:
    return "" if source.kind is SourceKind.TABLE else source.kind.value.removesuffix("-csv")


def options_of(installation: Installation, name: str, declared: Declared) -> ImportOptions:
    """The declarations about a file: of the settings, then of the person."""
    settings = installation.settings
    if name and name not in settings.sources:
        hint = nearest(name, settings.sources)
        raise CommandFailed("source_unknown", f"There is no source '{name}' in billstream.yaml.", hint, Exit.NOT_FOUND)
    fields: dict[str, object] = {"zone": settings.zone}
    if name:
        source = settings.sources[name]
        said = source.model_dump(exclude={"kind", "folder", "mapping"}, exclude_none=True, mode="json")
        fields |= {key: value for key, value in said.items() if value}
        fields |= {"source": name, "format": _format_of(source)}
        if source.mapping is not None:
            fields["mapping"] = load_mapping(installation.path(source.mapping))
    mapping = declared.fields.get("mapping")
    fields |= {key: value for key, value in declared.fields.items() if value}
    if isinstance(mapping, str) and mapping:
        fields["mapping"] = load_mapping(Path(mapping))
    return ImportOptions.model_validate(fields)


def understand_paths(installation: Installation, paths: Sequence[Path], declared: Declared) -> ImportResult:
    """The answer of a dry run."""
    return _result(understand(installation, paths, declared), dry_run=True)


async def import_paths(
    desk: Desk, session: Session, paths: Sequence[Path], declared: Declared, *, propose_deletions: bool
) -> ImportResult:
    """Publish what was understood; without `propose_deletions` rows that are missing are not taken as gone."""
    understood = understand(desk.installation, paths, declared)
    for one in understood:
        await publish_file(desk, session, one, propose_deletions=propose_deletions)
    return _result(understood, dry_run=False)


async def publish_file(desk: Desk, session: Session, one: Understood, *, propose_deletions: bool = True) -> None:
    """Publish one file's records in order; the same file observed again later is harmless."""
    settings = desk.installation.settings
    stamp = Stamp(tenant=settings.tenant, book=settings.book, observed_at=now(), producer=PRODUCER)
    total = one.preview.counts.accepted
    with progress(session, f"Importing {one.path.name}") as advance:
        records = _wanted(read_file(one.preview, stamp), propose_deletions=propose_deletions)
        await desk.publish_entries(records, lambda published: advance(min(published, total), total))


def _wanted(records: Iterable[EntryInput], *, propose_deletions: bool) -> Iterator[EntryInput]:
    return (record for record in records if propose_deletions or not isinstance(record, ImportCompleted))


def _result(understood: Sequence[Understood], *, dry_run: bool) -> ImportResult:
    return ImportResult(dry_run=dry_run, files=tuple(imported_file(one) for one in understood))


def imported_file(one: Understood) -> ImportedFile:
    """What was understood of a file, as the answer shows it."""
    preview, counts = one.preview, one.preview.counts
    notes = [
        f"{question.sentence} ({question.rows} rows, answer with {question.flag})" for question in preview.questions
    ]
    notes += preview.warnings
    notes += [f"{count} entries will be held: {reason}" for reason, count in preview.held_counts.items()]
    return ImportedFile(
        file=one.path.name,
        source=preview.layout.source,
        account=preview.options.account,
        format=preview.layout.name,
        rows=counts.rows,
        accepted=counts.accepted,
        refused=counts.refused,
        asked=counts.asked,
        skipped=sum(counts.skipped.values()),
        date_from=preview.date_from,
        date_to=preview.date_to,
        people=tuple(preview.people),
        notes=tuple(notes),
        problems=tuple(
            RowProblem(
                line=problem.line,
                column=problem.column,
                value=problem.value,
                reason=problem.code,
                message=problem.sentence,
            )
            for problem in preview.problems[:PROBLEMS_KEPT_MAX]
        ),
    )
