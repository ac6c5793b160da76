"""The script menu: short, plain shell, honest about a missing Python, and quick when there is nothing to do."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

MENU = ("bench", "chaos", "check", "demo", "docs", "golden", "lock", "mutate", "setup", "test")
# What script/setup may use besides Python: the tools every system has.
PLAIN_TOOLS = ("sh", "cat", "cksum", "dirname", "env")
# Stands in for the Python of .venv: it notes what it was asked, and is always new enough.
NOTING_PYTHON = '#!/bin/sh\necho "$*" >>"$(dirname "$0")/asked"\n'


@pytest.fixture
def bare_checkout(repository_root: Path, tmp_path: Path) -> Path:
    """The files that set-up reads, and a `tools` folder that stands for a machine with no Python at all."""
    checkout = tmp_path / "checkout"
    for folder in ("script", "requirements"):
        shutil.copytree(repository_root / folder, checkout / folder)
    shutil.copy(repository_root / "pyproject.toml", checkout)
    (checkout / "tools").mkdir()
    for tool in PLAIN_TOOLS:
        found = shutil.which(tool)
        assert found is not None, tool
        (checkout / "tools" / tool).symlink_to(found)
    return checkout


def set_up(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run script/setup on a machine that has only the checkout's tools."""
    environment = {"PATH": str(checkout / "tools"), "HOME": str(checkout)}
    command = [str(checkout / "script/setup"), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def noting_checkout(bare_checkout: Path) -> Path:
    """A checkout whose .venv holds a Python that only notes what it is asked."""
    python = bare_checkout / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(NOTING_PYTHON)
    python.chmod(0o755)
    return bare_checkout


def asked(checkout: Path) -> list[str]:
    """What the noting Python was asked to install since the last look."""
    notes = checkout / ".venv/bin/asked"
    lines = [line for line in notes.read_text().splitlines() if "pip install" in line]
    notes.unlink()
    return lines


def test_the_menu_is_complete_and_plain(repository_root: Path) -> None:
    """Every script is there, can be run, is valid POSIX shell, says what it does in its second line, and is short."""
    scripts = [*(repository_root / "script" / name for name in MENU), repository_root / ".ci/run"]
    assert sorted(path.name for path in (repository_root / "script").iterdir()) == list(MENU)
    for path in scripts:
        lines = path.read_text().splitlines()
        assert lines[0] == "#!/bin/sh", path
        assert lines[1].startswith("# "), path
        assert len(lines) <= 60, path
        assert os.access(path, os.X_OK), path
        assert subprocess.run(["sh", "-n", str(path)], check=False).returncode == 0, path


def test_the_scripts_leave_the_settings_prefix_alone(repository_root: Path) -> None:
    """A BILLSTREAM_ variable that a script asked for would then be refused by the program it starts."""
    texts = [(repository_root / "script" / name).read_text() for name in MENU]
    assert [text for text in texts if "BILLSTREAM_" in text] == []


def test_a_machine_without_python_gets_one_clear_sentence(bare_checkout: Path) -> None:
    """Set-up ends with 69 (a dependency is missing), says what is needed and how to get it, and makes nothing."""
    finished = set_up(bare_checkout)
    assert finished.returncode == 69
    assert "needs Python 3.11 or newer" in finished.stderr
    assert not (bare_checkout / ".venv").exists()


def test_an_old_python_is_no_python(bare_checkout: Path) -> None:
    """A Python that fails the version question is passed over."""
    old = bare_checkout / "tools/python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    assert set_up(bare_checkout).returncode == 69


def test_an_unknown_set_is_refused(bare_checkout: Path) -> None:
    """A wrong word ends with 2 (usage) before anything is made."""
    finished = set_up(bare_checkout, "everything")
    assert (finished.returncode, "'run'" in finished.stderr) == (2, True)


def test_only_hashed_locks_are_installed(noting_checkout: Path) -> None:
    """Packages come from the locks with hashes and as wheels; our own code is installed without looking elsewhere."""
    assert set_up(noting_checkout, "run").returncode == 0
    *locked, own = asked(noting_checkout)
    assert [line.rsplit(" ", 1)[-1] for line in locked] == ["requirements/run.txt", "requirements/build.txt"]
    assert all("--require-hashes" in line and "--only-binary :all:" in line for line in locked)
    assert "--no-deps" in own
    assert "--no-index" in own


def test_a_second_set_up_does_nothing(noting_checkout: Path) -> None:
    """Nothing changed, so nothing is installed; who set up for development can also run."""
    assert set_up(noting_checkout, "dev").returncode == 0
    assert len(asked(noting_checkout)) == 2
    assert set_up(noting_checkout, "dev").returncode == 0
    assert set_up(noting_checkout, "run").returncode == 0
    assert asked(noting_checkout) == []


def test_a_changed_lock_is_installed(noting_checkout: Path) -> None:
    """After a pull that changed a lock, the next script brings the environment in step."""
    set_up(noting_checkout, "dev")
    asked(noting_checkout)
    with (noting_checkout / "requirements/run.txt").open("a") as lock:
        lock.write("# changed\n")
    assert set_up(noting_checkout, "dev").returncode == 0
    assert len(asked(noting_checkout)) == 2


def test_a_moved_checkout_is_set_up_anew(noting_checkout: Path) -> None:
    """The programs of an environment know its folder by heart, so one that was moved is not used."""
    set_up(noting_checkout, "dev")
    (noting_checkout / ".venv/.home").write_text("/somewhere/else\n")
    assert set_up(noting_checkout, "dev").returncode == 69, "this machine has no Python to make another one"


def test_a_failed_set_up_is_tried_again(noting_checkout: Path) -> None:
    """When a package cannot be had, set-up fails, and the next run does not believe that it is done."""
    python = noting_checkout / ".venv/bin/python"
    python.write_text(NOTING_PYTHON + 'case "$*" in *requirements*) exit 1 ;; esac\n')
    assert set_up(noting_checkout, "dev").returncode != 0
    python.write_text(NOTING_PYTHON)
    assert set_up(noting_checkout, "dev").returncode == 0
    assert "--editable" in asked(noting_checkout)[-1]
