"""Checks documents from the journal alone: a fold from the first record on computes each draft again and compares it
with what was recorded (rules 3 and 8).

Nothing that a worker or a store says is believed; the journal's inputs are.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from billing.certificate import differences
from books.effects import Effects
from books.local import Follower
from books.version import FOLD_VERSION
from schemas.codec import decode
from schemas.draft import DraftBody, PublishedDocument, body_hash
from schemas.facts import DocumentDrafted, DocumentVoided, Fact
from schemas.values import Record, Value

SHOWN_DIFFERENCES_MAX = 20


@dataclass(frozen=True)
class Check:
    """One question to a document and its answer; `detail` says what does not hold."""

    name: str
    holds: bool
    detail: str = ""


@dataclass(frozen=True)
class Said:
    """A body with its content hash and the version of the code that made it."""

    body: DraftBody
    content: str
    code_version: str


@dataclass(frozen=True)
class Revision:
    """A document as the journal records it, and as the fold from the beginning computes it at the same place."""

    document_id: str
    revision: int
    fact: Said
    again: Said | None


class Audit:
    """Reads a journal from its beginning; `revisions` and `documents` are what it found."""

    def __init__(self) -> None:
        self.revisions: dict[tuple[str, int], Revision] = {}
        self.documents: dict[str, PublishedDocument] = {}
        self._follower = Follower()
        self._computed: dict[str, Said] = {}

    def read(self, records: Iterable[tuple[int, Record]]) -> None:
        """Take journal records in offset order; facts one by one, so that each document is seen in every state."""
        for is_fact, run in groupby(records, key=lambda item: isinstance(item[1], Fact)):
            if is_fact:
                for offset, record in run:
                    self._note(record, self._follower.apply([(offset, record)]))
            else:
                self._note(None, self._follower.apply(run))

    def _note(self, record: Record | None, effects: Effects) -> None:
        for framed in effects.facts:
            proposed = decode(framed.value)
            if isinstance(proposed, Fact) and (said := _said_by(proposed)) is not None:
                self._computed.setdefault(proposed.fact_id, said)
        recorded = _said_by(record)
        for _, published in effects.documents:
            key = (published.document_id, published.revision)
            if recorded is not None and published.body == recorded.body and key not in self.revisions:
                assert isinstance(record, Fact), "only facts say bodies"
                self.revisions[key] = Revision(*key, recorded, self._computed.get(record.fact_id))
            self.documents[published.document_id] = published

    def newest(self, document_id: str) -> Revision | None:
        """The newest revision of a document that was drafted; None for a document of another kind."""
        found = [one for (known, _), one in self.revisions.items() if known == document_id]
        return max(found, key=lambda one: one.revision, default=None)


def _said_by(record: Record | None) -> Said | None:
    """The body that a fact brings: a draft, or the credit note of a void."""
    match record:
        case DocumentDrafted():
            return Said(record.body, record.content, record.code_version)
        case DocumentVoided() if record.body is not None:
            return Said(record.body, record.content, record.code_version)
        case _:
            return None


def journal_checks(revision: Revision) -> tuple[Check, ...]:
    """Whether a recorded draft is what its own statement and the journal before it say."""
    fact, again = revision.fact, revision.again
    checks = [*statement_checks(fact.body, fact.content)]
    if again is None:
        return (*checks, Check("journal", holds=False, detail="no close in the journal leads to this draft"))
    other_code = "" if fact.code_version == again.code_version else _other_code(fact.code_version)
    said = body_differences(fact.body, again.body)
    checks += [
        Check(
            "entries",
            fact.body.entries_hash == again.body.entries_hash,
            "the set of entry versions is not the journal's",
        ),
        Check(
            "contract",
            fact.body.contract_revision == again.body.contract_revision,
            "the contract revision is not the one in force at the close",
        ),
        Check("recomputed", not said and fact.content == again.content, _joined(said) + other_code),
    ]
    return tuple(Check(one.name, one.holds, "" if one.holds else one.detail) for one in checks)


def _other_code(version: str) -> str:
    return f"; it was drafted by version {version}, this is {FOLD_VERSION}"


def statement_checks(body: DraftBody, content: str) -> tuple[Check, ...]:
    """What a document alone shows: its content hash, its sums, and its certificate of minutes."""
    said = differences(body)
    net = sum((line.amount for line in body.lines), start=body.net - body.net)
    tax = sum((row.tax for row in body.taxes), start=body.tax - body.tax)
    money: list[str] = []
    if net != body.net:
        money.append(f"the lines add up to {net:f}, the document says {body.net:f}")
    if tax != body.tax:
        money.append(f"the taxes add up to {tax:f}, the document says {body.tax:f}")
    if body.net + body.tax != body.gross:
        money.append(f"net and tax are {body.net + body.tax:f}, the document says {body.gross:f}")
    same = body_hash(body) == content
    return (
        Check("content", same, "" if same else "the body is not the one that the content hash names"),
        Check("certificate", not said, _joined(said)),
        Check("sums", not money, _joined(money)),
    )


def body_differences(one: DraftBody, other: DraftBody) -> tuple[str, ...]:
    """In sentences, where two bodies of one scope differ: lines, buckets, sums, then any other member."""
    found: list[str] = []
    theirs = {line.line_id: line for line in other.lines}
    for line in one.lines:
        match = theirs.pop(line.line_id, None)
        if match is None:
            found.append(f"line '{line.text}' of {line.amount:f} does not come out")
        elif match != line:
            found.append(f"line '{line.text}' is {line.amount:f}, it comes out as {match.amount:f}{_why(line, match)}")
    found += [f"line '{line.text}' of {line.amount:f} is missing" for line in theirs.values()]
    found += _seconds_differences(one, other)
    left_out = {"lines", "buckets", "placements", "certificate", "entries_hash", "contract_revision"}
    for name in type(one).model_fields:
        ours, again = getattr(one, name), getattr(other, name)
        if name in left_out or ours == again:
            continue
        if isinstance(ours, tuple | Value) or isinstance(again, tuple | Value):
            found.append(f"{name.replace('_', ' ')} differ")
        else:
            found.append(f"{name} is {_shown(ours)}, it comes out as {_shown(again)}")
    if not found and one != other:
        found.append("the bodies differ in their certificate, placements or pins")
    return tuple(found)


def _why(one: object, other: object) -> str:
    names = [name for name in getattr(type(one), "model_fields", ()) if getattr(one, name) != getattr(other, name)]
    return f" (differs in {', '.join(names)})"


def _seconds_differences(one: DraftBody, other: DraftBody) -> list[str]:
    ours = {(row.bucket.value, row.reason): row.seconds for row in one.buckets}
    theirs = {(row.bucket.value, row.reason): row.seconds for row in other.buckets}
    return [
        f"{' '.join(key).strip()} holds {ours.get(key, 0)} s, it comes out as {theirs.get(key, 0)} s"
        for key in sorted({*ours, *theirs})
        if ours.get(key, 0) != theirs.get(key, 0)
    ]


def _shown(value: object) -> str:
    text = f"{value}"
    return text if len(text) <= 60 else text[:60] + "..."


def _joined(said: Sequence[str]) -> str:
    more = len(said) - SHOWN_DIFFERENCES_MAX
    return "; ".join(said[:SHOWN_DIFFERENCES_MAX]) + (f"; and {more} more" if more > 0 else "")
