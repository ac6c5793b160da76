"""The guides can be typed as they are: each command in them is understood by the command line."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from billstream.cli.application import application
from billstream.cli.session import split_arguments
from billstream.configuration.source import read_text
from billstream.configuration.validate import validate
from schemas.contract import ContractDocument

BLOCK = re.compile(r"^```sh$(.*?)^```$", re.DOTALL | re.MULTILINE)
SNIPPET = re.compile(r"^```yaml$\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PHRASE = re.compile(r"^\| \".*?\" \| `([a-z]+: [^`]*)` \|$", re.MULTILINE)
GUIDES = (
    "docs/guides/quickstart.md",
    "docs/guides/begin.md",
    "docs/guides/contracts.md",
    "docs/guides/backup.md",
    "docs/guides/past.md",
    "docs/guides/dead-letters.md",
    "docs/runbooks/dead-letters.md",
    "docs/runbooks/restore.md",
    "docs/walkthrough.md",
)


def typed(text: str) -> list[list[str]]:
    lines = [line.strip() for block in BLOCK.findall(text) for line in block.splitlines()]
    return [shlex.split(line)[1:] for line in lines if line.startswith("billstream ")]


def understand(command: Any, arguments: list[str]) -> None:  # noqa: ANN401  # typer's own copy of click has no public types
    """Read the arguments down to the last command, and run nothing."""
    name, *rest = arguments
    inner = command.commands[name]
    if hasattr(inner, "commands"):
        understand(inner, rest)
    else:
        inner.make_context(name, rest)


@pytest.mark.parametrize("guide", GUIDES)
def test_every_command_of_a_guide_is_understood(repository_root: Path, guide: str) -> None:
    """Names, options and values are right; a renamed option turns this red."""
    found = typed((repository_root / guide).read_text())
    assert found
    for arguments in found:
        _, rest = split_arguments(arguments)
        understand(get_command(application), rest)


def test_the_files_of_the_walkthrough_exist(repository_root: Path) -> None:
    """Every file that it names is there."""
    text = (repository_root / "docs/walkthrough.md").read_text()
    named = set(re.findall(r"`([a-z_]+/[a-z_/.0-9]+?\.py|[a-z_]+/[a-z_/]+/)`", text))
    assert len(named) > 15
    assert [name for name in named if not (repository_root / name).exists()] == []


def test_every_contract_of_the_guide_is_valid(repository_root: Path) -> None:
    """The whole contract as it stands, and each snippet and phrase put into it."""
    text = (repository_root / "docs/guides/contracts.md").read_text()
    whole, *snippets = SNIPPET.findall(text)
    parts = [*snippets, *PHRASE.findall(text)]
    assert len(parts) > 8
    for part in ["", *parts]:
        tree = read_text(whole, "guide")
        tree.members |= read_text(part, "guide").members
        assert validate(tree, ContractDocument).client == "northwind"
