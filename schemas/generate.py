"""Writes the `.avsc` files from the models: `python -m schemas.generate`. A released file is never rewritten.

`python -m schemas.generate --release 0.2.0` releases what is new, and refuses a change that is not allowed.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from schemas.avro import avro_schema
from schemas.records import ALL
from schemas.releases import (
    FILE,
    Register,
    Release,
    file_hash,
    forbidden_changes,
    is_released,
    register,
    words_on_the_wire,
)
from schemas.values import Record

FOLDER = Path(__file__).parent / "avsc"


def schema_text(schema: Mapping[str, object]) -> str:
    """The one way a schema is written to a file."""
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


def stem_of(record: type[Record]) -> str:
    """The name of a record's released file, without its ending."""
    return f"{record.schema_id}-{record.schema_name}"


def generate() -> None:
    """Write the current schemas, and those of the ids that no release has gone out with yet."""
    for record in ALL:
        text = schema_text(avro_schema(record))
        (FOLDER / f"{record.schema_name}.avsc").write_text(text, encoding="utf-8")
        if not is_released(stem_of(record)):
            (FOLDER / "released" / f"{stem_of(record)}.avsc").write_text(text, encoding="utf-8")


def schemas_of(name: str, folder: Path = FOLDER) -> dict[int, dict[str, object]]:
    """All schemas a record has had, by their ids, the oldest first."""
    found = {int(file.name.split("-")[0]): file for file in folder.joinpath("released").glob(f"*-{name}.avsc")}
    return {number: json.loads(found[number].read_text(encoding="utf-8")) for number in sorted(found)}


def faults(known: Register) -> list[str]:
    """Why today's records cannot be released after these releases, as sentences."""
    found = []
    for record in ALL:
        for number, older in schemas_of(record.schema_name).items():
            found += [f"{number} to {record.schema_id}: {one}" for one in forbidden_changes(older, avro_schema(record))]
    words = words_on_the_wire()
    for release in known.releases:
        for kind, before in release.words.items():
            gone = sorted(set(before) - set(words.get(kind, ())))
            found += [f"{kind}: the word {word!r} of {release.version} is gone" for word in gone]
    return found


def release(version: str) -> Register:
    """The register with one more release. Raises ValueError for a version that went out, or a forbidden change."""
    known = register()
    if version in {one.version for one in known.releases}:
        raise ValueError(f"{version} is released already")
    if problems := faults(known):
        raise ValueError("; ".join(problems))
    writes = {record.schema_name: record.schema_id for record in ALL}
    files = sorted(FOLDER.joinpath("released").glob("*.avsc"), key=lambda file: int(file.name.split("-")[0]))
    hashes = {file.stem: file_hash(file.read_text(encoding="utf-8")) for file in files}
    new = Release(version=version, writes=writes, words=words_on_the_wire())
    return Register(schemas={**hashes, **known.schemas}, releases=(*known.releases, new))


if __name__ == "__main__":
    generate()
    if sys.argv[1:2] == ["--release"]:
        made = release(sys.argv[2])
        (FOLDER / FILE).write_text(schema_text(made.model_dump(mode="json")), encoding="utf-8")
