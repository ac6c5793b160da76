"""Two sinks of files, and whether they hold each document that was to go there, once and as it was meant."""

import logging
from collections.abc import Iterable
from pathlib import Path

from billstream.simulating.findings import Findings
from schemas.inputs import DeliveryState, SinkReceipt
from schemas.values import Record
from schemas.work import DeliverDocument
from sinks.base import DocumentFolder, DraftRefused, DraftSink, DraftToSend, draft_of, key_of
from sinks.json_file.document import write_document
from sinks.json_file.settings import JsonFileSettings
from sinks.json_file.sink import JsonFileSink
from sinks.ledes_1998b.settings import Ledes1998bSettings, Receiver
from sinks.ledes_1998b.sink import Ledes1998bSink, render

log = logging.getLogger(__name__)

JSON = "json_file"
LEDES = "ledes_1998b"
SUFFIXES = {JSON: ".json", LEDES: ".txt"}
LENIENT = Receiver(
    client_matter_id_required=False,
    task_code_required=False,
    activity_code_required=False,
    expense_code_required=False,
)
"""Takes work without codes."""


def sinks_below(folder: Path) -> dict[str, DraftSink]:
    """Both sinks, each in a folder that all workers share."""
    return {
        JSON: JsonFileSink(JsonFileSettings(folder=folder / JSON)),
        LEDES: Ledes1998bSink(Ledes1998bSettings(folder=folder / LEDES, receiver=LENIENT)),
    }


def _meant(sink: str, draft: DraftToSend) -> bytes | None:
    """The bytes of a document at a sink; None when the sink must refuse it."""
    if sink == JSON:
        return write_document(draft)
    try:
        return render(draft, LENIENT).content
    except DraftRefused as refused:
        log.warning("%s is refused: %s", draft.document_id, refused.problems[0].text)
        return None


def judge_sinks(folder: Path, work: Iterable[Record], journal: Iterable[Record], found: Findings) -> int:
    """Each request has its file, and a receipt that says so; how many files there are.

    What the format cannot carry is refused for good: it has a receipt that asks for a person, and no file.
    """
    receipts = {(one.request_id, one.state) for one in journal if isinstance(one, SinkReceipt)}
    wanted: set[Path] = set()
    for request in work:
        if isinstance(request, DeliverDocument):
            draft = draft_of(request)
            places = DocumentFolder(folder / request.sink, SUFFIXES[request.sink])
            path = places.path(places.location(draft, key_of(request)))
            meant = _meant(request.sink, draft)
            state = DeliveryState.NEEDS_PERSON if meant is None else DeliveryState.DELIVERED
            if (request.request_id, state) not in receipts:
                found.lost.append(f"{request.request_id} has no receipt that says {state.value}")
            if meant is None:
                continue
            if not path.exists():
                found.lost.append(f"{request.sink} has no {path.name}")
            elif path not in wanted and path.read_bytes() != meant:
                found.differing.append(f"{path.name} at {request.sink} is not the document")
            wanted.add(path)
    # A writer that was killed leaves a hidden part of a file, which nobody takes for a document.
    there = {path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")}
    found.doubled += [f"nobody asked for {path.relative_to(folder)}" for path in sorted(there - wanted)]
    return len(there)
