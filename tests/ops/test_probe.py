"""The containers' health question: well only when the service itself says so."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest


class Answers(BaseHTTPRequestHandler):
    """Answers /200 with 200 and /503 with 503."""

    def do_GET(self) -> None:  # the name that the standard library looks for
        """Say the number in the path."""
        self.send_response(int(self.path.removeprefix("/")))
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the standard library's name
        """Say nothing."""


@pytest.fixture
def service() -> Iterator[str]:
    """The address of a service that answers."""
    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def probe(repository_root: Path, address: str) -> int:
    """The exit code of the probe, run as the container runs it."""
    command = [sys.executable, str(repository_root / "ops/docker/probe.py"), address]
    return subprocess.run(command, check=False).returncode


@pytest.mark.parametrize(("path", "code"), [("/200", 0), ("/204", 0), ("/404", 1), ("/503", 1)])
def test_only_a_good_answer_is_well(path: str, code: int, service: str, repository_root: Path) -> None:
    """A service that says it is not ready is not, although it answers."""
    assert probe(repository_root, service + path) == code


def test_nobody_there_is_not_well(repository_root: Path, unused_tcp_port: int) -> None:
    """A closed port ends with 1, without a traceback."""
    assert probe(repository_root, f"http://127.0.0.1:{unused_tcp_port}/readyz") == 1
