"""Jars come from the network once, are checked byte by byte at every start, and are fetched again when damaged."""

import gc
import hashlib
import http.server
import os
import threading
import warnings
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from runtime.broker.download import ensure_jars
from runtime.broker.jars import Jar, kafka_version, pinned_jars
from runtime.broker.pin import COORDINATES
from runtime.errors import Misconfigured, Unavailable
from runtime.progress import Progress

CONTENT = {"one": b"1" * 200_000, "two": b"2" * 50_000, "three": b"3" * 10}
JARS = tuple(
    Jar(f"org.example:{name}:1.0", len(content), hashlib.sha256(content).hexdigest())
    for name, content in CONTENT.items()
)


class Repository:
    """A Maven repository on loopback that can be told to misbehave, and remembers what was asked for."""

    def __init__(self) -> None:
        self.content = dict(CONTENT)
        self.cut_off: set[str] = set()
        self.asked: Counter[str] = Counter()
        repository = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                name = self.path.split("/")[-3]
                if not self.path.endswith(".jar"):
                    self.send_error(404)
                    return
                repository.asked[name] += 1
                body = repository.content[name]
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[: len(body) // 2] if name in repository.cut_off else body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    @property
    def addresses(self) -> dict[str, str]:
        """What the resolver is told."""
        return {"here": f"http://127.0.0.1:{self._server.server_port}"}

    def close(self) -> None:
        """Answer nobody any more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def repository() -> Iterator[Repository]:
    """A well-behaved repository with three jars."""
    gc.freeze()
    repository = Repository()
    yield repository
    repository.close()
    # The resolver does not close the connection of a download that broke off; collect it here, not in a later test.
    # Only what this test made is looked at: the rest was frozen.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
    gc.unfreeze()


def contents(paths: tuple[Path, ...]) -> list[bytes]:
    """What the files hold."""
    return [path.read_bytes() for path in paths]


def test_the_first_start_downloads_and_reports_every_byte(tmp_path: Path, repository: Repository) -> None:
    """The bar ends at the total, and the cache holds the jars and nothing half."""
    reports: list[Progress] = []
    paths = ensure_jars(JARS, tmp_path, on_progress=reports.append, repositories=repository.addresses)
    assert contents(paths) == list(CONTENT.values())
    assert reports[-1].done_bytes == reports[-1].total_bytes == sum(map(len, CONTENT.values()))
    assert [one.done_bytes for one in reports] == sorted(one.done_bytes for one in reports)
    assert {path.name for path in (tmp_path / "jars").iterdir()} == {*(jar.file_name for jar in JARS), ".lock"}


def test_later_starts_need_no_network(tmp_path: Path, repository: Repository, unused_port: int) -> None:
    """Everything is on disk: an address where nobody listens does not matter."""
    ensure_jars(JARS, tmp_path, repositories=repository.addresses)
    nobody = {"nobody": f"http://127.0.0.1:{unused_port}"}
    assert contents(ensure_jars(JARS, tmp_path, repositories=nobody)) == list(CONTENT.values())


@pytest.mark.parametrize("damage", [b"", b"1" * 199_999, b"1" * 199_999 + b"X"])
def test_a_damaged_jar_is_fetched_again_and_only_that_one(
    tmp_path: Path, repository: Repository, damage: bytes
) -> None:
    """A cut or changed file in the cache heals at the next start."""
    paths = ensure_jars(JARS, tmp_path, repositories=repository.addresses)
    repository.asked.clear()
    paths[0].write_bytes(damage)
    assert contents(ensure_jars(JARS, tmp_path, repositories=repository.addresses)) == list(CONTENT.values())
    assert repository.asked == {"one": 1}


@pytest.mark.parametrize("kind", ["cut off", "changed"])
def test_a_download_that_stays_broken_is_an_error_and_never_used(
    tmp_path: Path, repository: Repository, kind: str
) -> None:
    """After three tries the error names the jar, and nothing of it is in the cache."""
    if kind == "cut off":
        repository.cut_off.add("two")
    else:
        repository.content["two"] = b"X" * 50_000
    with pytest.raises(Unavailable, match=r"two-1\.0\.jar"):
        ensure_jars(JARS, tmp_path, repositories=repository.addresses)
    assert repository.asked["two"] == 3
    assert not (tmp_path / "jars" / "two-1.0.jar").exists()
    assert not list((tmp_path / "jars").glob(".download-*"))


def test_no_network_is_a_sentence_with_a_way_out(tmp_path: Path, unused_port: int) -> None:
    """The first start offline says that it needs the network once, and what else works."""
    with pytest.raises(Unavailable, match="needed once") as caught:
        ensure_jars(JARS, tmp_path, repositories={"nobody": f"http://127.0.0.1:{unused_port}"})
    assert "BILLSTREAM_BROKERS" in caught.value.fix


def test_a_download_can_be_stopped_and_goes_on_later(tmp_path: Path, repository: Repository) -> None:
    """Ctrl-C does not wait for the rest, and what arrived whole is not fetched again."""
    cancelled = threading.Event()
    with pytest.raises(Unavailable, match="was stopped"):
        ensure_jars(
            JARS,
            tmp_path,
            on_progress=lambda _progress: cancelled.set(),
            repositories=repository.addresses,
            cancelled=cancelled,
        )
    assert not list((tmp_path / "jars").glob(".download-*"))
    assert contents(ensure_jars(JARS, tmp_path, repositories=repository.addresses)) == list(CONTENT.values())


def test_two_starts_at_once_download_once(tmp_path: Path, repository: Repository) -> None:
    """The second waits for the first instead of fetching everything again."""
    with ThreadPoolExecutor(2) as pool:
        starts = [pool.submit(ensure_jars, JARS, tmp_path, repositories=repository.addresses) for _ in range(2)]
        assert [contents(start.result()) for start in starts] == [list(CONTENT.values())] * 2
    assert set(repository.asked.values()) == {1}


def test_a_cache_path_with_a_colon_is_refused(tmp_path: Path) -> None:
    """Java would read it as two paths and fail with something nobody understands."""
    with pytest.raises(Misconfigured, match="colon"):
        ensure_jars(JARS, tmp_path / f"a{os.pathsep}b")


def test_the_shipped_list_names_what_we_asked_for() -> None:
    """The pinned jars were made from the coordinates that `pin.py` names."""
    jars = pinned_jars()
    assert set(COORDINATES) <= {jar.coordinate for jar in jars}
    assert kafka_version(jars) == "4.3.1"
    assert len({jar.file_name for jar in jars}) == len(jars)
