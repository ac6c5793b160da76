"""Preview of a client with many entries: the computation on a filled store, and the command without a broker."""

import json
import subprocess
import sys
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from bench.firm import BOOK, TENANT, contracts, directory, entry
from bench.product import ROOT
from books.book import Book
from books.catalog import Catalog
from books.local import Follower, LocalJournal
from books.preview import preview
from books.stores.sqlite import SqliteStore
from books.version import FOLD_VERSION
from schemas.draft import DocumentScope
from schemas.inputs import Decision
from schemas.work import DecideEntry, DeliverDocument
from streams.agents.categorise import decision_of
from streams.deciding.offline import OfflineDecider, decide

DECIDED_AT = datetime(2026, 10, 1, tzinfo=UTC)
CLIENT = 0
PERIOD = (date(2026, 10, 1), date(2026, 11, 1))
PEOPLE = 40
ENTRIES_A_DAY = 20
HEADER = "User,Email,Client,Project,Task,Description,Billable,Start date,Start time,End date,End time,Duration,Tags\r\n"


def preview_seconds(entries: int, rounds: int = 3) -> dict[str, object]:
    """Seconds of `books.preview` on a store on disk that another process could have filled."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "book.sqlite"
        _fill(path, entries)
        taken, cpu, lines = [], [], 0
        for _ in range(rounds):
            store = SqliteStore(path, FOLD_VERSION)
            book = Book(store.rows, TENANT, BOOK)
            began, began_cpu = time.perf_counter(), time.process_time()
            body = preview(book, Catalog(book), _scope())
            taken.append(round(time.perf_counter() - began, 3))
            cpu.append(round(time.process_time() - began_cpu, 3))
            store.close()
            assert body is not None, "the firm has a contract for this client"
            lines = len(body.lines)
    return {"entries": entries, "lines": lines, "seconds": taken, "cpu_seconds": cpu}


def _scope() -> DocumentScope:
    client_id, contract_id = f"client-{CLIENT}", f"contract-{CLIENT}"
    return DocumentScope(client_id=client_id, contract_id=contract_id, date_from=PERIOD[0], date_to=PERIOD[1])


def _fill(path: Path, entries: int) -> None:
    """A journal with decisions, folded into a store on disk."""
    journal = LocalJournal(_decided)
    journal.append(directory(), *contracts())
    journal.append(*(entry(number, client=CLIENT) for number in range(entries)))
    store = SqliteStore(path, FOLD_VERSION)
    Follower(store).apply(enumerate(journal.records))
    store.close()


def _decided(request: DecideEntry | DeliverDocument) -> Decision | None:
    if isinstance(request, DeliverDocument):
        return None
    return decision_of(request, decide(request), OfflineDecider(), DECIDED_AT)


def command_seconds(rows: int) -> dict[str, object]:
    """Seconds of `billstream preview --entries FILE`: reading, deciding, folding, billing and printing, from zero."""
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder)
        _write_project(project, rows)
        command = [sys.executable, "-m", "billstream", "preview", "--json", "--project", folder]
        command += ["--entries", str(project / "october.csv"), "--period", "2026-10"]
        began = time.perf_counter()
        done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
        seconds = round(time.perf_counter() - began, 3)
    if done.returncode:
        raise SystemExit(f"preview ended with {done.returncode}: {done.stdout.decode()} {done.stderr.decode()}")
    return {"rows": rows, "seconds": seconds, "answer_bytes": len(done.stdout)}


def _write_project(project: Path, rows: int) -> None:
    """A project of a firm of forty with one client; JSON is YAML too."""
    people = [
        {"id": f"person-{n}", "name": f"Person {n}", "emails": [_email(n)], "roles": [{"role": "senior"}]}
        for n in range(PEOPLE)
    ]
    documents: dict[str, object] = {
        "billstream.yaml": {
            "tenant": TENANT,
            "book": BOOK,
            "zone": "Europe/Berlin",
            "person": "bench",
            "sources": {"toggl": {"kind": "toggl-csv", "account": "bench"}},
        },
        "directory/firm.yaml": {
            "firm": {"name": "Bench & Co", "zone": "Europe/Berlin", "currency": "EUR"},
            "clients": [{"id": "client-0", "name": "Client 0"}],
            "projects": [{"id": "project-0", "client": "client-0", "name": "Project 0"}],
            "people": people,
        },
        "contracts/client-0.yaml": {
            "id": "contract-0",
            "client": "client-0",
            "currency": "EUR",
            "zone": "Europe/Berlin",
            "rates": [{"role": "senior", "rate": "150"}],
            "increments": [{"minutes": 6}],
            "caps": [{"id": "week", "pool": "person", "hours": "40", "window": "week", "overflow": "write_down"}],
        },
    }
    for name, document in documents.items():
        path = project / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(document), encoding="utf-8")
    with (project / "october.csv").open("w", encoding="utf-8", newline="") as file:
        file.write(HEADER)
        file.writelines(_line(number) for number in range(rows))


def _line(number: int) -> str:
    person, turn = number % PEOPLE, number // PEOPLE
    day = PERIOD[0] + timedelta(days=turn // ENTRIES_A_DAY)
    start = datetime(day.year, day.month, day.day, 6, tzinfo=UTC) + timedelta(minutes=40 * (turn % ENTRIES_A_DAY))
    seconds = 600 + number % 29 * 60
    end = start + timedelta(seconds=seconds)
    length = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return (
        f"Person {person},{_email(person)},Client 0,Project 0,Design,Work item {number},Yes,"
        f"{start:%Y-%m-%d},{start:%H:%M:%S},{end:%Y-%m-%d},{end:%H:%M:%S},{length},design\r\n"
    )


def _email(person: int) -> str:
    return f"person-{person}@example.com"
