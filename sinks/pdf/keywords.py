"""What a PDF says of itself in its metadata: which document, which revision, which content, and its totals.

It stands in the XMP packet, which PDF/A keeps readable as it is, so a file can be recognised without reading pages.
"""

import html
import re
from decimal import Decimal, InvalidOperation

from schemas.errors import Conflict
from schemas.values import Value
from sinks.base import DraftToSend

_KEYWORDS = re.compile(rb"<pdf:Keywords>([^<]{1,4000})</pdf:Keywords>")
_PART = re.compile(r"([a-z]+)=([0-9A-Za-z_.-]*)")
MARK = "billstream"


class SeenTotals(Value):
    """What a PDF of ours says of itself."""

    document: str
    revision: int
    state: str
    content: str
    net: Decimal
    tax: Decimal
    gross: Decimal
    due: Decimal
    currency: str


def keywords_of(draft: DraftToSend) -> tuple[str, ...]:
    """The keywords of a document, one for each part."""
    body = draft.body
    parts = {
        "document": draft.document_id,
        "revision": str(draft.revision),
        "state": draft.state.value,
        "content": draft.content,
        "net": f"{body.net:f}",
        "tax": f"{body.tax:f}",
        "gross": f"{body.gross:f}",
        "due": f"{body.due:f}",
        "currency": body.currency,
    }
    return (MARK, *(f"{name}={re.sub(r'[^0-9A-Za-z_.-]', '-', value)}" for name, value in parts.items()))


def read_keywords(content: bytes) -> SeenTotals:
    """What the file says of itself; raises Conflict when it is no PDF of ours."""
    found = _KEYWORDS.findall(content) if content.startswith(b"%PDF-") else []
    text = html.unescape(found[-1].decode("utf-8", "replace")) if found else ""
    parts = dict(_PART.findall(text)) if text.split(",")[0] == MARK else {}
    try:
        return SeenTotals(
            document=parts["document"],
            revision=int(parts["revision"]),
            state=parts["state"],
            content=parts["content"],
            net=Decimal(parts["net"]),
            tax=Decimal(parts["tax"]),
            gross=Decimal(parts["gross"]),
            due=Decimal(parts["due"]),
            currency=parts["currency"],
        )
    except (KeyError, ValueError, InvalidOperation) as error:
        message = "The file is not a PDF of ours any more."
        raise Conflict("sink_file_unreadable", message, "Move it away and deliver again.", str(error)) from error
