"""Each reason and each finding that billing can give has its row in the guide."""

import ast
import re
from pathlib import Path


def test_the_guide_names_every_reason_and_finding(repository_root: Path) -> None:
    """A person who reads a reason on a draft finds what to do about it."""
    guide = (repository_root / "docs" / "billing" / "README.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"`([a-z_]+)`", guide))
    used: set[str] = set()
    for file in (repository_root / "billing").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                texts = [one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
                used |= {
                    text for text in texts if node.func.id in _REASONED and re.fullmatch(r"[a-z]+(_[a-z]+)*", text)
                }
    assert len(used) > 10, "the reasons are no longer found where they are made"
    assert used - documented == set()


_REASONED = {"Hold", "Verdict", "Placed", "Note", "placed_as"}
