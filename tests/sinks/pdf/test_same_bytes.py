"""One document has one file: the same bytes on every machine, archivable, readable by ear, and made fast."""

import io
import os
import re
import subprocess
import sys
from pathlib import Path
from time import process_time

import pytest
from pypdf import PdfReader

from sinks.base import DraftToSend
from sinks.pdf import PdfSettings
from sinks.pdf.sink import Press
from sinks.testing import example_body, example_draft, example_fee

pytestmark = pytest.mark.proof

ELSEWHERE = """
import sys
from pathlib import Path
from sinks.pdf import PdfSettings
from sinks.pdf.sink import Press
from sinks.testing import example_draft
sys.stdout.buffer.write(Press(PdfSettings(folder=Path("x"))).render(example_draft()).content)
"""


def press() -> Press:
    return Press(PdfSettings(folder=Path("unused")))


def test_the_same_document_is_the_same_bytes() -> None:
    """A second press prints the same file."""
    assert press().render(example_draft()).content == press().render(example_draft()).content


@pytest.mark.parametrize(("zone", "language"), [("Pacific/Auckland", "de_DE.UTF-8"), ("America/Los_Angeles", "C")])
def test_another_process_prints_the_same_bytes(zone: str, language: str, repository_root: Path, tmp_path: Path) -> None:
    """Neither zone nor language nor fonts nor folder of the machine matter."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(repository_root),
        "TZ": zone,
        "LC_ALL": language,
        "SOURCE_DATE_EPOCH": "1",
        "PYTHONHASHSEED": "7",
    }
    arguments = [sys.executable, "-c", ELSEWHERE]
    made = subprocess.run(arguments, env=environment, cwd=tmp_path, capture_output=True, check=True, timeout=60)
    assert made.stdout == press().render(example_draft()).content


@pytest.mark.parametrize("update", [{"revision": 3}, {"number": "2026-0043"}])
def test_another_document_is_another_file(update: dict[str, object]) -> None:
    """Revision and number are part of what the file says."""
    other = example_draft().model_copy(update=update)
    assert press().render(other).content != press().render(example_draft()).content


def test_a_file_is_for_archives_and_for_readers_by_ear() -> None:
    """It says that it is PDF/A-2b and PDF/UA-1, has a language, a title, tags, and its own date."""
    content = press().render(example_draft()).content
    for mark in (b"<pdfaid:part>2</pdfaid:part>", b"<pdfaid:conformance>B</pdfaid:conformance>", b"<pdfuaid:part>1"):
        assert mark in content
    reader = PdfReader(io.BytesIO(content))
    assert str(reader.root_object["/Lang"]) == "en-GB"
    assert b"/MarkInfo<</Marked true" in content
    assert reader.metadata is not None
    assert reader.metadata.title == "Invoice 2026-0042 · Acme Corp"
    assert reader.metadata.author == "Berg & Partners"
    assert str(reader.metadata["/CreationDate"]) == "D:20261102000000Z"


def test_only_our_own_fonts_are_in_the_file() -> None:
    """Each font is embedded and is ours, so that the file looks the same in thirty years."""
    content = press().render(example_draft()).content
    names = {name.decode() for name in re.findall(rb"/BaseFont/[A-Z]{6}\+([A-Za-z-]+)", content)}
    assert names == {"BillstreamSans-Regular", "BillstreamSans-SemiBold"}
    assert len(re.findall(rb"/FontFile[23]?\b", content)) == len(names)


def three_hundred_lines(run: int) -> DraftToSend:
    """Each run has other texts and amounts, because the typesetter remembers what it has set."""
    text = f"Draft reply {run} to motion for summary judgment; telephone conference with counsel on exhibits"
    lines = [
        example_fee(n, amount=f"{n + run}.50").model_copy(update={"text": f"{text} {n * run}"}) for n in range(1, 301)
    ]
    return example_draft(example_body(*lines))


def test_three_hundred_lines_take_less_than_half_a_second() -> None:
    """The median of five in processor time, all threads counted, so that a busy machine changes nothing."""
    own = press()
    own.render(three_hundred_lines(1))
    seconds = []
    for run in range(2, 7):
        draft = three_hundred_lines(run)
        begun = process_time()
        own.render(draft)
        seconds.append(process_time() - begun)
    median = sorted(seconds)[2]
    print(f"300-line PDF: {median:.3f} s")
    assert median < 0.5


GROWTH = """
import sys
from pathlib import Path
from sinks.pdf import PdfSettings
from sinks.pdf.sink import Press
from sinks.testing import example_body, example_draft, example_fee
press = Press(PdfSettings(folder=Path("x")))
def pages():
    return int(Path("/proc/self/statm").read_text().split()[1])
def render(run):
    lines = [example_fee(n).model_copy(update={"text": f"{run} {n * run} narrative"}) for n in range(1, 201)]
    press.render(example_draft(example_body(*lines)))
for run in range(3):
    render(run)
before = pages()
for run in range(3, 13):
    render(run)
print((pages() - before) * 4096 // 2**20)
"""


def test_memory_does_not_grow_with_documents(repository_root: Path, tmp_path: Path) -> None:
    """Ten documents later a process holds hardly more than before: a worker prints for months."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(repository_root)}
    made = subprocess.run(
        [sys.executable, "-c", GROWTH], env=environment, cwd=tmp_path, capture_output=True, check=True, timeout=60
    )
    assert int(made.stdout) < 80, "MB; 140 and more when the typesetter forgets nothing"
