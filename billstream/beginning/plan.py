"""Which files a new project gets; they are loaded in a folder of their own before the first one is written."""

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from billstream.beginning.answers import Answer, collect, defaults, local_zone
from billstream.beginning.exports import Found, Named, find_exports, identifier
from billstream.beginning.texts import (
    SCHEMAS,
    clients_text,
    contract_text,
    firm_text,
    ignore_text,
    people_text,
    settings_text,
)
from billstream.cli.output import say
from billstream.cli.results import InitAnswer, InitExport, InitFile, InitResult
from billstream.cli.session import Session
from billstream.configuration.schema import FileKind, schema_text
from billstream.project import open_configuration, open_project
from billstream.settings import SETTINGS_FILE
from runtime.files import make_folder, write_new

EXAMPLE = Named("example", "Example Client Ltd")
KEPT = "kept"
WRITTEN = "written"
PLANNED = "would be written"


@dataclass(frozen=True)
class PlannedFile:
    """A file by its path below the project, and what it will say."""

    path: str
    text: str


def begin(session: Session, folder: Path, given: Mapping[str, str | None], *, yes: bool, dry_run: bool) -> InitResult:
    """Look, ask, check, write; a file that exists is never touched. Raises InvalidFiles before anything is written."""
    found = find_exports(folder, given.get("zone") or local_zone(session.environment))
    if found.exports:
        tools = ", ".join(found.tools)
        people, clients = len(found.people), len(found.clients)
        say(session, f"Found {len(found.exports)} exports ({tools}) with {people} people and {clients} clients.")
    known = defaults(folder, session.environment, found.currencies)
    answers = collect(session, given, known, yes=yes)
    files = planned_files({name: answer.value for name, answer in answers.items()}, found)
    _prove(folder, files)
    shown = tuple(_settle(folder, one, dry_run=dry_run) for one in files)
    if not dry_run:
        for tool in found.tools:
            make_folder(folder / "inbox" / tool)
    return _result(folder, found, answers, shown, dry_run=dry_run)


def planned_files(answers: Mapping[str, str], found: Found) -> tuple[PlannedFile, ...]:
    """Everything a project needs, in the order in which a person should read it."""
    clients = found.clients or (EXAMPLE,)
    owner = Named(identifier(answers["person"], set()), answers["person"])
    return (
        PlannedFile(SETTINGS_FILE, settings_text(answers, found)),
        PlannedFile("directory/firm.yaml", firm_text(answers)),
        PlannedFile("directory/people.yaml", people_text(found.people or (owner,))),
        PlannedFile("directory/clients.yaml", clients_text(clients)),
        *(PlannedFile(f"contracts/{one.id}.yaml", contract_text(one, answers)) for one in clients),
        *(PlannedFile(f"{SCHEMAS}/{kind.file_name}", schema_text(kind)) for kind in FileKind),
        PlannedFile(".gitignore", ignore_text()),
    )


def _prove(folder: Path, files: tuple[PlannedFile, ...]) -> None:
    """Load what the project will be, what is there already included; InvalidFiles when it would not load."""
    with tempfile.TemporaryDirectory() as place:
        copy = Path(place)
        for name in ("directory", "contracts"):
            if (folder / name).is_dir():
                shutil.copytree(folder / name, copy / name, ignore=shutil.ignore_patterns(".*"))
        if (folder / SETTINGS_FILE).is_file():
            shutil.copyfile(folder / SETTINGS_FILE, copy / SETTINGS_FILE)
        for one in files:
            path = copy / one.path
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(one.text, encoding="utf-8")
        open_configuration(open_project(copy, {}))


def _settle(folder: Path, one: PlannedFile, *, dry_run: bool) -> InitFile:
    path, content = folder / one.path, one.text.encode()
    if path.exists():
        return InitFile(path=one.path, state=KEPT, bytes=path.stat().st_size)
    if not dry_run:
        make_folder(path.parent)
        write_new(path, content)
    return InitFile(path=one.path, state=PLANNED if dry_run else WRITTEN, bytes=len(content))


def _result(
    folder: Path, found: Found, answers: Mapping[str, Answer], files: tuple[InitFile, ...], *, dry_run: bool
) -> InitResult:
    exports = tuple(
        InitExport(
            file=str(one.path.relative_to(folder)),
            tool=one.tool,
            rows=one.rows,
            date_from=one.date_from,
            date_to=one.date_to,
            problem=one.problem,
        )
        for one in found.exports
    )
    return InitResult(
        folder=str(folder),
        dry_run=dry_run,
        exports=exports,
        people=len(found.people),
        clients=len(found.clients),
        answers=tuple(
            InitAnswer(name=name, flag=one.question.flag, value=one.value, origin=one.origin.value)
            for name, one in answers.items()
        ),
        files=files,
        next=_next(folder, found),
    )


def _next(folder: Path, found: Found) -> tuple[str, ...]:
    """What to type next, ready to be pasted."""
    at = "" if folder.resolve() == Path.cwd() else f" --project {folder}"
    steps = [f"billstream doctor{at}", f"billstream contracts check{at}"]
    if found.exports and found.last_month:
        file = found.exports[-1].path
        steps.append(f"billstream import {file} --dry-run{at}")
        steps.append(f"billstream preview --entries {file} --period {found.last_month}{at}")
    return tuple(steps)
