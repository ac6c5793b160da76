"""The changes mutmut makes to the functions of billing/, each as the function that would stand there instead.

mutmut says where a change is possible and what it is; nothing is written to a file. A change is put into a running
function by giving it the code of the changed one, so whoever already holds the function runs the change.
"""

import ast
import importlib
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from difflib import ndiff
from functools import cached_property
from inspect import getattr_static
from pathlib import Path
from types import FunctionType, ModuleType

import libcst as cst
from libcst.metadata import CodeRange, MetadataWrapper, PositionProvider
from mutmut.mutation.file_mutation import Mutation, create_mutations, deep_replace, group_by_top_level_node

_REACHED = "_reached"
"""The name under which an observed function finds whom to tell."""


@dataclass(frozen=True, order=True)
class Place:
    """A statement of a module, by the line where it begins: what a test reaches or does not."""

    module: str
    line: int


@dataclass(frozen=True, eq=False)
class Function:
    """A function of a module, or a method of one of its classes."""

    module: str
    owner: str
    tree: ast.FunctionDef
    definition: cst.FunctionDef

    @property
    def name(self) -> str:
        """`windows.window_dates`, `explained.Explanations._terms`."""
        return ".".join(part for part in (self.module, self.owner, self.tree.name) if part)

    @cached_property
    def text(self) -> str:
        """What stands there."""
        return _text(self.definition)

    @cached_property
    def _spans(self) -> list[tuple[int, int]]:
        """First and last line of each statement inside."""
        inside = [one for one in ast.walk(self.tree) if isinstance(one, ast.stmt) and one is not self.tree]
        return [(one.lineno, one.end_lineno or one.lineno) for one in inside]

    def place(self, line: int) -> Place:
        """The smallest statement that holds a line; what is above the first statement counts as it."""
        holding = [(end - start, -start) for start, end in self._spans if start <= line <= end]
        return Place(self.module, -min(holding)[1] if holding else self.tree.body[0].lineno)

    def observe(self, reached: Callable[[int], None], numbers: Mapping[Place, int]) -> None:
        """Let each statement say in this process that it is reached, by the number of its place."""
        tree = deepcopy(self.tree)
        blocks = [getattr(one, name, None) for one in ast.walk(tree) for name in ("body", "orelse", "finalbody")]
        for block in blocks:
            if isinstance(block, list):
                for position in range(len(block) - 1, -1, -1):
                    number = numbers.get(Place(self.module, block[position].lineno))
                    if number is not None:
                        block[position:position] = ast.parse(f"{_REACHED}({number})").body
        setattr(_module(self.module), _REACHED, reached)
        self.become(tree)

    def become(self, tree: ast.FunctionDef) -> None:
        """Run this definition from now on, in this process."""
        body: list[ast.stmt] = [tree]
        if self.owner:
            body = [ast.ClassDef(name=self.owner, bases=[], keywords=[], body=body, decorator_list=[])]
        module = ast.fix_missing_locations(ast.Module(body=body, type_ignores=[]))
        names = dict(vars(_module(self.module)))
        exec(compile(module, f"<{self.name}>", "exec"), names)
        fresh = _plain(names[self.owner] if self.owner else names[tree.name], tree.name if self.owner else "")
        home = _module(self.module)
        live = _plain(getattr(home, self.owner) if self.owner else getattr(home, tree.name), self.owner and tree.name)
        live.__code__, live.__defaults__, live.__kwdefaults__ = fresh.__code__, fresh.__defaults__, fresh.__kwdefaults__


@dataclass(frozen=True, eq=False)
class Change:
    """One change of one function; the number counts the changes of the function."""

    function: Function
    number: int
    place: Place
    mutation: Mutation

    @property
    def name(self) -> str:
        """`windows.window_dates#3`."""
        return f"{self.function.name}#{self.number}"

    def text(self) -> str:
        """The function with the change in it."""
        node = deep_replace(self.function.definition, self.mutation.original_node, self.mutation.mutated_node)
        assert isinstance(node, cst.FunctionDef), f"{self.name} is not a function any more"
        return _text(node)

    def apply(self) -> None:
        """Make the change in this process."""
        tree = ast.parse(self.text()).body[0]
        assert isinstance(tree, ast.FunctionDef), f"{self.name} is not a function any more"
        self.function.become(tree)

    def shown(self) -> str:
        """The lines that differ: `- what was there / + what stands there instead`."""
        lines = ndiff(self.function.text.split("\n"), self.text().split("\n"))
        return " / ".join(f"{line[0]} {line[1:].strip()}" for line in lines if line[0] in "+-")


def changes_of(path: Path) -> list[Change]:
    """All changes of a file of billing/, in the order of its functions."""
    text = path.read_text()
    module, mutations, _, _ = create_mutations(str(path), text)
    ranges = MetadataWrapper(module, unsafe_skip_copy=True).resolve(PositionProvider)
    trees = dict(_functions(ast.parse(text)))
    owners = {
        member: one.name.value
        for one in module.body
        if isinstance(one, cst.ClassDef) and isinstance(one.body, cst.IndentedBlock)
        for member in one.body.body
    }
    found: list[Change] = []
    for definition, group in group_by_top_level_node(mutations).items():
        if isinstance(definition, cst.FunctionDef):  # not the fields of a class
            owner = owners.get(definition, "")
            function = Function(path.stem, owner, trees[owner, definition.name.value], definition)
            for number, mutation in enumerate(group, 1):
                where = ranges.get(mutation.original_node)
                line = where.start.line if isinstance(where, CodeRange) else 0
                found.append(Change(function, number, function.place(line), mutation))
    return found


def _functions(tree: ast.Module) -> Iterator[tuple[tuple[str, str], ast.FunctionDef]]:
    for one in tree.body:
        for member in one.body if isinstance(one, ast.ClassDef) else [one]:
            if isinstance(member, ast.FunctionDef):
                yield (one.name if isinstance(one, ast.ClassDef) else "", member.name), member


def _plain(home: object, name: str) -> FunctionType:
    """A function, or the one that a class has under this name, without what binds it."""
    found = getattr_static(home, name) if name else home
    found = found.__func__ if isinstance(found, staticmethod | classmethod) else found
    assert isinstance(found, FunctionType), f"{found} is not a function"
    return found


def _text(node: cst.FunctionDef) -> str:
    return cst.Module([]).code_for_node(node.with_changes(leading_lines=[])).strip()


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"billing.{name}")
