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


def test_each_open_point_is_decided_somewhere_and_tested(repository_root: Path) -> None:
    """The page of open points names sections that exist and tests that exist; none of its rows is left without them."""
    folder = repository_root / "docs" / "billing"
    rows = [line for line in (folder / "open-points.md").read_text(encoding="utf-8").splitlines() if "?" in line]
    tests = {
        name
        for file in (repository_root / "tests").rglob("test_*.py")
        for name in re.findall(r"def (test_\w+)\(", file.read_text(encoding="utf-8"))
    }
    assert len(rows) >= 17
    for row in rows:
        _, _, decided, tested, _ = row.split("|")
        named = re.findall(r"`(test_\w+)`", tested)
        assert named, row
        assert set(named) <= tests, row
        for page, section in re.findall(r"\]\(([a-z]+\.md)#([a-z-]+)\)", decided):
            heads = re.findall(r"^## (.+)$", (folder / page).read_text(encoding="utf-8"), re.MULTILINE)
            assert section in {re.sub(r"[^a-z -]", "", head.lower()).replace(" ", "-") for head in heads}, (
                page,
                section,
            )


_REASONED = {"Hold", "Verdict", "Placed", "Note", "placed_as"}
