"""Paper to print on, and the words of a PDF as a reader of it sees them."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from pypdf import PdfReader

from sinks.base import DraftToSend
from sinks.pdf import ClientPaper, Paper, PdfSettings
from sinks.pdf.sink import Press

Print = Callable[..., list[str]]


def page_texts(content: bytes) -> list[str]:
    """The text of each page; blanks of all kinds are one blank, marks where a long word may break are gone."""
    pages = PdfReader(io.BytesIO(content)).pages
    plain = {"\u00a0": " ", "\u202f": " ", "\u200b": ""}
    return ["".join(plain.get(letter, letter) for letter in page.extract_text()) for page in pages]


@pytest.fixture(scope="session")
def read_pages() -> Callable[[bytes], list[str]]:
    """Reads the text of each page."""
    return page_texts


@pytest.fixture(scope="session")
def printed() -> Print:
    """Prints a document with the given paper and reads its pages."""

    def print_and_read(draft: DraftToSend, client: ClientPaper | None = None, **paper: object) -> list[str]:
        clients = {} if client is None else {draft.body.scope.client_id: client}
        settings = PdfSettings(folder=Path("unused"), paper=Paper.model_validate(paper), clients=clients)
        return page_texts(Press(settings).render(draft).content)

    return print_and_read
