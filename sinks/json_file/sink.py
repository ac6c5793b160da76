"""The JSON file sink: renders (beside the event loop), writes whole files, reads them back."""

import asyncio

from sinks.base import DocumentFolder, DraftKey, DraftToSend, Receipt, SeenDraft, SeenLine, SinkSpec, hash_of_bytes
from sinks.json_file.document import read_document, write_document
from sinks.json_file.settings import JsonFileSettings


class JsonFileSink:
    """One JSON file for each revision and state of a document."""

    spec = SinkSpec(name="json_file", create_deadline_seconds=600, settle_seconds=0)

    def __init__(self, settings: JsonFileSettings) -> None:
        self._folder = DocumentFolder(settings.folder, ".json")

    async def find(self, draft: DraftToSend, key: DraftKey) -> Receipt | None:
        """The receipt when exactly this file is there; raises Conflict when another content has its name."""
        content = await asyncio.to_thread(write_document, draft)
        return await self._folder.find(self._folder.location(draft, key), content)

    async def create(self, draft: DraftToSend, key: DraftKey) -> Receipt:
        """Write the file; the same again is harmless."""
        content = await asyncio.to_thread(write_document, draft)
        return await self._folder.write(self._folder.location(draft, key), content)

    async def read_back(self, receipt: Receipt) -> SeenDraft:
        """Read the file from the disk; raises Conflict when it is gone or not ours."""
        content = await self._folder.read(receipt.location)
        body = (await asyncio.to_thread(read_document, content)).body
        return SeenDraft(
            net=body.net,
            tax=body.tax,
            gross=body.gross,
            currency=body.currency,
            lines=tuple(SeenLine(position=line.position, amount=line.amount) for line in body.lines),
            sink_hash=hash_of_bytes(content),
        )
