"""How long a function and a file may be, and how heavy anything in the repository: 60 lines, 600 lines, 200 kB."""

import ast
from pathlib import Path

import pytest

FUNCTION_LINES = 60
FILE_LINES = 600
FILE_BYTES = 200_000
# Heavier files, each with its reason. The list may only shrink.
HEAVY = {
    "requirements/dev.txt": "a lock: one hash for each file of each package, written by script/lock",
}

Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def docstring_lines(node: Documented) -> int:
    """Lines taken by the docstring of this node; 0 without one."""
    if ast.get_docstring(node) is None:
        return 0
    first = node.body[0]
    return (first.end_lineno or first.lineno) - first.lineno + 1


def file_lines(tree: ast.Module, text: str) -> int:
    """Lines of a file without any docstring in it."""
    documented = [node for node in ast.walk(tree) if isinstance(node, Documented)]
    return text.count("\n") - sum(docstring_lines(node) for node in documented)


def long_functions(tree: ast.Module) -> list[tuple[str, int]]:
    """Functions above the limit, nested ones included, with their length without docstring."""
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    lengths = [(f.name, (f.end_lineno or f.lineno) - f.lineno + 1 - docstring_lines(f)) for f in functions]
    return [(name, lines) for name, lines in lengths if lines > FUNCTION_LINES]


def test_no_function_is_longer_than_sixty_lines(modules: dict[str, ast.Module]) -> None:
    """A function that does one thing fits on a screen, docstring not counted."""
    assert {name: found for name, tree in modules.items() if (found := long_functions(tree))} == {}


def test_no_file_is_longer_than_six_hundred_lines(modules: dict[str, ast.Module], texts: dict[str, str]) -> None:
    """A file that grew past this wants to be a folder."""
    lengths = {name: file_lines(tree, texts[name]) for name, tree in modules.items()}
    assert {name: lines for name, lines in lengths.items() if lines > FILE_LINES} == {}


def test_nothing_heavy_is_in_the_repository(repository_root: Path, tracked_files: tuple[str, ...]) -> None:
    """A clone stays small; what must be heavy is listed with its reason, and leaves the list when it is light again."""
    heavy = {name for name in tracked_files if (repository_root / name).stat().st_size > FILE_BYTES}
    assert heavy - set(HEAVY) == set()
    assert set(HEAVY) <= set(tracked_files)


@pytest.mark.parametrize(("body_lines", "refused"), [(59, False), (60, True)])
def test_the_sixty_first_line_of_a_function_is_refused(body_lines: int, refused: bool) -> None:
    """`def` plus 59 lines pass, one more does not; a long docstring changes nothing."""
    source = 'def f() -> None:\n    """One.\n\n    Two.\n    """\n' + "    pass\n" * body_lines
    assert bool(long_functions(ast.parse(source))) is refused


def test_docstrings_are_not_counted_in_a_file() -> None:
    """Three lines of code with five lines of docstrings are three lines."""
    source = '"""A.\n\nB.\n"""\nclass C:\n    """D."""\n    x = 1\n    y = 2\n'
    assert file_lines(ast.parse(source), source) == 3
