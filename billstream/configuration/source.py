"""YAML text as plain values that still know their lines.

Safe by construction: the event stream is read without building objects, so no tag can run code; size, depth, number of
nodes and what aliases repeat are limited before anything is made of them (operations section 4). A plain number stays
text until a model asks for a number, so that `0042` and `150.00` arrive as they were written.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, StreamMark, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from billstream.configuration.problems import INVALID, InvalidFiles, Problem, shown_path

FILE_BYTES_MAX = 1_048_576
DEPTH_MAX = 30
NODES_MAX = 20_000

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})
_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,17}")


@dataclass
class Scalar:
    """A leaf: its text, where it stands, and whether it was quoted. Line 0 means that `file` has no lines."""

    file: str
    line: int
    column: int
    text: str
    quoted: bool

    @property
    def value(self) -> str | bool | None:
        """Null, true or false when written plainly, otherwise the text itself."""
        if self.quoted:
            return self.text
        if self.text in _NULL:
            return None
        if self.text in _TRUE or self.text in _FALSE:
            return self.text in _TRUE
        return self.text

    @property
    def integer(self) -> int | None:
        """The number, when this is a plainly written whole number."""
        return int(self.text) if not self.quoted and _INTEGER.fullmatch(self.text) else None


@dataclass
class Items:
    """A list."""

    file: str
    line: int
    column: int
    members: list["Node"] = field(default_factory=list)


@dataclass
class Mapping:
    """A mapping; `keys` has the place of each key."""

    file: str
    line: int
    column: int
    members: dict[str, "Node"] = field(default_factory=dict)
    keys: dict[str, Scalar] = field(default_factory=dict)


Node = Scalar | Items | Mapping
Place = tuple[int | str, ...]


def problem_at(node: Node, message: str, fix: str = "", code: str = "") -> Problem:
    """A finding at a node."""
    return Problem(node.file, node.line, node.column, message, fix, code or INVALID)


def follow(root: Node, place: Sequence[int | str]) -> tuple[Node, Place, Place]:
    """The deepest node on a pydantic place, its real place, and what of the place was not found below it.

    Pydantic puts names of union members into a place; they name no node and are passed over while something follows.
    """
    node, real = root, list[int | str]()
    rest = list(place)
    while rest:
        step = rest[0]
        member = _member(node, step)
        if member is None:
            if len(rest) > 1 and any(_member(node, later) is not None for later in rest[1:]):
                rest.pop(0)
                continue
            break
        node = member
        real.append(step)
        rest.pop(0)
    return node, tuple(real), tuple(rest)


def _member(node: Node, step: int | str) -> Node | None:
    match node:
        case Mapping() if isinstance(step, str):
            return node.members.get(step)
        case Items() if isinstance(step, int) and step < len(node.members):
            return node.members[step]
    return None


class _Refused(Exception):
    """The text cannot be used; it stops the reading of this one file."""

    def __init__(self, line: int, column: int, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.line = line
        self.column = column
        self.message = message
        self.fix = fix


def read_file(path: Path, base: Path) -> Mapping:
    """Read one YAML file; InvalidFiles when it is missing, too large, not YAML, or not a mapping."""
    name = shown_path(path, base)
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise _Refused(1, 1, f"the file is larger than {FILE_BYTES_MAX // 1024} KiB", "split it into several files")
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidFiles([Problem(name, 1, 1, f"not UTF-8 text: {error.reason}", "save the file as UTF-8")]) from None
    except OSError as error:
        raise InvalidFiles([Problem(name, 1, 1, f"cannot be read: {error.strerror}")]) from None
    except _Refused as refused:
        raise InvalidFiles([Problem(name, refused.line, refused.column, refused.message, refused.fix)]) from None
    return read_text(text, name)


def read_text(text: str, name: str) -> Mapping:
    """Read YAML text; InvalidFiles names the place of what cannot be read."""
    try:
        return _Builder(name).build(_events(text))
    except _Refused as refused:
        raise InvalidFiles([Problem(name, refused.line, refused.column, refused.message, refused.fix)]) from None


def _events(text: str) -> Iterator[Event]:
    """The parser's events; its own complaints become refusals with a place."""
    try:
        yield from YAML(typ="safe", pure=True).parse(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = " ".join(str(error.problem or error.context or "not YAML").split())
        raise _refusal(mark, f"not valid YAML: {said}", _yaml_fix(said)) from None
    except YAMLError as error:
        said = " ".join(str(error).split())[:200]
        raise _Refused(_line_of(text, error), 1, f"not valid YAML: {said}", _yaml_fix(said)) from None
    except (ValueError, OverflowError, IndexError, RecursionError) as error:
        # The parser meets impossible escapes and directives with Python's own errors.
        said = " ".join(str(error).split())[:200]
        raise _Refused(1, 1, f"not valid YAML: {said}", _yaml_fix(said)) from None


_YAML_FIXES = (
    ("\\t", "YAML is indented with blanks, never with tabs"),
    ("mapping values are not allowed", "a text with a colon needs quotes; else check the indentation"),
    ("found duplicate anchor", "each anchor needs a name of its own"),
    ("undefined alias", "write the value itself"),
    ("special characters are not allowed", "remove the control character"),
)


def _yaml_fix(said: str) -> str:
    """What to do about a complaint of the parser, in a person's words."""
    for words, fix in _YAML_FIXES:
        if words in said:
            return fix
    return "check quotes, brackets and indentation of this line and the one before it"


def _line_of(text: str, error: YAMLError) -> int:
    """The line of a character that no YAML may hold; the parser knows only its position."""
    position = getattr(error, "position", 0)
    return text.count("\n", 0, position) + 1 if isinstance(position, int) else 1


def _refusal(mark: StreamMark | None, message: str, fix: str = "") -> _Refused:
    return _Refused(mark.line + 1, mark.column + 1, message, fix) if mark else _Refused(1, 1, message, fix)


class _Builder:
    """Builds one document's tree from events without recursion; limits are checked before a node is kept."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._open: list[Items | Mapping] = []
        self._keys: list[Scalar | None] = []
        self._anchors: dict[str, Node] = {}
        self._nodes = 0
        self._documents = 0
        self._root: Node | None = None

    def build(self, events: Iterator[Event]) -> Mapping:
        """The root mapping; an empty file is an empty mapping."""
        for event in events:
            self._take(event)
        if self._root is None or (isinstance(self._root, Scalar) and self._root.value is None):
            return Mapping(self._file, 1, 1)
        if not isinstance(self._root, Mapping):
            raise _Refused(self._root.line, self._root.column, "expected `key: value` lines at the top of the file")
        return self._root

    def _take(self, event: Event) -> None:
        mark: StreamMark = event.start_mark
        line, column = mark.line + 1, mark.column + 1
        match event:
            case DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    raise _Refused(line, column, "a second document starts here", "one file holds one document")
            case ScalarEvent():
                self._refuse_tag(event, line, column)
                self._add(Scalar(self._file, line, column, event.value, quoted=event.style is not None), event.anchor)
            case AliasEvent():
                target = self._anchors.get(event.anchor)
                if target is None:
                    raise _Refused(
                        line, column, f"there is no finished value &{event.anchor} to repeat", "write the value itself"
                    )
                self._add(target, None)
            case SequenceStartEvent():
                self._refuse_tag(event, line, column)
                self._start(Items(self._file, line, column), event.anchor)
            case MappingStartEvent():
                self._refuse_tag(event, line, column)
                self._start(Mapping(self._file, line, column), event.anchor)
            case SequenceEndEvent() | MappingEndEvent():
                self._finish()
            case _:
                pass  # the ends of the document and of the stream say nothing

    def _refuse_tag(self, event: ScalarEvent | SequenceStartEvent | MappingStartEvent, line: int, column: int) -> None:
        if event.ctag is not None:
            raise _Refused(line, column, f"tags such as {event.ctag} are not allowed", "write the plain value")

    def _start(self, node: Items | Mapping, anchor: str | None) -> None:
        if len(self._open) >= DEPTH_MAX:
            raise _Refused(node.line, node.column, f"nested deeper than {DEPTH_MAX} levels", "contracts need five")
        self._refuse_key(node)
        self._count(1, node)
        if anchor:
            raise _Refused(
                node.line, node.column, "an anchor may only stand at a single value", "repeat the lines instead"
            )
        self._open.append(node)
        self._keys.append(None)

    def _finish(self) -> None:
        node = self._open.pop()
        if (key := self._keys.pop()) is not None:
            raise _Refused(key.line, key.column, f"the key '{key.text}' has no value", "write a value behind it")
        self._attach(node)

    def _add(self, node: Node, anchor: str | None) -> None:
        self._count(1, node)
        if anchor:
            self._anchors[anchor] = node
        if self._open and isinstance(self._open[-1], Mapping) and self._keys[-1] is None:
            self._take_key(self._open[-1], node)
        else:
            self._attach(node)

    def _refuse_key(self, node: Node) -> None:
        if self._open and isinstance(self._open[-1], Mapping) and self._keys[-1] is None:
            raise _Refused(node.line, node.column, "a key must be a single word or text", "put quotes around it")

    def _take_key(self, mapping: Mapping, node: Node) -> None:
        assert isinstance(node, Scalar), "aliases stand for single values only"
        if (first := mapping.keys.get(node.text)) is not None:
            raise _Refused(
                node.line,
                node.column,
                f"the key '{node.text}' is already there in line {first.line}",
                "keep one of them",
            )
        mapping.keys[node.text] = node
        self._keys[-1] = node

    def _attach(self, node: Node) -> None:
        if not self._open:
            self._root = node
            return
        parent = self._open[-1]
        if isinstance(parent, Items):
            parent.members.append(node)
            return
        key = self._keys[-1]
        assert key is not None, "a value follows its key"
        parent.members[key.text] = node
        self._keys[-1] = None

    def _count(self, nodes: int, node: Node) -> None:
        self._nodes += nodes
        if self._nodes > NODES_MAX:
            raise _Refused(node.line, node.column, f"the file has more than {NODES_MAX} values", "split it")
