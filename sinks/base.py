"""The port of all destinations: three verbs, the keys and receipts they deal in, and the comparison of what was meant
with what is there. The one procedure that calls a sink is `streams/agents/deliver.py`; a sink never decides to retry.
"""

import asyncio
import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

from runtime.errors import FileDiffers, MachineryError, UnsafeName
from runtime.files import join_under, make_folder, safe_name, sync_folder, write_new
from schemas.canonical import deterministic_id
from schemas.draft import DocumentState, DraftBody, Finding, body_hash
from schemas.errors import Conflict, Rejected, Retryable
from schemas.period import Period
from schemas.values import Instant, Value
from schemas.work import DeliverDocument

FILE_BYTES_MAX = 64 * 1024 * 1024
FOLDER_THREADS = 8
"""How many calls of the disk a folder makes at once."""

AnswerT = TypeVar("AnswerT")


@dataclass(frozen=True, slots=True)
class SinkSpec:
    """What the delivery procedure has to know about a kind of sink.

    `create_deadline_seconds`: a create is not sent when the look-up before it is older than this.
    `settle_seconds`: after an attempt without an answer, how long until a look-up that finds nothing can be believed.
    `timeout_seconds`: the longest one call may take.
    """

    name: str
    create_deadline_seconds: int
    settle_seconds: int
    timeout_seconds: int = 60


@dataclass(frozen=True, slots=True)
class DraftKey:
    """Which document at which sink, and as what: each revision and state of it is a thing of its own there.

    A person who wants it delivered anew asks for the next generation.
    """

    document_id: str
    revision: int
    state: DocumentState
    sink: str
    generation: int

    @property
    def idempotency_key(self) -> str:
        """32 hexadecimal digits that a sink with keys gets: the same for every try, and for nothing else.

        Otherwise a redraft or an issue, sent while the key of what came before lives, would be answered with that.
        """
        fields = {
            "document_id": self.document_id,
            "revision": self.revision,
            "state": self.state.value,
            "sink": self.sink,
            "generation": self.generation,
        }
        return deterministic_id("draft-key", fields)


class DraftToSend(Value):
    """A document as a sink gets it: the body and what stands around it. `content` is the body's hash."""

    document_id: str
    sequence: int
    revision: int
    state: DocumentState
    number: str = ""
    issued_at: Instant | None = None
    content: str
    body: DraftBody


def draft_of(request: DeliverDocument) -> DraftToSend:
    """The document that a request asks to deliver."""
    return DraftToSend(
        document_id=request.document_id,
        sequence=request.sequence,
        revision=request.revision,
        state=DocumentState(request.state),
        number=request.number,
        issued_at=request.issued_at,
        content=request.content,
        body=request.body,
    )


def is_whole(draft: DraftToSend) -> bool:
    """Whether the body is the one that the content hash names."""
    return body_hash(draft.body) == draft.content


def key_of(request: DeliverDocument) -> DraftKey:
    """The key under which a request is delivered."""
    state = DocumentState(request.state)
    return DraftKey(request.document_id, request.revision, state, request.sink, request.generation)


def key_for(draft: DraftToSend, sink: str, generation: int = 1) -> DraftKey:
    """The key of a document at a sink."""
    return DraftKey(draft.document_id, draft.revision, draft.state, sink, generation)


class Receipt(Value):
    """Where a document is at the sink; `sink_hash` names its content, `notes` say what the format could not carry."""

    location: str
    sink_hash: str
    notes: tuple[Finding, ...] = ()


class SeenLine(Value):
    """An amount at the sink; `position` is the line it presents, None where the format pools lines."""

    position: int | None
    amount: Decimal


class SeenDraft(Value):
    """What a sink shows when it is asked; None for what its format has no place for."""

    net: Decimal
    tax: Decimal | None
    gross: Decimal | None
    currency: str | None
    lines: tuple[SeenLine, ...]
    sink_hash: str


class Problem(Value):
    """Why a document was not written: where in the output (line 0: the document), what is wrong, how to mend it."""

    code: str
    line: int
    field: str
    what: str
    fix: str

    @property
    def text(self) -> str:
        """One sentence for the receipt and for people."""
        return f"line {self.line}, {self.field}: {self.what} [{self.code}] {self.fix}"


class DraftRefused(Rejected):
    """The sink's own check refuses this document: nothing was written, and the same document will never pass."""

    def __init__(self, sink: str, problems: tuple[Problem, ...]) -> None:
        assert problems, "a refusal names its problems"
        self.problems = problems
        super().__init__(
            "sink_draft_refused",
            f"{sink} cannot carry this document: {len(problems)} problem(s).",
            "Mend what each problem names, then deliver again.",
        )


class DraftSink(Protocol):
    """A destination of documents. Each verb may come again after a crash, and raise Retryable, Rejected or Conflict."""

    @property
    def spec(self) -> SinkSpec:
        """Name and timing of this sink."""
        ...

    async def find(self, draft: DraftToSend, key: DraftKey) -> Receipt | None:
        """Look whether the document is already there; called before every create, changes nothing."""
        ...

    async def create(self, draft: DraftToSend, key: DraftKey) -> Receipt:
        """Make the document there; raises OutcomeUnknown when it was sent and no answer came."""
        ...

    async def read_back(self, receipt: Receipt) -> SeenDraft:
        """What is there now, read from the sink and not from memory."""
        ...


def confirm(draft: DraftToSend, receipt: Receipt, seen: SeenDraft) -> tuple[Finding, ...]:
    """Compare what was meant with what is seen; each difference is a finding. Pure."""
    return (*_totals_that_differ(draft.body, seen), *_lines_that_differ(draft.body, seen), *_hashes(receipt, seen))


def _totals_that_differ(body: DraftBody, seen: SeenDraft) -> Iterator[Finding]:
    totals = (("net", body.net, seen.net), ("tax", body.tax, seen.tax), ("gross", body.gross, seen.gross))
    for name, meant, shown in totals:
        if shown is not None and shown != meant:
            yield Finding(code="sink_total_differs", text=f"{name}: meant {meant:f}, seen {shown:f}.")
    if seen.currency is not None and seen.currency != body.currency:
        yield Finding(code="sink_currency_differs", text=f"Meant {body.currency}, seen {seen.currency}.")
    total_of_lines = sum((line.amount for line in seen.lines), Decimal(0))
    if total_of_lines != seen.net:
        yield Finding(code="sink_lines_do_not_add_up", text=f"Lines add up to {total_of_lines:f}, net is {seen.net:f}.")


def _lines_that_differ(body: DraftBody, seen: SeenDraft) -> Iterator[Finding]:
    meant = {line.position: line.amount for line in body.lines}
    shown: dict[int, Decimal] = {}
    pooled = Decimal(0)
    for line in seen.lines:
        if line.position is None:
            pooled += line.amount
        else:
            shown[line.position] = shown.get(line.position, Decimal(0)) + line.amount
    for position, amount in shown.items():
        if position not in meant:
            yield Finding(code="sink_line_unexpected", text=f"Line {position} with {amount:f} was not meant.")
        elif meant[position] != amount:
            text = f"Line {position}: meant {meant[position]:f}, seen {amount:f}."
            yield Finding(code="sink_line_differs", text=text)
    rest = sum((amount for position, amount in meant.items() if position not in shown), Decimal(0))
    if rest != pooled:
        yield Finding(code="sink_line_missing", text=f"Lines worth {rest:f} are shown with {pooled:f}.")


def _hashes(receipt: Receipt, seen: SeenDraft) -> Iterator[Finding]:
    if receipt.sink_hash != seen.sink_hash:
        text = f"The receipt says {receipt.sink_hash}, the sink has {seen.sink_hash}."
        yield Finding(code="sink_content_differs", text=text)


def hash_of_bytes(content: bytes) -> str:
    """SHA-256 of what lies at a sink, as 64 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


class DocumentFolder:
    """One file for each document revision and state below a root; a file that says something else is never overwritten.

    Locations are relative to the root, so that a receipt means the same on every machine. It has threads of its own: a
    disk of the network that hangs keeps them for good, and must not keep those that other sinks and the outbox need.
    """

    def __init__(self, root: Path, suffix: str) -> None:
        self._root = root
        self._suffix = suffix
        self._threads = ThreadPoolExecutor(FOLDER_THREADS, f"folder{suffix}")

    def location(self, draft: DraftToSend, key: DraftKey) -> str:
        """`<client>/<period>/<name>-r2.json`: names made safe, unique for document, revision, state and generation."""
        scope = draft.body.scope
        number = f"-{safe_name(draft.number)}" if draft.number else ""
        again = f"-g{key.generation}" if key.generation > 1 else ""
        name = f"{draft.state.value}{number}-{draft.document_id[:12]}-r{draft.revision}{again}{self._suffix}"
        period = Period(start=scope.date_from, end=scope.date_to).text
        return "/".join([safe_name(scope.client_id), period.replace("..", "_"), name])

    def path(self, location: str) -> Path:
        """Where a location is on this machine; raises Rejected for one that leads out of the root."""
        try:
            return join_under(self._root, *location.split("/"))
        except UnsafeName as error:
            raise Rejected(error.code, error.message, error.fix, error.detail) from error

    async def find(self, location: str, content: bytes) -> Receipt | None:
        """The receipt of a file with exactly this content; None without a file; Conflict when it differs."""
        return await self._in_thread(partial(self._find, self.path(location), location, content))

    async def write(self, location: str, content: bytes) -> Receipt:
        """Make the file, whole or not at all; the same again is harmless."""
        await self._in_thread(partial(self._write, self.path(location), content))
        return Receipt(location=location, sink_hash=hash_of_bytes(content))

    async def read(self, location: str) -> bytes:
        """The bytes of a delivered file; raises Conflict when it is gone, or larger than anything we write."""
        return await self._in_thread(partial(self._read, self.path(location)))

    async def exists(self, location: str) -> bool:
        """Whether there is a file of that name."""
        return await self._in_thread(self.path(location).exists)

    async def _in_thread(self, work: Callable[[], AnswerT]) -> AnswerT:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _find(self, path: Path, location: str, content: bytes) -> Receipt | None:
        if not path.exists():
            return None
        if self._read(path) != content:
            raise _file_differs(path)
        sync_folder(path.parent)  # the process that wrote it may have died before its folder was on the disk
        return Receipt(location=location, sink_hash=hash_of_bytes(content))

    def _write(self, path: Path, content: bytes) -> None:
        try:
            make_folder(path.parent)
            write_new(path, content)
        except FileDiffers as error:
            raise _file_differs(path) from error
        except MachineryError as error:
            raise Retryable(error.code, error.message, error.fix, error.detail, after_seconds=10) from error

    def _read(self, path: Path) -> bytes:
        try:
            with path.open("rb") as file:
                content = file.read(FILE_BYTES_MAX + 1)
        except FileNotFoundError as error:
            raise Conflict("sink_file_gone", f"{path.name!r} is gone.", "Deliver the document again.") from error
        except OSError as error:
            message = f"{path.name!r} cannot be read: {error.strerror or error}."
            fix = "Check the folder's permissions."
            raise Retryable("sink_file_unreadable", message, fix, after_seconds=10) from error
        if len(content) > FILE_BYTES_MAX:
            raise _file_differs(path)
        return content


def _file_differs(path: Path) -> Conflict:
    return Conflict(
        "sink_file_differs",
        f"{path.name!r} exists already and says something else; it was left as it is.",
        "Move that file away, or ask for another generation, then deliver again.",
        str(path),
    )
