"""Files are whole or absent, never replace another one, and their names stay below their folder."""

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.errors import FileDiffers, Misconfigured, UnsafeName
from runtime.files import NAME_BYTES_MAX, Written, check_name, join_under, make_folder, replace, safe_name, write_new


def test_a_new_file_has_exactly_the_bytes_and_nothing_else_is_left(tmp_path: Path) -> None:
    """The temporary name must be gone once the file has its own."""
    assert write_new(tmp_path / "draft.json", b"{}") is Written.NEW
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("draft.json", b"{}")]


def test_writing_the_same_again_changes_nothing(tmp_path: Path) -> None:
    """A repeated delivery is harmless and says so."""
    write_new(tmp_path / "draft.json", b"{}")

    def stands() -> tuple[int, int, int]:
        """What a change of the file would change; reading it may move the time of the last look."""
        found = (tmp_path / "draft.json").stat()
        return found.st_ino, found.st_mtime_ns, found.st_ctime_ns

    before = stands()
    assert write_new(tmp_path / "draft.json", b"{}") is Written.SAME
    assert stands() == before


def test_a_different_existing_file_is_never_overwritten(tmp_path: Path) -> None:
    """Somebody's file stays as it was, and the error says what to do."""
    (tmp_path / "draft.json").write_bytes(b"mine")
    with pytest.raises(FileDiffers, match="other content") as caught:
        write_new(tmp_path / "draft.json", b"ours")
    assert caught.value.fix
    assert (tmp_path / "draft.json").read_bytes() == b"mine"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_link_that_leads_nowhere_is_not_followed(tmp_path: Path) -> None:
    """A dangling link is an existing name, so nothing may be written through it."""
    (tmp_path / "draft.json").symlink_to(tmp_path / "elsewhere.json")
    with pytest.raises(FileDiffers):
        write_new(tmp_path / "draft.json", b"{}")
    assert not (tmp_path / "elsewhere.json").exists()


def test_of_many_writers_at_once_one_wins_and_the_others_are_told(tmp_path: Path) -> None:
    """Two processes that write different content to one name cannot both succeed."""
    code = (
        "import sys; from pathlib import Path; from runtime.files import write_new\n"
        "from runtime.errors import FileDiffers\n"
        "try: print(write_new(Path(sys.argv[1]), sys.argv[2].encode() * 100_000).value)\n"
        "except FileDiffers: print('differs')"
    )
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path / "one"), text],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        for text in "abcd"
    ]
    answers = sorted(writer.communicate(timeout=60)[0].strip() for writer in writers)
    assert answers == ["differs", "differs", "differs", "new"]
    assert len(set((tmp_path / "one").read_bytes())) == 1


def test_replace_puts_new_content_in_place(tmp_path: Path) -> None:
    """Our own state files do change."""
    replace(tmp_path / "state", b"1")
    replace(tmp_path / "state", b"2")
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("state", b"2")]


@contextmanager
def small_files_only() -> Iterator[None]:
    """The kernel refuses files over 1,000 bytes, as a full disk would refuse the rest of one.

    Only while the tested call runs: the output of the test run may be a file too.
    """
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_write_that_fails_half_way_leaves_no_file(tmp_path: Path) -> None:
    """Neither the name nor a part of the content may be seen."""
    with pytest.raises(Misconfigured), small_files_only():
        write_new(tmp_path / "big", b"x" * 5000)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_explained(tmp_path: Path) -> None:
    """A file in the way is not a stack trace."""
    (tmp_path / "taken").write_bytes(b"")
    with pytest.raises(Misconfigured, match="cannot be written"):
        make_folder(tmp_path / "taken" / "below")


@given(st.text(), st.sampled_from(["", ".json", ".txt"]))
def test_any_text_becomes_a_harmless_name(text: str, suffix: str) -> None:
    """Whatever a source calls a client, the file name is plain ASCII, short and accepted everywhere."""
    name = safe_name(text, suffix=suffix)
    assert check_name(name) == name
    assert name.isascii()
    assert len(name) <= NAME_BYTES_MAX
    assert os.sep not in name


@given(st.text(), st.text())
def test_different_texts_never_share_a_name(one: str, other: str) -> None:
    """`A/B` and `A B` have the same slug and still two files."""
    assert (safe_name(one) == safe_name(other)) == (one == other)


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../x",
        "a/b",
        "a\\b",
        "a\x00b",
        "a\nb",
        "a\u202eb",
        "CON",
        "nul.txt",
        "c:x",
        ".hidden",
        "x.",
        " x",
    ],
)
def test_names_that_could_do_harm_are_refused(name: str) -> None:
    """Separators, control characters, reserved names and hidden files do not become paths."""
    with pytest.raises(UnsafeName):
        check_name(name)


def test_a_link_cannot_lead_out_of_the_root(tmp_path: Path) -> None:
    """The resolved path is what counts, not the spelled one."""
    root = make_folder(tmp_path / "out")
    (root / "link").symlink_to(tmp_path)
    with pytest.raises(UnsafeName, match="leads out"):
        join_under(root, "link", "secret.txt")
    assert join_under(root, "acme", "draft.json") == root.resolve() / "acme" / "draft.json"
