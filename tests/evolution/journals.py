"""Golden journals: what a release wrote into one, the documents it gave, and what the fold of today makes of it.

`journal.jsonl` and `documents.jsonl` of a version never change. `follows.json` says which rows and facts follow today;
it is written anew when that changes on purpose.
"""

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from books.local import Follower
from books.stores.memory import MemoryStore
from books.version import FOLD_VERSION
from schemas.canonical import canonical_bytes
from schemas.codec import decode, encode, schema_id_of
from schemas.draft import PublishedDocument
from schemas.facts import Fact
from schemas.values import Record, named_fields
from tests.evolution.story import told

FOLDER = Path(__file__).resolve().parents[1] / "golden" / "journals"
JOURNAL, DOCUMENTS, FOLLOWS = "journal.jsonl", "documents.jsonl", "follows.json"


@dataclass(frozen=True)
class Replay:
    """What came of a journal: documents with their origins, proposed facts, and a hash over all rows."""

    documents: Sequence[str]
    proposed: Mapping[str, str]
    rows: str
    unapplied: Sequence[str]


def versions() -> list[str]:
    """The releases that have a golden journal."""
    return sorted((path.name for path in FOLDER.iterdir()), key=lambda name: [int(part) for part in name.split(".")])


def journal_of(version: str) -> list[bytes]:
    """The records as their bytes, by offset."""
    lines = (FOLDER / version / JOURNAL).read_text(encoding="utf-8").splitlines()
    return [base64.b64decode(json.loads(line)["value"]) for line in lines]


def documents_of(version: str) -> list[str]:
    """The documents that the release published, each as the text it is compared by."""
    return (FOLDER / version / DOCUMENTS).read_text(encoding="utf-8").splitlines()


def replayed(values: Sequence[bytes]) -> Replay:
    """Fold a journal; nothing is appended to it, so its facts are the ones that its release wrote."""
    store = MemoryStore(FOLD_VERSION)
    follower = Follower(store)
    documents, proposed, unapplied = [], {}, []
    for offset, value in enumerate(values):
        effects = follower.apply([(offset, decode(value))])
        documents += [document_text(origin, document) for origin, document in effects.documents]
        for framed in effects.facts:
            fact = decode(framed.value)
            assert isinstance(fact, Fact), type(fact).__name__
            proposed[f"{offset:04d} {fact.schema_name} {fact.fact_id}"] = sha256(fact_text(fact)).hexdigest()
        unapplied += [f"{at} {reason}: {detail}" for at, reason, detail in effects.unapplied]
    return Replay(documents, proposed, store.digest(), unapplied)


def document_text(origin: int, document: PublishedDocument) -> str:
    """A document in the canonical encoding, which a new field with a default does not change; who made it is left
    out, because the version of the fold is part of that.
    """
    fields = named_fields(document)
    head = fields.pop("envelope")
    assert isinstance(head, dict), "an envelope has fields"
    said = {name: value for name, value in head.items() if name != "producer"}
    return canonical_bytes({"origin": origin, "envelope": said, **fields}).decode()


def fact_text(fact: Fact) -> bytes:
    """What a fact says, without who says it with which version."""
    return canonical_bytes({k: v for k, v in named_fields(fact).items() if k not in {"envelope", "code_version"}})


def follows(version: str) -> str:
    """The text of `follows.json` as the fold of today would have it."""
    made = replayed(journal_of(version))
    said = {"fold_version": FOLD_VERSION, "rows": made.rows, "proposed": made.proposed}
    return json.dumps(said, indent=1) + "\n"


def write(version: str) -> None:
    """Make the golden files of a release; one that has them already is refused with FileExistsError."""
    folder = FOLDER / version
    folder.mkdir(parents=True)
    records = told().journal.records
    (folder / JOURNAL).write_text("".join(_lines(records)), encoding="utf-8")
    texts = replayed(journal_of(version)).documents
    (folder / DOCUMENTS).write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")


def accept() -> None:
    """Note for every release what follows from its journal today."""
    for version in versions():
        (FOLDER / version / FOLLOWS).write_text(follows(version), encoding="utf-8")


def _lines(records: Sequence[Record]) -> Iterator[str]:
    for offset, record in enumerate(records):
        value = encode(record)
        kind = f"{schema_id_of(value)}-{record.schema_name}"
        line = {"offset": offset, "kind": kind, "value": base64.b64encode(value).decode()}
        yield json.dumps(line) + "\n"
