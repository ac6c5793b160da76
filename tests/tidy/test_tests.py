"""The tests read like the specification: each says what must hold, none is switched off, every example is named."""

import ast
import re

import pytest

# The worked examples of the billing rules, BD-01 to BD-80. Those whose rules are built must each be named by a test;
# the rest is listed with what it waits for. The list may only shrink: an example that a test names leaves it.
ALL_EXAMPLES = range(1, 81)
NOT_YET: dict[str, frozenset[int]] = {}
EXAMPLE = re.compile(r"\bBD-(\d\d)(?:(?:\.\.|–| to )(?:BD-)?(\d\d)\b)?")
SWITCHED_OFF = {"skip", "skipif", "xfail", "importorskip"}
Function = ast.FunctionDef | ast.AsyncFunctionDef


def named_examples(text: str) -> set[int]:
    """Numbers of the examples in a text; `BD-30..32` names three."""
    found = [(int(first), int(last or first)) for first, last in EXAMPLE.findall(text)]
    return {number for first, last in found for number in range(first, last + 1)}


def functions_that_test(tree: ast.Module) -> list[Function]:
    """The test functions of a module, those in classes included."""
    functions = [node for node in ast.walk(tree) if isinstance(node, Function)]
    return [function for function in functions if function.name.startswith("test_")]


def sleeps(tree: ast.Module) -> list[int]:
    """Lines that wait for time to pass.

    Asking again until something holds is no sleeping: a short pause in a `while` with a condition is allowed, and so is
    `asyncio.sleep(0)`, which only lets others run.
    """
    loops = [node for node in ast.walk(tree) if isinstance(node, ast.While) and not isinstance(node.test, ast.Constant)]
    asked_again = {id(node) for loop in loops for node in ast.walk(loop)}
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    waits = [call for call in calls if ast.unparse(call.func) in {"time.sleep", "asyncio.sleep"}]
    return [w.lineno for w in waits if not (_seconds(w) == 0 or (id(w) in asked_again and _seconds(w) < 1))]


def _seconds(call: ast.Call) -> float:
    """How long a call sleeps; for ever when that is not written out."""
    match call.args:
        case [ast.Constant(value=int() | float() as seconds)]:
            return seconds
        case _:
            return float("inf")


def switched_off(tree: ast.Module) -> list[int]:
    """Lines that skip a test or expect it to fail."""
    attributes = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    return [node.lineno for node in attributes if node.attr in SWITCHED_OFF and "pytest" in ast.unparse(node.value)]


@pytest.fixture(scope="session")
def proof_modules(modules: dict[str, ast.Module]) -> dict[str, ast.Module]:
    """The modules under tests/."""
    return {name: tree for name, tree in modules.items() if name.startswith("tests/")}


def test_every_test_says_what_must_hold(proof_modules: dict[str, ast.Module]) -> None:
    """A docstring per test: the sentence that is false when it fails."""
    silent = [
        f"{n}::{f.name}"
        for n, tree in proof_modules.items()
        for f in functions_that_test(tree)
        if not ast.get_docstring(f)
    ]
    assert silent == []


def test_test_folders_are_no_packages(tracked_files: tuple[str, ...]) -> None:
    """With an __init__.py in it, tests/connectors would be imported as the room it is named after."""
    assert [name for name in tracked_files if re.fullmatch(r"tests/(.*/)?__init__\.py", name)] == []


def test_no_test_is_switched_off(proof_modules: dict[str, ast.Module]) -> None:
    """A test that cannot run here fails and says what is missing."""
    assert {name: lines for name, tree in proof_modules.items() if (lines := switched_off(tree))} == {}


def test_no_test_sleeps(proof_modules: dict[str, ast.Module]) -> None:
    """A test waits for something that happens, never for time to pass."""
    assert {name: lines for name, tree in proof_modules.items() if (lines := sleeps(tree))} == {}


def test_every_worked_example_is_named_by_a_test(texts: dict[str, str]) -> None:
    """Each example BD-01 to BD-80 is proven by a test that names it, or waits in the list for its rules; never both."""
    elsewhere = [t for n, t in texts.items() if n.startswith("tests/") and not n.startswith("tests/tidy/")]
    named = set().union(*map(named_examples, elsewhere))
    waiting = set().union(*NOT_YET.values())
    assert sorted(set(ALL_EXAMPLES) - named - waiting) == [], "no test names these examples"
    assert sorted(named & waiting) == [], "a test names these: take them off the list"
    assert named <= set(ALL_EXAMPLES)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("BD-24, BD-25: weekly cap", {24, 25}),
        ("(BD-30..32, BD-60)", {30, 31, 32, 60}),
        ("BD-01 to BD-03", {1, 2, 3}),
        ("ABD-01, BD-1, BD 24", set()),
        ("BD-08 - 10 cases", {8}),
    ],
)
def test_examples_are_read_from_a_text(text: str, numbers: set[int]) -> None:
    """Lists and ranges count, look-alikes do not."""
    assert named_examples(text) == numbers


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("time.sleep(1)", [1]),
        ("await asyncio.sleep(0.1)", [1]),
        ("await asyncio.sleep(0)", []),
        ("clock.sleep(5)", []),
        ("while not done():\n    time.sleep(0.1)", []),
        ("while not done():\n    time.sleep(5)", [2]),
        ("while not done():\n    time.sleep(pause)", [2]),
        ("while True:\n    time.sleep(0.1)", [2]),
    ],
)
def test_a_sleep_is_found(source: str, found: list[int]) -> None:
    """Both ways to sleep are seen; yielding, asking again and a test's own clock are not sleeping."""
    assert sleeps(ast.parse(source)) == found


@pytest.mark.parametrize(
    "source", ["@pytest.mark.skip\ndef f(): ...", "pytest.skip('x')", "x = pytest.mark.xfail(strict=True)"]
)
def test_a_switched_off_test_is_found(source: str) -> None:
    """Marks, calls and marks kept for later."""
    assert switched_off(ast.parse(source)) == [1]
