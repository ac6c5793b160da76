"""The demo: from an empty folder to draft invoices, with the program's own commands and nothing made up on the way."""

import asyncio
import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

from billstream.applying import apply_configuration
from billstream.bootstrap import WorkerProcess, embedded_broker
from billstream.cli.exits import Exit
from billstream.cli.failure import CommandFailed
from billstream.cli.output import answer, progress, say
from billstream.cli.results import BucketItem, DemoResult, DocumentItem, DocumentsResult, ImportedFile, StageItem
from billstream.cli.running import collect_seldom, quiet_libraries
from billstream.cli.session import Session
from billstream.closing import Order, approve, close
from billstream.configuration.schema import FileKind, schema_text
from billstream.connection import connection_of
from billstream.demo.summary import show_demo
from billstream.entry_orders import assign, delete, order_entries
from billstream.importing import Declared, Understood, imported_file, publish_file, understand
from billstream.kafka_desk import KafkaDesk
from billstream.project import open_project
from billstream.reporting import held_items, held_reason, held_totals
from billstream.settings import Installation
from billstream.showing import document_item
from billstream.verifying import verify_journal
from books.rows import DocumentRow, EntryRow, OpenFactRow, OpenWorkRow
from books.versions import is_deleted
from schemas.entry import EntryKind
from schemas.outputs import Alert
from schemas.period import parse_period

FIRM = Path(__file__).parent / "firm"
FOLDER = "billstream-demo"
PERIOD = "2026-10"
FIRST_WAVE = (
    "harvest-2026-11-02.csv",
    "clockify-2026-11-02.csv",
    "expenses-2026-10.jsonl",
    "care-2026-10.jsonl",
    "toggl-2026-10-30.csv",
)
SECOND_WAVE = ("toggl-2026-11-02.csv",)
TYPING_MISTAKES = {"Nortwind Outdoor": "northwind", "Kestrel Mobilty AG": "kestrel"}
LEGAL_CLIENT = "meridian"
WAIT_SECONDS = 60
FOLDERS_MAX = 100
SHARED_VARIABLES = ("BILLSTREAM_CACHE", "BILLSTREAM_REVISION")


@dataclass
class Story:
    """What the demo collects while it runs."""

    session: Session
    started: float
    stages: list[StageItem] = field(default_factory=list)
    imports: list[ImportedFile] = field(default_factory=list)
    alerts: list[str] = field(default_factory=list)
    verified: int = 0

    def stage(self, name: str) -> None:
        """Note that a part is done, and how long it took since the one before."""
        seconds = _seconds(time.monotonic() - self.started) - sum((one.seconds for one in self.stages), Decimal(0))
        self.stages.append(StageItem(name=name, seconds=seconds))

    def alert(self, alert: Alert) -> None:
        """Say an alert the moment it is known."""
        self.alerts.append(alert.text)
        say(self.session, f"  alert: {alert.text}")


def _seconds(value: float) -> Decimal:
    return Decimal(str(value)).quantize(Decimal("0.1"), ROUND_HALF_UP)


def run_demo(session: Session, folder: Path | None) -> int:
    """Run it; returns the exit code. The folder with the firm, its book and its drafts is kept."""
    # Settings of another installation must not reach the demo.
    inherited = {name: value for name, value in session.environment.items() if not name.startswith("BILLSTREAM_")}
    shared = {name: session.environment[name] for name in SHARED_VARIABLES if name in session.environment}
    own = replace(session, environment={**inherited, **shared, "BILLSTREAM_HEALTH_PORT": "0"})
    place = prepare_folder(folder)
    quiet_libraries(session)
    collect_seldom()
    result = asyncio.run(_demo(own, place))
    answer(own, result, lambda screen: show_demo(screen, result))
    return int(Exit.DONE)


def prepare_folder(folder: Path | None) -> Path:
    """A new folder with the sample firm; a folder that holds anything is refused, the default finds a free name."""
    if folder is None:
        names = [FOLDER, *(f"{FOLDER}-{number}" for number in range(2, FOLDERS_MAX))]
        folder = next((Path(name) for name in names if not Path(name).exists()), Path(names[-1]))
    if folder.exists() and any(folder.iterdir()):
        said = f"{folder} is not empty."
        raise CommandFailed("folder_used", said, "Name another with --folder, or remove it.", Exit.CONFLICT)
    shutil.copytree(FIRM, folder, dirs_exist_ok=True)
    schemas = folder / "schemas"
    schemas.mkdir(exist_ok=True)
    for kind in FileKind:
        (schemas / kind.file_name).write_text(schema_text(kind), encoding="utf-8")
    return folder.resolve()


async def _demo(session: Session, folder: Path) -> DemoResult:
    installation = open_project(folder, session.environment)
    story = Story(session, time.monotonic())
    async with AsyncExitStack() as stack:
        desk = await _start(story, installation, stack)
        story.stage("broker and worker")
        documents = await _month(desk, installation, story)
        story.stage("verification")
        return _result(desk, story, folder, documents)


async def _start(story: Story, installation: Installation, stack: AsyncExitStack) -> KafkaDesk:
    """Broker, topics, worker; all of it is stopped when the stack unwinds."""
    session = story.session
    installation.data_folder.mkdir(parents=True, exist_ok=True)
    await stack.enter_async_context(embedded_broker(session, installation))
    worker = WorkerProcess(session, installation, installation.data_folder / "worker.log")
    stack.push_async_callback(worker.stop)
    await worker.start()
    desk = KafkaDesk(installation, connection_of(installation), story.alert)
    stack.push_async_callback(desk.stop)
    await desk.start()
    return desk


async def _month(desk: KafkaDesk, installation: Installation, story: Story) -> tuple[DocumentItem, ...]:
    """What a firm does in a month: agree, track, correct, close, approve."""
    session = story.session
    applied = await apply_configuration(desk, None, "demo", "the sample firm", dry_run=False)
    say(session, f"Directory and {len(applied.contracts)} contracts applied, {applied.exchange_rates} exchange rates")
    say(session, "Exports of Friday evening")
    await _import(desk, installation, story, FIRST_WAVE)
    story.stage("first import")
    say(session, "A second export on Monday: one row moved, one gone, one shorter, a timer stopped")
    await _import(desk, installation, story, SECOND_WAVE)
    story.stage("second import")
    await _settle_by_hand(desk, session)
    story.stage("corrections")
    say(session, "Closing October")
    order = Order("demo", "end of October", WAIT_SECONDS)
    closed = await close(desk, [], parse_period(PERIOD), order)
    _expect_all(closed)
    story.stage("close")
    legal = [one.document_id for one in closed.documents if one.client == LEGAL_CLIENT]
    say(session, "Approving and issuing the legal invoice, which goes to e-billing")
    _expect_all(await approve(desk, legal, Order("demo", "checked", WAIT_SECONDS), issue_too=True))
    story.stage("approval")
    await desk.until(lambda: not _open_work(desk, "deliver:"), WAIT_SECONDS)
    story.stage("delivery")
    story.verified = sum(1 for one in (await verify_journal(desk, [], [])).documents if one.holds)
    rows = sorted((row for _, row in desk.book.scan(DocumentRow)), key=lambda row: row.client_id)
    return tuple(document_item(desk, row) for row in rows)


async def _import(desk: KafkaDesk, installation: Installation, story: Story, names: Sequence[str]) -> None:
    """Publish files and follow until each entry is folded and decided."""
    files = understand(installation, [installation.folder / "exports" / name for name in names], Declared())
    for one in files:
        await publish_file(desk, story.session, one)
        story.imports.append(imported_file(one))
    total = sum(one.preview.counts.accepted for one in files)
    with progress(story.session, "Deciding and counting") as advance:
        reached = _followed(desk, files, lambda done: advance(done, max(total, done)))
        if not await desk.until(reached, WAIT_SECONDS):
            fix = f"Its log is {installation.data_folder / 'worker.log'}."
            raise CommandFailed("worker_silent", "The worker did not finish the import in time.", fix, Exit.TRY_AGAIN)


def _followed(desk: KafkaDesk, files: Iterable[Understood], on_decided: Callable[[int], None]) -> Callable[[], bool]:
    waiting = {one.preview.import_id for one in files}

    def reached() -> bool:
        open_questions = _open_work(desk, "decide:")
        on_decided(sum(1 for _ in desk.book.scan(EntryRow)) - open_questions)
        facts_open = next(desk.book.scan(OpenFactRow), None) is not None
        return all(desk.imported(import_id) for import_id in waiting) and open_questions == 0 and not facts_open

    return reached


def _open_work(desk: KafkaDesk, kind: str) -> int:
    return sum(1 for key, _ in desk.book.scan(OpenWorkRow) if key.startswith(kind))


async def _settle_by_hand(desk: KafkaDesk, session: Session) -> None:
    """What a person does before a close: accept the deletion, put two typing mistakes right, leave the rest held."""
    order = Order("demo", "looked at before the close", WAIT_SECONDS)
    rows = [row for _, row in desk.book.scan(EntryRow)]
    gone = [row.entry_id for row in rows if held_reason(row) == "deletion_proposed"]
    if gone:
        await order_entries(desk, gone, "delete", delete, order)
    for mistake, client in TYPING_MISTAKES.items():
        ids = [row.entry_id for row in rows if row.client_ref == mistake and not is_deleted(row)]
        if ids:
            await order_entries(desk, ids, "assign", assign(client, "", ""), order)
    say(session, f"A person accepted {len(gone)} deletion and put {len(TYPING_MISTAKES)} misspelt clients right")
    await desk.until(lambda: not _open_work(desk, "decide:"), WAIT_SECONDS)


def _expect_all(result: DocumentsResult) -> None:
    if result.refused or result.waiting:
        said = "; ".join(f"{one.about}: {one.reason} {one.detail}" for one in result.refused)
        raise CommandFailed("demo_failed", said or "A command of the demo got no answer in time.")


def _result(desk: KafkaDesk, story: Story, folder: Path, documents: tuple[DocumentItem, ...]) -> DemoResult:
    rows = [row for _, row in desk.book.scan(EntryRow) if not is_deleted(row)]
    people = desk.catalog.people
    assert people is not None, "the demo applied a directory"
    return DemoResult(
        folder=str(folder),
        entries=len(rows),
        people=len(people.document.people),
        clients=len(people.document.clients),
        worked_seconds=sum(row.worked_seconds for row in rows if row.kind == EntryKind.TIME.value),
        imports=tuple(story.imports),
        buckets=_buckets(documents),
        alerts=tuple(story.alerts),
        held=held_totals(desk.book),
        held_entries=held_items(desk),
        documents=documents,
        verified=story.verified,
        stages=tuple(story.stages),
        seconds=_seconds(time.monotonic() - story.started),
    )


def _buckets(documents: Iterable[DocumentItem]) -> tuple[BucketItem, ...]:
    """The buckets of all documents together."""
    totals: dict[tuple[str, str], tuple[int, int]] = {}
    for document in documents:
        for one in document.buckets:
            seconds, entries = totals.get((one.bucket, one.reason), (0, 0))
            totals[one.bucket, one.reason] = (seconds + one.seconds, entries + one.entries)
    return tuple(
        BucketItem(bucket=bucket, reason=reason, seconds=seconds, entries=entries)
        for (bucket, reason), (seconds, entries) in sorted(totals.items())
    )
