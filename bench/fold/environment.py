"""What the peers need beyond the checkout, made on demand in the cache: an environment for Quix Streams, Java classes.

Both come from lists with hashes beside this file, and never get into the locks of the product.
"""

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

from runtime.broker.download import ensure_jars
from runtime.broker.jars import pinned_jars
from runtime.broker.lock import locked
from runtime.broker.process import java_executable

FOLDER = Path(__file__).resolve().parent
JARS_FILE = FOLDER / "jars.toml"
QUIX_LOCK = FOLDER / "quix.txt"
JAVA_SOURCE = FOLDER / "kafka_streams" / "Fold.java"
ENTRY_SCHEMA = FOLDER.parent.parent / "schemas" / "avsc" / "released" / "1001-entry_version.avsc"
HOURS_SCHEMA = FOLDER / "hours.avsc"
JAVA_RELEASE = "21"
JAVA_FLAGS = ("-Xms256m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:-UsePerfData", "--enable-native-access=ALL-UNNAMED")
"""Two cores: the collector without threads of its own leaves both to the job and the broker; others were not tried."""
_WAIT_SECONDS = 600.0


def quix_python(cache: Path) -> Path:
    """The interpreter of an environment with Quix Streams; made once for each content of its lock."""
    home = cache / "peers" / f"quix-{_digest(QUIX_LOCK.read_bytes())}"
    python = home / "bin" / "python"
    if _absent(home):
        with locked(_guard(home), wait_seconds=_WAIT_SECONDS):
            if _absent(home):
                venv.create(home, with_pip=True, clear=True)
                install = ("-m", "pip", "install", "--quiet", "--only-binary", ":all:", "--require-hashes")
                subprocess.run([python, *install, "--requirement", QUIX_LOCK], check=True, stdin=subprocess.DEVNULL)
                (home / "complete").touch()
    return python


def kafka_streams_command(cache: Path) -> tuple[str, ...]:
    """The command that runs the job in Kafka Streams, up to the class; compiled once for each content of its source."""
    jars = pinned_jars(JARS_FILE)
    paths = dict(zip(jars, ensure_jars(jars, cache), strict=True))
    compilers = [jar for jar in jars if ":ecj:" in jar.coordinate]
    class_path = os.pathsep.join(str(path) for jar, path in paths.items() if jar not in compilers)
    home = cache / "peers" / f"fold-{_digest(JAVA_SOURCE.read_bytes() + JARS_FILE.read_bytes())}"
    if _absent(home):
        with locked(_guard(home), wait_seconds=_WAIT_SECONDS):
            if _absent(home):
                _compile(paths[compilers[0]], class_path, home)
    return (str(java_executable()), *JAVA_FLAGS, "-cp", os.pathsep.join((str(home), class_path)), "Fold")


def _compile(compiler: Path, class_path: str, home: Path) -> None:
    java = str(java_executable())
    options = ("-source", JAVA_RELEASE, "-target", JAVA_RELEASE, "-nowarn", "-cp", class_path, "-d", str(home))
    subprocess.run([java, "-jar", str(compiler), *options, str(JAVA_SOURCE)], check=True)
    (home / "complete").touch()


def _absent(home: Path) -> bool:
    return not (home / "complete").exists()


def _guard(home: Path) -> Path:
    home.parent.mkdir(parents=True, exist_ok=True)
    return home.with_suffix(".lock")


def _digest(content: bytes) -> str:
    return hashlib.sha256(content + sys.version.encode()).hexdigest()[:16]
