"""Finds every code that the product says to a person, from the syntax trees, and where it says it.

A code is a literal at a known place: the first argument of an error, of a hold or of a finding, the reason of a refused
command, the reason beside a bucket. What each one means stands in `codes.toml`, written by hand.
"""

import ast
import itertools
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOMS = ("schemas", "runtime", "billing", "books", "connectors", "sinks", "streams", "billstream")
ROOTS = frozenset({"BillstreamError", "MachineryError", "CommandFailed"})
CODE = re.compile(r"[a-z][a-z0-9]*(?:[_-][a-z0-9]+)*")
# These have a page of their own, docs/guides/deliveries.md, with a test of its own.
ELSEWHERE = re.compile(r"(?:ledes|pdf|sink|outbox)_")
# Functions that answer with (code, sentence).
_ANSWERS = {"errors": ("billstream/cli/failure.py", "streams/letters.py"), "refusals": ("books/",)}
# Doubts of connectors and deciders about an entry are constants of these files.
_DOUBTS = ("connectors/tables/local_clock.py", "connectors/tables/words.py", "streams/deciding/offline.py")

# What `entries held` says to type, by reason; it names one reason that no invoice sees, because it has no client.
_WAYS_OUT = "billstream/reporting.py"

Places = dict[str, dict[str, set[str]]]


def read_table(folder: Path) -> dict[str, dict[str, list[str]]]:
    """Section -> code -> meaning and what to do, as written by hand."""
    return tomllib.loads((folder / "codes.toml").read_text(encoding="utf-8"))


def codes_in_code(root: Path) -> Places:
    """Section -> code -> files that say it."""
    trees = {
        path.relative_to(root).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for room in ROOMS
        for path in sorted((root / room).rglob("*.py"))
    }
    constants = {name: value for tree in trees.values() for name, value in _constants(tree).items()}
    errors = _error_classes(trees)
    found: Places = {}
    for file, tree in trees.items():
        for section, node in _said(file, tree, errors):
            for code in _texts(node, constants):
                if not ELSEWHERE.match(code):
                    found.setdefault(section, {}).setdefault(code, set()).add(file)
    return found


def _constants(tree: ast.Module) -> dict[str, str]:
    """The texts a module gives names to at its top."""
    return {
        node.targets[0].id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    }


def _error_classes(trees: Mapping[str, ast.Module]) -> frozenset[str]:
    """All classes of the error trees, by name."""
    bases = {
        node.name: {base.id for base in node.bases if isinstance(base, ast.Name)}
        for tree in trees.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    known = set(ROOTS)
    while more := {name for name, above in bases.items() if above & known} - known:
        known |= more
    return frozenset(known)


def _said(file: str, tree: ast.Module, errors: frozenset[str]) -> Iterator[tuple[str, ast.expr]]:
    """Section and expression of each place where a code belongs."""
    if file in _DOUBTS:
        yield from (("places", ast.Constant(value)) for name, value in _constants(tree).items() if "_" in value)
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef() if node.name in errors:
                yield from (("errors", call.args[0]) for call in _calls_above(node))
            case ast.Call():
                yield from _by_call(node, errors)
            case ast.Return(value=ast.Tuple(elts=[ast.Constant(value=str()) as code, _, *_])):
                yield from ((one, code) for one, files in _ANSWERS.items() if file.startswith(files))
            case ast.Tuple():
                yield from _beside_buckets(node.elts)
            case ast.FunctionDef(name="reason") if file.startswith("billing/"):
                yield from (
                    ("places", one.value) for one in ast.walk(node) if isinstance(one, ast.Return) and one.value
                )
            case ast.Assign(targets=[ast.Name(id="_FIXES")], value=ast.Dict(keys=keys)) if file == _WAYS_OUT:
                yield from (("places", key) for key in keys if key is not None)


def _calls_above(node: ast.ClassDef) -> Iterator[ast.Call]:
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "__init__":
            yield from [call] if call.args else []


def _by_call(call: ast.Call, errors: frozenset[str]) -> Iterator[tuple[str, ast.expr]]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    named = {keyword.arg: keyword.value for keyword in call.keywords}
    arguments = call.args
    if (name in errors or name == "file_refused") and arguments:
        yield "errors", arguments[0]
    elif name == "Hold":
        yield "places", arguments[0]
    elif name == "_held" and len(arguments) > 1:
        yield "places", arguments[1]
    elif name == "refuse" and len(arguments) > 2:
        yield "refusals", arguments[2]
    elif name == "Note":
        yield "findings", arguments[0]
    elif name == "Finding" and "code" in named:
        yield "findings", named["code"]
    elif name == "append" and isinstance(call.func, ast.Attribute) and _ends_in(call.func.value, "unapplied"):
        yield from (("errors", one.elts[1]) for one in arguments if isinstance(one, ast.Tuple))
    yield from _beside_buckets(arguments)


def _ends_in(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == name


def _beside_buckets(parts: list[ast.expr]) -> Iterator[tuple[str, ast.expr]]:
    """The reason that follows a bucket."""
    for one, following in itertools.pairwise(parts):
        if isinstance(one, ast.Attribute) and isinstance(one.value, ast.Name) and one.value.id == "Bucket":
            yield "places", following


def _texts(node: ast.expr, constants: Mapping[str, str]) -> Iterator[str]:
    """The codes an expression can be; `cap:` with something behind it is the code `cap:ID`."""
    match node:
        case ast.Constant(value=str() as text) if CODE.fullmatch(text):
            yield text
        case ast.Name(id=name) if name in constants and CODE.fullmatch(constants[name]):
            yield constants[name]
        case ast.IfExp():
            yield from _texts(node.body, constants)
            yield from _texts(node.orelse, constants)
        case ast.JoinedStr(values=[ast.Constant(value=str() as prefix), _]) if prefix.endswith(":"):
            yield f"{prefix}ID"
        case _:
            return
