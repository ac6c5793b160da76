"""Derives the Avro schema of a model: the committed `.avsc` files are proven to agree with it, and made from it."""

import types
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Annotated, Union, get_args, get_origin

from pydantic import AwareDatetime, BaseModel
from pydantic.fields import FieldInfo

from schemas.values import Record

AvroType = str | dict[str, object] | list[object]
NAMESPACE = "com.billstream"
_PRIMITIVES: dict[type, AvroType] = {
    bool: "boolean",
    int: "long",
    str: "string",
    bytes: "bytes",
    Decimal: {"type": "string", "billstream": "decimal"},
    AwareDatetime: {"type": "long", "logicalType": "timestamp-micros"},
    date: {"type": "int", "logicalType": "date"},
}


def avro_schema(model: type[Record]) -> dict[str, object]:
    """The Avro record schema of a model, with its fixed id, in field order."""
    schema = _record(model, set())
    assert isinstance(schema, dict)
    return {**schema, "billstream_id": model.schema_id}


def _record(model: type[BaseModel], known: set[str]) -> AvroType:
    name = getattr(model, "schema_name", model.__name__)
    if name in known:
        return f"{NAMESPACE}.{name}"
    known.add(name)
    fields = [_field(field_name, info, known) for field_name, info in model.model_fields.items()]
    return {"type": "record", "name": name, "namespace": NAMESPACE, "doc": _first_line(model), "fields": fields}


def _first_line(model: type[BaseModel]) -> str:
    return (model.__doc__ or "").strip().splitlines()[0]


def _field(name: str, info: FieldInfo, known: set[str]) -> dict[str, object]:
    field: dict[str, object] = {"name": name, "type": _type(info.annotation, known)}
    if not info.is_required():
        field["default"] = _default(info.default)
    return field


def _default(value: object) -> object:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple):
        assert not value, "only empty arrays are defaults"
        return []
    if isinstance(value, Mapping):
        assert not value, "only empty maps are defaults"
        return {}
    return format(value, "f") if isinstance(value, Decimal) else value


def _type(annotation: object, known: set[str]) -> AvroType:
    origin = get_origin(annotation)
    if origin is Annotated:
        return _type(get_args(annotation)[0], known)
    if origin in (Union, types.UnionType):
        (inner,) = [member for member in get_args(annotation) if member is not type(None)]
        return ["null", _type(inner, known)]
    if origin is tuple:
        return {"type": "array", "items": _type(get_args(annotation)[0], known)}
    if origin is Mapping:
        return {"type": "map", "values": "string"}
    assert isinstance(annotation, type), annotation
    if issubclass(annotation, BaseModel):
        return _record(annotation, known)
    if issubclass(annotation, Enum):
        return {"type": "string", "billstream": annotation.__name__}
    return _PRIMITIVES[annotation]
