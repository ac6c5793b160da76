"""Checks of the machine: Python, packages, time, memory, limits, Java, letters."""

import platform
import resource
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import distribution, version
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

from billstream.bootstrap import cache_folder
from billstream.examining.finding import Finding, Patient, failed, ok, skipped, warning
from billstream.settings import Installation
from runtime.broker.jars import pinned_jars
from runtime.broker.process import java_executable
from streams.engine.app import PINNED

PYTHON_MIN = (3, 11)
MEMORY_BYTES_MIN = 512 * 1024 * 1024
MEMORY_BYTES_WISHED = 1024 * 1024 * 1024
OPEN_FILES_MIN = 1_024
JAVA_SECONDS = 20
ZONES_MIN = 400
MEMORY_FILE = Path("/proc/meminfo")
INSTALL = "Install Billstream again with its locked packages: script/setup, or pip with --require-hashes."


def python(patient: Patient) -> Finding:
    """The language's version and width."""
    found = f"Python {platform.python_version()}, {sys.maxsize.bit_length() + 1} bit, {platform.system()}"
    if sys.version_info < PYTHON_MIN:
        return failed(found, "Install Python 3.11 or newer.")
    if sys.maxsize.bit_length() < 63:
        return failed(found, "Use a 64-bit Python.")
    return ok(found)


def packages(patient: Patient) -> Finding:
    """The packages that the engine reaches below the surface of."""
    other = [
        f"{name} {version(name)} instead of {wanted}" for name, wanted in PINNED.items() if version(name) != wanted
    ]
    if other:
        return failed("; ".join(other), INSTALL)
    return ok(", ".join(f"{name} {wanted}" for name, wanted in PINNED.items()))


def time_zones(patient: Patient) -> Finding:
    """Rules of all zones, from the package and not from the system."""
    zones = available_timezones()
    if len(zones) < ZONES_MIN:
        return failed(f"only {len(zones)} time zones are known", INSTALL)
    named = {"UTC"} if patient.installation is None else {patient.installation.settings.zone}
    if patient.configuration is not None:
        named |= {one.contract.zone for one in patient.configuration.contracts}
    for zone in sorted(named):
        ZoneInfo(zone)
    return ok(f"tzdata {version('tzdata')}, {len(zones)} zones; in use: {', '.join(sorted(named))}")


def clock(patient: Patient) -> Finding:
    """The clock cannot be earlier than the files of this installation."""
    files = distribution("billstream").files or []
    written = [Path(str(one.locate())).stat().st_mtime for one in files if Path(str(one.locate())).is_file()]
    newest = datetime.fromtimestamp(max(written, default=0), UTC)
    found = f"{patient.now:%Y-%m-%d %H:%M} UTC"
    if patient.now < newest:
        return failed(f"{found}, but Billstream was installed at {newest:%Y-%m-%d %H:%M}", "Set the machine's clock.")
    return ok(found)


def memory(patient: Patient) -> Finding:
    """Room for the broker (320 MB) and a worker (400 MB)."""
    available = available_memory_bytes(MEMORY_FILE)
    if available is None:
        return skipped("this system does not say how much memory is free")
    found = f"{available >> 20} MB free"
    if available < MEMORY_BYTES_MIN:
        return failed(found, "Close other programs, or give the machine or container at least 1 GB.")
    if available < MEMORY_BYTES_WISHED:
        return warning(found, "Broker and worker together want 1 GB; close other programs.")
    return ok(found)


def available_memory_bytes(path: Path) -> int | None:
    """What programs can still get, as the kernel says; None where it does not."""
    if not path.is_file():
        return None
    for line in path.read_text(encoding="ascii").splitlines():
        name, _, rest = line.partition(":")
        if name == "MemAvailable":
            return int(rest.split()[0]) * 1024
    return None


def open_files(patient: Patient) -> Finding:
    """How many files one program may hold open."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < OPEN_FILES_MIN:
        return warning(f"{soft} open files allowed", f"Raise the limit: ulimit -n {OPEN_FILES_MIN * 4}")
    return ok(f"{'any number of' if soft == resource.RLIM_INFINITY else soft} open files allowed")


def java(patient: Patient, installation: Installation) -> Finding:
    """The runtime of the embedded broker starts."""
    if installation.settings.broker.servers:
        return skipped("a broker is configured; the embedded one is not needed")
    executable = java_executable()
    try:
        done = subprocess.run(
            [str(executable), "-version"], capture_output=True, text=True, timeout=JAVA_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return failed(
            f"Java did not answer within {JAVA_SECONDS} s", "Look at the load of the machine, then try again."
        )
    if done.returncode != 0:
        return failed(f"Java ended with {done.returncode}", INSTALL)
    return ok((done.stderr or done.stdout).splitlines()[0])


def downloads(patient: Patient, installation: Installation) -> Finding:
    """Kafka's files for the embedded broker are here, or will be fetched at the first start."""
    if installation.settings.broker.servers:
        return skipped("a broker is configured; the embedded one is not needed")
    folder = cache_folder(patient.session, installation) / "jars"
    jars = pinned_jars()
    missing = [one for one in jars if not (folder / one.file_name).is_file()]
    if len(missing) == len(jars):
        return ok(f"Kafka is fetched at the first start ({sum(one.size_bytes for one in jars) >> 20} MB)")
    damaged = [one.file_name for one in jars if one not in missing and not one.matches(folder / one.file_name)]
    if damaged:
        return warning(f"damaged: {', '.join(damaged)}", f"Nothing to do: they are fetched again. Or remove {folder}.")
    if missing:
        return ok(f"{len(missing)} of Kafka's {len(jars)} files are fetched at the next start")
    return ok(f"{len(jars)} files of Kafka in {folder}")


def paper(patient: Patient, installation: Installation) -> Finding:
    """Letters, logo and typesetter of every PDF sink."""
    from billstream.settings import PdfFiles
    from sinks.pdf.sink import Press

    sinks = [one for one in installation.settings.sinks.values() if isinstance(one, PdfFiles)]
    if not sinks:
        return skipped("no sink of kind pdf")
    presses = [Press(one.placed(installation.path)) for one in sinks]
    families = dict.fromkeys(family for press in presses for family in press.letters.families)
    logos = sum(press.logo is not None for press in presses)
    return ok(f"typst {version('typst')}; {', '.join(families)}; {logos} logo(s)")
