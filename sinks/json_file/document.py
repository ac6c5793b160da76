"""The JSON of a document and its published schema, both made from the models (guide: docs/guides/json.md).

Amounts, rates and quantities are plain decimal text and count in the body's `currency`; seconds are integers, dates
ISO, instants UTC. Members are sorted, so one document has one text.
"""

import json
from datetime import UTC
from typing import Literal

from pydantic import ValidationError
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from schemas.draft import DocumentState, DraftBody
from schemas.errors import Conflict
from schemas.values import Value
from sinks.base import DraftToSend

SCHEMA_ID = "urn:billstream:schema:document:1"
DECIMAL_PATTERN = r"^-?[0-9]+(\.[0-9]+)?$"


class DocumentFile(Value):
    """A draft or issued invoice as one JSON file. Once version 1 is released, another member is another version."""

    format: Literal["billstream-document"] = "billstream-document"
    version: Literal[1] = 1
    document_id: str
    sequence: int
    revision: int
    state: DocumentState
    number: str
    issued_at: str | None
    content: str
    body: DraftBody


def document_file(draft: DraftToSend) -> DocumentFile:
    """What the file of this document says."""
    issued_at = draft.issued_at.astimezone(UTC).isoformat(timespec="microseconds") if draft.issued_at else None
    return DocumentFile(
        document_id=draft.document_id,
        sequence=draft.sequence,
        revision=draft.revision,
        state=draft.state,
        number=draft.number,
        issued_at=issued_at,
        content=draft.content,
        body=draft.body,
    )


def write_document(draft: DraftToSend) -> bytes:
    """The bytes of the file: UTF-8, members sorted, two blanks of indent, a line end at the end. Pure."""
    return _sorted_json(document_file(draft).model_dump(mode="json")).encode()


def read_document(content: bytes) -> DocumentFile:
    """Read such a file again; raises Conflict when it is something else."""
    try:
        return DocumentFile.model_validate_json(content)
    except ValidationError as error:
        places = ", ".join(".".join(map(str, problem["loc"])) or "the file" for problem in error.errors()[:5])
        message = "The file is not a document of ours any more."
        raise Conflict("sink_file_unreadable", message, "Move it away and deliver again.", places) from error


class _PublishedSchema(GenerateJsonSchema):
    """Says of decimals in text form what they look like: they are the only values with a serializer of their own."""

    def ser_schema(
        self,
        schema: "core_schema.SerSchema | core_schema.IncExSeqSerSchema | core_schema.IncExDictSerSchema",
    ) -> JsonSchemaValue | None:
        if schema["type"] == "function-plain":
            return {"type": "string", "pattern": DECIMAL_PATTERN}
        return super().ser_schema(schema)


def document_schema() -> JsonSchemaValue:
    """The JSON Schema (2020-12) of version 1."""
    schema = DocumentFile.model_json_schema(mode="serialization", schema_generator=_PublishedSchema)
    return {"$schema": GenerateJsonSchema.schema_dialect, "$id": SCHEMA_ID, **schema}


def schema_text() -> str:
    """The text of the published file `document-1.schema.json` beside this module."""
    return _sorted_json(document_schema())


def _sorted_json(value: JsonSchemaValue) -> str:
    return json.dumps(value, sort_keys=True, indent=2, ensure_ascii=False) + "\n"
