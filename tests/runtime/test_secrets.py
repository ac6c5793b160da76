"""A secret cannot be shown by accident."""

import copy
import pickle
from pathlib import Path

import pytest

from runtime.errors import Misconfigured
from runtime.secrets import Secret, read_secret


def test_a_secret_shows_as_stars() -> None:
    """In texts, formats, containers and percent forms."""
    secret = Secret("canary")
    assert "canary" not in f"{secret} {secret!r} {secret:>20} {[secret]} {secret!s} " + "%s %r" % (secret, secret)  # noqa: UP031
    assert str(secret) == "***"
    assert secret.reveal() == "canary"


@pytest.mark.parametrize("write", [pickle.dumps, copy.deepcopy])
def test_a_secret_cannot_be_written(write: object) -> None:
    """Pickling would put it into a file or another process."""
    assert callable(write)
    with pytest.raises(TypeError, match="not written"):
        write(Secret("canary"))


def test_secrets_compare_by_content() -> None:
    """Two readings of one file are the same secret; a text is none."""
    assert Secret("a") == Secret("a") != Secret("b")
    assert Secret("a") != "a"


def test_the_file_wins_over_the_variable(tmp_path: Path) -> None:
    """`NAME_FILE` first, then `NAME`, then nothing; one line break at the end is not part of it."""
    (tmp_path / "key").write_bytes(b"from file\r\n")
    both = {"KEY_FILE": str(tmp_path / "key"), "KEY": "from variable"}
    assert read_secret("KEY", both) == Secret("from file")
    assert read_secret("KEY", {"KEY": "from variable"}) == Secret("from variable")
    assert read_secret("KEY", {}) is None


@pytest.mark.parametrize("content", [None, b"", b"\n", b"\xff\xfe", b"x" * 70_000])
def test_a_secret_file_that_cannot_be_used_is_an_error_without_its_content(
    tmp_path: Path, content: bytes | None
) -> None:
    """Falling back to the variable would hide a wrong mount."""
    if content is not None:
        (tmp_path / "key").write_bytes(content)
    with pytest.raises(Misconfigured, match="KEY_FILE") as caught:
        read_secret("KEY", {"KEY_FILE": str(tmp_path / "key"), "KEY": "from variable"})
    assert "xxx" not in str(caught.value)
