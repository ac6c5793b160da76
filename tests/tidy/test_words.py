"""What may not be written: floats near money, blind excepts, left-overs, machine paths; how every module opens."""

import ast
import re
from typing import Any

import pytest

MONEY_ROOMS = ("billing", "books", "schemas", "sinks")
# Where an `except` that takes everything and goes on is right, with the reason. At most the two supervised loops.
BLIND_EXCEPT: dict[str, str] = {
    "streams/engine/guard.py": "the supervised loop of ordinary agents: what fails becomes a dead letter",
}
BLIND = {"Exception", "BaseException"}
LEFT_OVER = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b(?!\W*\(?#\d+)")  # tidy: these are the words
PLACE_OF_ONE_MACHINE = re.compile(r"(?:^|[^A-Za-z0-9_.$}\-])/(?:work|farm|root|home/[a-z]+|Users/[A-Za-z]+)/")
REGISTRY_HOST = re.compile(r"//[a-z0-9.-]*(?:pypi|pythonhosted|npmjs|crates|repo1?\.maven|proxy\.golang)[a-z0-9.-]*/")
# This file spells out what it forbids.
ITSELF = "tests/tidy/test_words.py"
# `TBD` is not in the list on purpose: BD-nn are the names of the worked examples.


def floats(tree: ast.Module) -> list[int]:
    """Lines that name `float` or write a number with a fraction."""
    named = [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == "float"]
    written = [n.lineno for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, float)]
    return sorted(named + written)


def blind_excepts(tree: ast.Module) -> list[int]:
    """Lines of handlers that catch everything and go on; cleaning up and raising again is no catching."""
    handlers = [node for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler)]
    return [node.lineno for node in handlers if _is_blind(node.type) and not _raises_again(node)]


def _raises_again(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    returns = [node for step in handler.body for node in ast.walk(step) if isinstance(node, ast.Return)]
    return isinstance(last, ast.Raise) and last.exc is None and not returns


def _is_blind(caught: ast.expr | None) -> bool:
    if caught is None:
        return True
    names = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return any(isinstance(name, ast.Name) and name.id in BLIND for name in names)


def test_no_float_where_money_or_time_is_handled(modules: dict[str, ast.Module]) -> None:
    """Money is Decimal and time is whole seconds; a float would be wrong only sometimes."""
    watched = {name: tree for name, tree in modules.items() if name.split("/")[0] in MONEY_ROOMS}
    assert {name: lines for name, tree in watched.items() if (lines := floats(tree))} == {}


def test_nothing_is_caught_that_cannot_be_answered(modules: dict[str, ast.Module]) -> None:
    """`except Exception` stands only in the places named above, and each of those still needs it."""
    blind = {name for name, tree in modules.items() if not name.startswith("tests/") and blind_excepts(tree)}
    assert blind == set(BLIND_EXCEPT) & set(modules)


def test_every_module_opens_with_what_it_is_for(modules: dict[str, ast.Module]) -> None:
    """The first thing in a file is a docstring; an empty file says nothing and is a marker only."""
    silent = [name for name, tree in modules.items() if ast.get_docstring(tree) is None]
    assert silent == []


def test_left_overs_name_their_issue(texts: dict[str, str]) -> None:
    """What is left for later is an issue with a number, not a wish in a comment."""
    found = {name: LEFT_OVER.findall(text) for name, text in texts.items() if name != ITSELF}
    assert {name: words for name, words in found.items() if words} == {}


def test_commented_out_code_is_linted(pyproject: dict[str, Any]) -> None:
    """The lint rule that finds code in comments is on, everywhere."""
    lint = pyproject["tool"]["ruff"]["lint"]
    ignored = [rule for rules in lint["per-file-ignores"].values() for rule in rules]
    assert "ERA" in lint["select"]
    assert not [rule for rule in [*lint["ignore"], *ignored] if rule.startswith("ERA")]


def test_nothing_names_one_machine_or_registry(texts: dict[str, str]) -> None:
    """The repository works anywhere: no folders of somebody's machine, no addresses to download from."""
    suspects = {
        name: [*PLACE_OF_ONE_MACHINE.findall(text), *REGISTRY_HOST.findall(text)]
        for name, text in texts.items()
        if name != ITSELF and not name.endswith(".svg")
    }
    assert {name: found for name, found in suspects.items() if found} == {}


def headings(text: str) -> list[str]:
    """The first-level headings of a Markdown document, fenced blocks left out."""
    outside = re.sub(r"^(```|~~~).*?^\1[ \t]*$", "", text, flags=re.DOTALL | re.MULTILINE)
    return re.findall(r"^# .+$", outside, flags=re.MULTILINE)


def test_every_document_has_one_title(texts: dict[str, str]) -> None:
    """A document is about one thing and says so once. Changelog fragments are sentences and have none."""
    documents = {n: t for n, t in texts.items() if n.endswith(".md") and not re.match(r"changelog\.d/\d", n)}
    assert {name: titles for name, text in documents.items() if len(titles := headings(text)) != 1} == {}


@pytest.mark.parametrize("source", ["x: float = 1", "x = 0.5", "def f(x: int | float): ...", "x = float('1')"])
def test_a_float_is_found(source: str) -> None:
    """Types, literals and conversions are all seen."""
    assert floats(ast.parse(source)) == [1]


@pytest.mark.parametrize("source", ["x = 1", "x = '0.5'", "x = Decimal('0.5')", "'''float'''"])
def test_a_decimal_is_not_a_float(source: str) -> None:
    """Decimals from text and the word in a sentence are fine."""
    assert floats(ast.parse(source)) == []


@pytest.mark.parametrize(
    ("caught", "blind"),
    [("", True), (" Exception", True), (" (OSError, BaseException)", True), (" OSError", False), (" (A, B)", False)],
)
def test_a_blind_except_is_found(caught: str, blind: bool) -> None:
    """Bare, broad and hidden in a tuple."""
    assert bool(blind_excepts(ast.parse(f"try:\n    f()\nexcept{caught}:\n    pass\n"))) is blind


@pytest.mark.parametrize(
    ("answer", "blind"),
    [("undo()\n    raise", False), ("raise Other() from None", True), ("if x:\n        return\n    raise", True)],
)
def test_raising_again_is_no_catching(answer: str, blind: bool) -> None:
    """A handler may undo and pass the same exception on; one that can end otherwise is blind."""
    assert (
        bool(blind_excepts(ast.parse(f"def f():\n  try:\n    g()\n  except BaseException:\n    {answer}\n"))) is blind
    )


@pytest.mark.parametrize(
    ("comment", "left_over"), [("# TODO later", True), ("# TODO(#12) later", False), ("# TODO #7", False)]
)
def test_a_left_over_is_found(comment: str, left_over: bool) -> None:
    """Only the number of an issue makes it a plan."""
    assert bool(LEFT_OVER.search(comment)) is left_over


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("see /" + "root/x", True),
        ("path=/home/ann/x", True),
        ("https://files.python" + "hosted.org/x", True),
        ("the root/ folder", False),
        ("$HOME/" + "work/x", False),
        ("https://example.com/" + "work/", False),
    ],
)
def test_a_machine_path_is_found(text: str, named: bool) -> None:
    """Absolute folders of people and machines, and hosts of registries."""
    assert bool(PLACE_OF_ONE_MACHINE.search(text) or REGISTRY_HOST.search(text)) is named


def test_a_hash_in_a_code_block_is_no_title() -> None:
    """Shell comments in examples are not headings."""
    assert headings("# One\n\n```sh\n# a comment\n```\n\n## Two\n") == ["# One"]
