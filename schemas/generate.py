"""Writes the `.avsc` files from the models: `python -m schemas.generate`. A released file is never rewritten."""

import json
from pathlib import Path

from schemas.avro import avro_schema
from schemas.records import ALL

FOLDER = Path(__file__).parent / "avsc"
IN_THE_MAKING = frozenset({2113, 2503})
"""Ids that no version was published with yet: their files still follow the models. A release empties this set."""


def schema_text(schema: dict[str, object]) -> str:
    """The one way a schema is written to a file."""
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


def generate() -> None:
    """Write the current schemas, and release the ids that are new."""
    for record in ALL:
        text = schema_text(avro_schema(record))
        (FOLDER / f"{record.schema_name}.avsc").write_text(text, encoding="utf-8")
        released = FOLDER / "released" / f"{record.schema_id}-{record.schema_name}.avsc"
        if record.schema_id in IN_THE_MAKING or not released.exists():
            released.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    generate()
