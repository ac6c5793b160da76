"""A read file against a pydantic model: every error gets its line, what was expected, and the nearest valid word."""

import re
import types
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Annotated, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from billstream.configuration.problems import AMBIGUOUS, INVALID, NOT_YET, InvalidFiles, Problem, nearest
from billstream.configuration.questions import MISSING
from billstream.configuration.source import Items, Mapping, Node, Place, Scalar, follow, problem_at
from schemas.dated import NOT_YET as NOT_YET_WORDS

Model = TypeVar("Model", bound=BaseModel)
Plain = str | int | bool | None | list["Plain"] | dict[str, "Plain"]

# What was expected, for the kinds of error a person makes most; others keep the library's words.
_EXPECTED = {
    "dict_type": "expected lines of `key: value`",
    "mapping_type": "expected lines of `key: value`",
    "model_type": "expected lines of `key: value`",
    "string_type": "expected text",
    "list_type": "expected a list",
    "tuple_type": "expected a list",
    "int_parsing": "expected a whole number",
    "int_type": "expected a whole number",
    "decimal_parsing": "expected a number such as 150.00",
    "decimal_type": "expected a number such as 150.00",
    "bool_parsing": "expected true or false",
    "bool_type": "expected true or false",
    "date_parsing": "expected a date such as 2026-10-31",
    "date_from_datetime_parsing": "expected a date such as 2026-10-31",
    "date_type": "expected a date such as 2026-10-31",
}

_WORDS = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]*[A-Za-z0-9_]|[A-Za-z0-9_]")
_QUOTED = re.compile(r"'([^']*)'")
_SHOWN_VALUE_CHARACTERS = 40


def validate(node: Mapping, model: type[Model]) -> Model:
    """The model read from a tree; InvalidFiles lists everything that does not fit."""
    try:
        return _truthful(node, model.model_validate(plain(node)))
    except ValidationError as error:
        integers = _integers_wanted(node, error.errors(include_url=False))
    try:
        return _truthful(node, model.model_validate(_plain_with(node, (), integers)))
    except ValidationError as error:
        found = [_problem(node, model, details) for details in error.errors(include_url=False)]
        raise InvalidFiles(
            sorted(set(found), key=lambda problem: (problem.file, problem.line, problem.column))
        ) from None


def _truthful(node: Mapping, value: Model) -> Model:
    """The value, unless `true` or `false` was taken for a number, as the library would: that is a mistake."""
    found = [
        problem_at(one, f"{place}: {_found(one)}: expected a number, not true or false", "write the number")
        for place, one in _as_numbers(node, value, "")
    ]
    if found:
        raise InvalidFiles(found)
    return value


def _as_numbers(node: Node, value: object, place: str) -> Iterator[tuple[str, Scalar]]:
    """The scalars written as true or false whose value is a number."""
    match node:
        case Scalar() if isinstance(node.value, bool):
            if isinstance(value, int | Decimal) and not isinstance(value, bool):
                yield place, node
        case Items() if isinstance(value, tuple):
            for index, member in enumerate(node.members[: len(value)]):
                yield from _as_numbers(member, value[index], f"{place}.{index}".lstrip("."))
        case Mapping():
            for key, member in node.members.items():
                yield from _as_numbers(member, _member_of(value, key), f"{place}.{key}".lstrip("."))
        case _:
            pass


def _member_of(value: object, key: str) -> object:
    if isinstance(value, BaseModel):
        names = (name for name, field in type(value).model_fields.items() if key in {name, field.alias})
        name = next(names, "")
        return getattr(value, name) if name else None
    return value.get(key) if isinstance(value, dict) else None


def plain(node: Node) -> Plain:
    """The node as plain values; numbers stay text."""
    return _plain_with(node, (), frozenset())


def _plain_with(node: Node, place: Place, integers: frozenset[Place]) -> Plain:
    """Plain values, where the named places become whole numbers."""
    match node:
        case Scalar():
            return node.integer if place in integers and node.integer is not None else node.value
        case Items():
            return [_plain_with(member, (*place, index), integers) for index, member in enumerate(node.members)]
        case Mapping():
            return {key: _plain_with(member, (*place, key), integers) for key, member in node.members.items()}


def _integers_wanted(root: Mapping, errors: Sequence[ErrorDetails]) -> frozenset[Place]:
    """Places that were refused as text and could be a whole number (a literal or an enum of numbers)."""
    places = [follow(root, error["loc"]) for error in errors]
    return frozenset(place for node, place, _ in places if isinstance(node, Scalar) and node.integer is not None)


def _problem(root: Mapping, model: type[BaseModel], details: ErrorDetails) -> Problem:
    """One pydantic error in the words of a person who edits a file."""
    node, place, _ = follow(root, details["loc"])
    shown = ".".join(str(step) for step in place)
    kind = details["type"]
    if kind == "missing":
        return _missing(node, model, place, str(details["loc"][-1]))
    if kind == "extra_forbidden":
        key = str(details["loc"][-1])
        parent, parent_place, _ = follow(root, details["loc"][:-1])
        at = parent.keys.get(key, node) if isinstance(parent, Mapping) else node
        fields = fields_at(model, parent_place, parent)
        return problem_at(at, f"unknown key '{key}'", nearest(key, fields) or _where_to_read(model, place, node))
    sentence = _sentence(node, shown or "the file", details)
    asks = "? " in f"{_QUOTED.sub('', sentence)} "
    code = NOT_YET if NOT_YET_WORDS in sentence else AMBIGUOUS if asks else INVALID
    at = node if isinstance(node, Scalar) else _named_in(node, sentence)
    return problem_at(at, sentence, _fix(node, details) or _where_to_read(model, place, node), code)


def _missing(node: Node, model: type[BaseModel], place: Place, missing: str) -> Problem:
    """A key that has to be there; where a sentence of an agreement leaves it open, the question it has to answer."""
    where = f" in {'.'.join(str(step) for step in place)}" if place else ""
    asked = MISSING.get((_model_at(model, place, node).__name__, missing))
    if asked is None:
        return problem_at(node, f"'{missing}' is missing{where}", f"add `{missing}: ...`")
    question, answer = asked
    return problem_at(node, f"'{missing}' is missing{where}: {question}", f"write `{answer}`", AMBIGUOUS)


def _named_in(node: Node, sentence: str) -> Node:
    """The member that a sentence about a whole group names by its id or key: people look there first."""
    words = set(_WORDS.findall(sentence))
    for row in _rows_below(node):
        identifier = row.members.get("id")
        if isinstance(identifier, Scalar) and identifier.text in words:
            return row
    if isinstance(node, Mapping):
        for word in _WORDS.findall(sentence):
            if word in node.keys:
                return node.keys[word]
    return node


def _rows_below(node: Node) -> Iterator[Mapping]:
    """The rows of lists in a node, one level of keys deep, those of the file's beginning first."""
    lists = [node] if isinstance(node, Items) else []
    if isinstance(node, Mapping):
        lists += [member for member in node.members.values() if isinstance(member, Items)]
    for one in lists:
        yield from (member for member in one.members if isinstance(member, Mapping))


def _where_to_read(model: type[BaseModel], place: Place, node: Node) -> str:
    """The page that tells what can stand here, for the cases in which no nearer word is known."""
    name = _model_at(model, place if isinstance(node, Mapping) else place[:-1], node).__name__
    page = "settings.md" if model.__name__ == "Settings" else f"contracts.md#{name.lower()}"
    return f"see docs/reference/{page}"


def _sentence(node: Node, shown: str, details: ErrorDetails) -> str:
    """What was found and what was expected, without the library's own phrases where they are unclear."""
    said = details["msg"].removeprefix("Value error, ")
    found = _found(node)
    match details["type"]:
        case "enum" | "literal_error":
            return f"{shown}: {found} is not one of the values it may have"
        case "value_error" | "assertion_error":
            return f"{shown}: {said}"
        case "union_tag_invalid" | "union_tag_not_found":
            tag = details.get("ctx", {}).get("tag", "")
            return f"{shown}: '{tag}' is not one of the kinds there are" if tag else f"{shown}: 'kind' is missing"
        case _:
            expected = _EXPECTED.get(details["type"], f"{said[:1].lower()}{said[1:]}")
            return f"{shown}: {found}: {expected}"


def _fix(node: Node, details: ErrorDetails) -> str:
    context = details.get("ctx", {})
    expected = str(context.get("expected") or context.get("expected_tags") or "")
    words = _QUOTED.findall(expected) or [
        word.strip() for word in expected.replace(" or ", ", ").split(",") if word.strip()
    ]
    if not words:
        return ""
    written = str(context.get("tag", "")) or (node.text if isinstance(node, Scalar) else "")
    return nearest(written, words) if written else "write one of: " + ", ".join(words)


def _found(node: Node) -> str:
    match node:
        case Scalar():
            text = (
                node.text if len(node.text) <= _SHOWN_VALUE_CHARACTERS else node.text[:_SHOWN_VALUE_CHARACTERS] + "..."
            )
            return f"'{text}'" if text else "an empty value"
        case Items():
            return "a list"
        case Mapping():
            return "a group of keys"


def fields_at(model: type[BaseModel], place: Place, node: Node) -> tuple[str, ...]:
    """The keys that a model knows at a place; of a union, those of the member that shares most keys with the node."""
    best = _model_at(model, place, node)
    return tuple((field.alias or name) for name, field in best.model_fields.items())


def _model_at(model: type[BaseModel], place: Place, node: Node) -> type[BaseModel]:
    models = [model]
    for step in place:
        having = [known for known in models if _has_field(known, step)] or models
        models = [found for known in having for found in _models_below(known, step)] or models
    written = set(node.keys) if isinstance(node, Mapping) else set()
    return max(models, key=lambda known: len(written & set(known.model_fields)))


def _has_field(model: type[BaseModel], step: int | str) -> bool:
    return any(step in {name, field.alias} for name, field in model.model_fields.items())


def _models_below(model: type[BaseModel], step: int | str) -> list[type[BaseModel]]:
    if isinstance(step, int):
        return [model]
    for name, field in model.model_fields.items():
        if step in {name, field.alias}:
            return _models_in(field.annotation)
    return [model]


def _models_in(annotation: object) -> list[type[BaseModel]]:
    """All models an annotation mentions: optional, list, tuple, mapping or union members."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) in {Union, types.UnionType, Annotated, list, tuple, dict} or get_args(annotation):
        return [found for argument in get_args(annotation) for found in _models_in(argument)]
    return []
