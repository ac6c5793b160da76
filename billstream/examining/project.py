"""Checks of a project's files: settings, directory, contracts, folders, secrets, stores, locks, ports."""

import fcntl
import os
import re
import shutil
import sqlite3
import stat
from pathlib import Path
from time import monotonic

from billstream.cli.exits import Exit
from billstream.connection import broker_folder
from billstream.examining.finding import Finding, Patient, failed, of_error, ok, skipped, warning
from billstream.exchange_rates import read_exchange_rates
from billstream.settings import SETTINGS_FILE, Installation
from books.version import FOLD_VERSION
from connectors.tables import load_mapping
from runtime.broker.embedded import LOCK_FILE
from runtime.secrets import read_secret_file

BEGIN = "Begin with `billstream init`."
FREE_BYTES_MIN = 512 * 1024 * 1024
FREE_BYTES_WISHED = 2 * 1024 * 1024 * 1024
STORE_SECONDS = 10
STORE_STEPS = 100_000
SECRET_BITS = stat.S_IRWXG | stat.S_IRWXO
OTHERS_WRITE = stat.S_IWOTH
_SECRET_WORDS = re.compile(
    r"(?i)\b(password|passwd|secret|token|api[_-]?key|private[_-]?key)\b\s*[:=]\s*[\"']?[^\s\"'#{\[]{6,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----|\bsk-[A-Za-z0-9-]{16,}"
)


def settings(patient: Patient) -> Finding:
    """`billstream.yaml` and the variables laid over it."""
    if patient.settings_error is not None:
        return of_error(patient.settings_error)
    if not (patient.folder / SETTINGS_FILE).is_file() and not patient.folder.is_file():
        return warning(f"there is no {SETTINGS_FILE}; every setting has its default", BEGIN)
    assert patient.installation is not None, "settings without an error were read"
    known = patient.installation.settings
    return ok(f"tenant {known.tenant}, book {known.book}, {len(known.sources)} sources, {len(known.sinks)} sinks")


def directory(patient: Patient, installation: Installation) -> Finding:
    """Firm, clients, people."""
    if not installation.path(installation.settings.directory).is_dir():
        return failed(f"there is no folder {installation.settings.directory}", BEGIN, Exit.CONFIGURATION)
    if patient.configuration is None:
        return _unread(patient)
    people = patient.configuration.directory
    found = f"{len(people.clients)} clients, {len(people.people)} people, {len(people.projects)} projects"
    if not people.firm.address:
        return warning(f"{found}; the firm has no address", "Add `address` to directory/firm.yaml: invoices show it.")
    return ok(found)


def contracts(patient: Patient, installation: Installation) -> Finding:
    """Every contract loads, and every client has one."""
    if not installation.path(installation.settings.contracts).is_dir():
        return failed(f"there is no folder {installation.settings.contracts}", BEGIN, Exit.CONFIGURATION)
    if patient.configuration is None:
        return _unread(patient)
    read = patient.configuration.contracts
    billed = {one.contract.client for one in read}
    without = sorted(one.id for one in patient.configuration.directory.clients if one.id not in billed)
    if without:
        named = ", ".join(without[:5]) + (" ..." if len(without) > 5 else "")
        return warning(f"{len(read)} contracts; none for {named}", "Write a contract for each; entries are held until.")
    return ok(f"{len(read)} contracts, all read")


def exchange_rates(patient: Patient, installation: Installation) -> Finding:
    """The optional file of rates."""
    path = installation.path(installation.settings.exchange_rates)
    if not path.exists():
        return skipped("no file of exchange rates; none is needed while rates and invoices have one currency")
    rates = read_exchange_rates(path, installation.folder)
    return ok(f"{len(rates)} rates")


def data_folder(patient: Patient, installation: Installation) -> Finding:
    """Broker and stores have a folder that only this user writes."""
    folder = installation.data_folder
    existing = _nearest_existing(folder)
    if not os.access(existing, os.W_OK | os.X_OK):
        return failed(f"{existing} cannot be written", "Change its rights, or set `data_folder`.", Exit.CONFIGURATION)
    if folder.exists() and folder.stat().st_mode & OTHERS_WRITE:
        return warning(f"everybody may write {folder}", f"chmod o-w {folder}")
    return ok(str(folder) if folder.exists() else f"{folder} is made at the first start")


def disk(patient: Patient, installation: Installation) -> Finding:
    """Room for the journal."""
    free = shutil.disk_usage(_nearest_existing(installation.data_folder)).free
    found = f"{free / (1 << 30):.1f} GB free"
    if free < FREE_BYTES_MIN:
        return failed(found, "Make room, or set `data_folder` to another disk.", Exit.UNAVAILABLE)
    if free < FREE_BYTES_WISHED:
        return warning(found, "Make room: below 0.5 GB the broker does not start.")
    return ok(found)


def sources(patient: Patient, installation: Installation) -> Finding:
    """Watched folders can be read and emptied; mappings load."""
    known = installation.settings.sources
    if not known:
        return skipped("no source; files are imported by hand")
    for name, one in known.items():
        if one.mapping is not None:
            load_mapping(installation.path(one.mapping))
        if one.folder is None:
            continue
        existing = _nearest_existing(installation.path(one.folder))
        if not os.access(existing, os.R_OK | os.W_OK | os.X_OK):
            fix = "Change its rights: finished files are moved within it."
            return failed(f"{name}: {existing} cannot be read and written", fix, Exit.CONFIGURATION)
    watched = sum(one.folder is not None for one in known.values())
    return ok(f"{', '.join(known)}; {watched} watched folder(s)")


def sinks(patient: Patient, installation: Installation) -> Finding:
    """Documents can be written, and contracts name only sinks that there are."""
    known = installation.settings.sinks
    for name, one in known.items():
        existing = _nearest_existing(installation.path(one.folder))
        if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
            fix = "Change its rights, or set another `folder`."
            return failed(f"{name}: {existing} cannot be written", fix, Exit.CONFIGURATION)
    return ok(", ".join(f"{name} -> {one.folder}" for name, one in known.items()) or "none")


def secrets(patient: Patient, installation: Installation) -> Finding:
    """Secrets are in files of their own that only this user reads, and in no file of the project."""
    broker = installation.settings.broker
    for name, path in (("sasl_password_file", broker.sasl_password_file), ("ssl_key_file", broker.ssl_key_file)):
        if path is None:
            continue
        placed = installation.path(path)
        read_secret_file(placed, name=f"broker.{name}")
        if placed.stat().st_mode & SECRET_BITS:
            return warning(f"others may read {placed}", f"chmod 600 {placed}")
    for place in _project_texts(patient, installation):
        for number, line in enumerate(place.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
            if _SECRET_WORDS.search(line):
                fix = "Move it into a file that only you can read, name that file, and change the secret."
                return failed(f"{place.name}:{number} looks like a secret", fix, Exit.CONFIGURATION)
    return ok("none in the project's files")


def _project_texts(patient: Patient, installation: Installation) -> list[Path]:
    folders = (installation.settings.directory, installation.settings.contracts)
    files = [path for folder in folders for path in sorted(installation.path(folder).glob("*.y*ml"))]
    own = [installation.folder / SETTINGS_FILE, installation.folder / ".env"]
    return [path for path in (*own, *files) if path.is_file()]


def stores(patient: Patient, installation: Installation) -> Finding:
    """The books' files are whole and were written by this version of the fold."""
    files = sorted(installation.data_folder.glob("workers/*/books/*.sqlite"))
    if not files:
        return skipped("no store yet; it is made when the first worker starts")
    old = []
    for path in files:
        try:
            problem, versions = _examine_store(path)
        except sqlite3.Error as error:
            return failed(f"{path}: {error}", f"Stop the worker and remove {path}; it is rebuilt from the journal.")
        if problem:
            return failed(f"{path}: {problem}", f"Stop the worker and remove {path}; it is rebuilt from the journal.")
        old += [path.name] if versions - {FOLD_VERSION} else []
    if old:
        return warning(f"written by another version: {', '.join(old)}", "Nothing to do: the worker rebuilds them.")
    return ok(f"{len(files)} whole, version {FOLD_VERSION}")


def _examine_store(path: Path) -> tuple[str, set[str]]:
    """What is wrong with a store, and which versions of the fold wrote it; reads only, and gives up in time."""
    limit = monotonic() + STORE_SECONDS
    connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=1)
    try:
        connection.set_progress_handler(lambda: monotonic() > limit, STORE_STEPS)
        (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        versions = {str(row[0]) for row in connection.execute("SELECT fold_version FROM position")}
    finally:
        connection.close()
    return ("" if verdict == "ok" else str(verdict)), versions


def positions(installation: Installation, partition: int) -> list[tuple[str, int]]:
    """How far each store of this host has read a partition of the journal; what cannot be read is left out."""
    found = []
    for path in sorted(installation.data_folder.glob(f"workers/*/books/{partition:04d}.sqlite")):
        connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=1)
        try:
            rows = connection.execute("SELECT next_offset FROM position").fetchall()
        except sqlite3.Error:
            rows = []  # the check of the stores says so
        finally:
            connection.close()
        found += [(f"worker {path.parent.parent.name}", int(row[0])) for row in rows]
    return found


def locks(patient: Patient, installation: Installation) -> Finding:
    """Who works in this project now."""
    held = [f"worker {name}" for name in running_workers(installation)]
    if is_held(broker_folder(installation) / LOCK_FILE):
        held.insert(0, "the embedded broker")
    return ok(f"running: {', '.join(held)}" if held else "nothing runs in this project")


def running_workers(installation: Installation) -> tuple[str, ...]:
    """The slots of this project's workers in which somebody holds a lock, whatever part of a worker it is."""
    locks = installation.data_folder.glob("workers/*/*lock")
    return tuple(sorted({path.parent.name for path in locks if is_held(path)}))


def is_held(path: Path) -> bool:
    """Whether a living program holds the lock; asking changes nothing."""
    if not path.is_file():
        return False
    with path.open("rb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        fcntl.flock(lock, fcntl.LOCK_UN)
    return False


def _unread(patient: Patient) -> Finding:
    error = patient.configuration_error
    assert error is not None, "a configuration was read or there is an error"
    return of_error(error)


def _nearest_existing(path: Path) -> Path:
    """The path, or the nearest folder above it that is there."""
    while not path.exists():
        path = path.parent
    return path
