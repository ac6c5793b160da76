"""The JSON Schemas of the files people write, for editors and for programs that write them.

They are made of the models that read the files, so they cannot fall behind. What a schema cannot say (names of the
directory, contracts that overlap, worked examples) `billstream contracts check` says.
"""

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import cast

from pydantic import BaseModel, ValidationError

from billstream.configuration.wording import KEYS
from billstream.settings import Settings
from schemas.contract import ContractDocument
from schemas.directory import DirectoryDocument

Json = dict[str, object]
DIALECT = "https://json-schema.org/draft/2020-12/schema"
DECIMAL = r"^[+-]?[0-9]+(_[0-9]+)*(\.[0-9]+(_[0-9]+)*)?$"
INTEGER = r"^[+-]?[0-9]+(_[0-9]+)*$"
_LITERALS = ("enum", "const", "format", "pattern")


class FileKind(StrEnum):
    """The kinds of files that have a schema."""

    CONTRACT = "contract"
    DIRECTORY = "directory"
    SETTINGS = "settings"

    @property
    def file_name(self) -> str:
        """`contract.schema.json`."""
        return f"{self.value}.schema.json"


_MODELS: Mapping[FileKind, tuple[type[BaseModel], str]] = {
    FileKind.CONTRACT: (ContractDocument, "A contract of Billstream"),
    FileKind.DIRECTORY: (DirectoryDocument, "A part of the directory of Billstream"),
    FileKind.SETTINGS: (Settings, "The settings of Billstream"),
}

_CONDITIONS: Mapping[str, tuple[Json, ...]] = {
    "Cap": (
        {
            "if": {"properties": {"window": {"const": "entry"}}, "required": ["window"]},
            "then": {"properties": {"pool": {"const": "all"}}},
            "else": {"required": ["pool"]},
        },
        {
            "if": {"properties": {"overflow": {"const": "overage_rate"}}, "required": ["overflow"]},
            "then": {"required": ["overage_rate"]},
            "else": {"not": {"required": ["overage_rate"]}},
        },
    ),
    "TaxRule": (
        {
            "if": {"properties": {"percent": {"enum": [0, "0"]}}, "required": ["percent"]},
            "then": {"required": ["reason"]},
        },
    ),
    "Rounding": (
        {
            "if": {"properties": {"amount_basis": {"const": "displayed"}}, "required": ["amount_basis"]},
            "then": {"required": ["quantity_decimals"]},
        },
    ),
}


def schema_of(kind: FileKind) -> Json:
    """The schema of one kind of file. A directory may be spread over files, so no part of it is required in one."""
    model, title = _MODELS[kind]
    schema = cast(Json, _mended(model.model_json_schema(by_alias=True), named=True))
    definitions = cast(Mapping[str, Json], schema.get("$defs", {}))
    for name, conditions in _CONDITIONS.items():
        if name in definitions:
            definitions[name]["allOf"] = list(conditions)
    if kind is FileKind.CONTRACT:
        _allow_nothing(cast(dict[str, Json], schema["properties"]))
    if kind is FileKind.DIRECTORY:
        schema.pop("required", None)
    return {"$schema": DIALECT, "$id": f"urn:billstream:{kind.value}:1", **schema, "title": title}


def _allow_nothing(properties: dict[str, Json]) -> None:
    """Some lists may be left empty behind their key; which ones, the model itself is asked."""
    needed = {"id": "a", "client": "a", "currency": "EUR", "zone": "UTC"}
    for name, schema in properties.items():
        if schema.get("type") != "array":
            continue
        try:
            ContractDocument.model_validate({**needed, name: None})
        except ValidationError:
            continue
        schema["type"] = ["array", "null"]


def schema_text(kind: FileKind) -> str:
    """The schema as it is written to a file."""
    return json.dumps(schema_of(kind), indent=1, ensure_ascii=False) + "\n"


def _mended(node: object, *, named: bool = False) -> object:
    """The library's schema with what it cannot know: words for keys, forms of numbers, texts written as numbers.

    `named` tells a group of named schemas (`$defs`, the root) from a property that happens to be called so.
    """
    if isinstance(node, list):
        return [_mended(member) for member in node]
    if not isinstance(node, dict):
        return node
    found: Json = {}
    for key, member in node.items():
        if key == "properties" and isinstance(member, dict):
            found[key] = {name: _described(name, _mended(one)) for name, one in member.items()}
        elif key == "$defs" and isinstance(member, dict):
            found[key] = {name: _mended(one, named=True) for name, one in member.items()}
        elif key == "enum" and isinstance(member, list):
            found[key] = [one for one in member if one != "unknown"]
        elif key in ("default", "discriminator", "const", "examples"):
            found[key] = member
        elif key != "title" or named:
            found[key] = _mended(member)
    return _number_or_text(found)


def _described(name: str, schema: object) -> object:
    """A property with its sentence; a default that only repeats the type is left out."""
    if not isinstance(schema, dict):
        return schema
    described = {key: member for key, member in schema.items() if key != "default" or member not in (None, "", [], {})}
    if isinstance(described.get("default"), dict | list):
        described.pop("default")
    if "description" not in described and name in KEYS:
        described["description"] = KEYS[name]
    return described


def _number_or_text(schema: Json) -> Json:
    """YAML reads `2026` as a number where a text is meant, and `"150.00"` as a text where a number is."""
    if schema.get("type") == "string" and not any(key in schema for key in _LITERALS if key != "pattern"):
        return {**schema, "type": ["string", "number"]}
    if schema.get("type") == "integer":
        return {**schema, "type": ["integer", "string"], "pattern": INTEGER}
    choices = schema.get("anyOf")
    if isinstance(choices, list):
        numbers = [one for one in choices if isinstance(one, dict) and one.get("type") == "number"]
        if numbers:
            texts: list[object] = [{"type": "string", "pattern": DECIMAL} if _is_text(one) else one for one in choices]
            return {**schema, "anyOf": texts}
    return schema


def _is_text(one: object) -> bool:
    return isinstance(one, dict) and one.get("type") in ("string", ["string", "number"])
