"""Old journals: each release left one with every kind of record in it, and it gives the same documents for ever."""

import io
import json
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

import fastavro
import pytest

from books.local import Follower
from books.rows import EntryRow
from books.stores.sqlite import open_or_rebuild
from books.version import FOLD_VERSION
from schemas.codec import decode, encode, schema_id_of
from schemas.facts import DocumentDrafted
from schemas.generate import schemas_of
from schemas.records import COMMANDS, FACTS, INPUTS
from schemas.releases import register
from schemas.values import Value
from tests.evolution.journals import FOLDER, FOLLOWS, documents_of, journal_of, replayed, versions

VERSIONS = versions()
DOCUMENTS_DIFFER = (
    "A journal that {version} wrote gives other documents. What was promised changes for everybody who upgrades: mend"
    " the fold. No file is to be written anew here."
)
ROWS_DIFFER = (
    "Other rows or facts follow from the journal of {version} than before. If that is meant: raise FOLD_VERSION in"
    " books/version.py (stores are rebuilt then), say what changes in changelog.d, and run `script/golden accept`."
)
NOT_ACCEPTED = "FOLD_VERSION was raised: run `script/golden accept` and look at what differs in {version}/follows.json."


def test_every_release_has_its_golden_journal() -> None:
    """A release goes out with a journal it wrote: `script/golden release`."""
    assert [one.version for one in register().releases] == VERSIONS


@pytest.mark.parametrize("version", VERSIONS)
def test_the_golden_journal_holds_every_kind_of_record(version: str) -> None:
    """Every input, command and fact that the release could write into a journal stands in it, in its own schema."""
    (release,) = [one for one in register().releases if one.version == version]
    kinds = {kind.schema_name for kind in (*INPUTS, *COMMANDS, *FACTS)} & set(release.writes)
    assert {schema_id_of(value) for value in journal_of(version)} == {release.writes[kind] for kind in kinds}


@pytest.mark.parametrize("version", VERSIONS)
def test_an_old_journal_gives_the_same_documents(version: str) -> None:
    """The documents of a release come again from its journal, byte for byte, and nothing in it is refused."""
    made = replayed(journal_of(version))
    assert list(made.documents) == documents_of(version), DOCUMENTS_DIFFER.format(version=version)
    assert list(made.unapplied) == []


@pytest.mark.parametrize("version", VERSIONS)
def test_rows_and_facts_change_only_with_the_version_of_the_fold(version: str) -> None:
    """What follows from an old journal besides its documents changes when FOLD_VERSION does, and never silently."""
    said = json.loads((FOLDER / version / FOLLOWS).read_text(encoding="utf-8"))
    made = replayed(journal_of(version))
    if said["fold_version"] == FOLD_VERSION:
        assert (made.rows, made.proposed) == (said["rows"], said["proposed"]), ROWS_DIFFER.format(version=version)
    assert said["fold_version"] == FOLD_VERSION, NOT_ACCEPTED.format(version=version)


@pytest.mark.parametrize("version", VERSIONS)
def test_records_of_superseded_schemas_are_the_same_records(version: str) -> None:
    """What of the journal could have been written in an older schema of its record is the same record in that one."""
    tried = set()
    for record in map(decode, journal_of(version)):
        for number, schema in schemas_of(record.schema_name).items():
            said = fields_for(record, schema)
            if number != record.schema_id and said is not None:
                stream = io.BytesIO(struct.pack(">bI", 0, number))
                stream.seek(0, io.SEEK_END)
                fastavro.schemaless_writer(stream, fastavro.parse_schema(schema), said)
                assert decode(stream.getvalue()) == record, number
                tried.add(number)
    assert {1108, 1113} <= tried


def fields_for(value: Value, schema: Mapping[str, object]) -> dict[str, object] | None:
    """The fields of a value in an older schema; None when it says something there that this schema cannot say."""
    known = {one["name"] for one in cast(list[dict[str, object]], schema["fields"])}
    fields = value.model_dump()
    newer = set(fields) - known
    if any(fields[name] != type(value).model_fields[name].default for name in newer):
        return None
    if isinstance(value, DocumentDrafted) and value.body.certificate is not None:
        return None
    return {name: one for name, one in fields.items() if name in known}


def test_documents_come_from_the_facts_of_the_journal() -> None:
    """Without its drafted facts a journal publishes nothing: code of today adds no promise to an old journal."""
    values = [one for one in journal_of(VERSIONS[-1]) if not isinstance(decode(one), DocumentDrafted)]
    assert list(replayed(values).documents) == []


def test_a_change_of_a_promise_is_seen() -> None:
    """One draft with another amount in it, and the documents are no longer the golden ones."""
    values = journal_of(VERSIONS[-1])
    at, draft = next((at, one) for at, one in enumerate(map(decode, values)) if isinstance(one, DocumentDrafted))
    assert isinstance(draft, DocumentDrafted)
    line = draft.body.lines[0].model_copy(update={"amount": draft.body.lines[0].amount + 1})
    body = draft.body.model_copy(update={"lines": (line, *draft.body.lines[1:])})
    values[at] = encode(draft.model_copy(update={"body": body}))
    assert list(replayed(values).documents) != documents_of(VERSIONS[-1])


def test_a_store_of_an_older_fold_is_built_again(tmp_path: Path) -> None:
    """Stores are not migrated: one that another version wrote begins at offset 0 and ends with the golden rows."""
    values = journal_of(VERSIONS[-1])
    path = tmp_path / "0000.sqlite"
    older = open_or_rebuild(path, "older than any")
    fold(older_follower := Follower(older), values[:40])
    with older.transaction(older_follower.next_offset, 41) as rows:
        rows.put(EntryRow.table, "what an older fold thought", b"\x90")
    older.close()
    store = open_or_rebuild(path, FOLD_VERSION)
    assert store.position.next_offset == 0
    fold(Follower(store), values)
    assert store.digest() == replayed(values).rows
    store.close()


def fold(follower: Follower, values: Sequence[bytes]) -> None:
    """Apply a journal from its beginning."""
    follower.apply((offset, decode(value)) for offset, value in enumerate(values))
