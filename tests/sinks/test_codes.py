"""Every code that a sink or a delivery may tell a person is explained, and nothing else is."""

import re
from pathlib import Path

CODE = re.compile(r'"((?:ledes|pdf|sink|outbox)_[a-z_]+)"')
EXPLAINED = re.compile(r"^\| `((?:ledes|pdf|sink|outbox)_[a-z_]+)` \|", re.MULTILINE)
NAMES = {"ledes_1998b", "ledes_id", "sink_receipt", "outbox_attempt"}


def test_every_code_has_its_line_on_the_page(repository_root: Path) -> None:
    """The page about deliveries lists exactly the codes in the code."""
    files = [*(repository_root / "sinks").rglob("*.py"), *(repository_root / "streams" / "agents").glob("*.py")]
    used = {code for file in files for code in CODE.findall(file.read_text(encoding="utf-8"))} - NAMES
    page = (repository_root / "docs" / "guides" / "deliveries.md").read_text(encoding="utf-8")
    assert sorted(used) == sorted(EXPLAINED.findall(page))
