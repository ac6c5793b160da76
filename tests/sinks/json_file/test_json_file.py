"""JSON files of documents: schema, bytes and the folder they lie in."""

import asyncio
import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, ValidationError

from schemas.draft import DraftBody
from schemas.errors import Conflict, Rejected, Retryable
from sinks.base import DraftToSend, Receipt, key_for
from sinks.json_file import JsonFileSettings, JsonFileSink, document_schema, schema_text
from sinks.json_file.document import read_document, write_document
from sinks.testing import SinkContract, example_body, example_draft, example_fee

VALIDATOR = Draft202012Validator(document_schema())


def make(folder: Path) -> JsonFileSink:
    return JsonFileSink(JsonFileSettings(folder=folder))


def created(sink: JsonFileSink, draft: DraftToSend, *, generation: int = 1) -> Receipt:
    key = key_for(draft, sink.spec.name, generation)
    return asyncio.run(sink.create(draft, key))


class TestJsonFileContract(SinkContract):
    """The JSON sink keeps the contract of all sinks."""

    make = staticmethod(make)


def test_the_published_schema_is_the_one_of_the_models(repository_root: Path) -> None:
    """After a change of the models: `python -m sinks.json_file > sinks/json_file/document-1.schema.json`."""
    published = repository_root / "sinks" / "json_file" / "document-1.schema.json"
    assert published.read_text(encoding="utf-8") == schema_text()


def test_the_schema_is_a_schema() -> None:
    """The published file is valid JSON Schema 2020-12."""
    Draft202012Validator.check_schema(document_schema())


def test_the_golden_file_is_written_byte_for_byte(golden: Path) -> None:
    """A document's file changes only on purpose."""
    assert write_document(example_draft()) == (golden / "document.json").read_bytes()


@pytest.mark.parametrize("number", ["", "2026-0042"])
def test_a_file_fits_the_schema(number: str) -> None:
    """Drafts and issued documents are valid."""
    VALIDATOR.validate(json.loads(write_document(example_draft(number=number))))


@pytest.mark.parametrize(("member", "value"), [("net", 12.5), ("net", "1e3"), ("gross", "12,50"), ("currency", None)])
def test_the_schema_refuses_money_that_is_not_text(member: str, value: object) -> None:
    """The schema has teeth: amounts are plain decimal text."""
    document = json.loads(write_document(example_draft()))
    document["body"][member] = value
    with pytest.raises(ValidationError):
        VALIDATOR.validate(document)


@given(text=st.text(max_size=200), cents=st.integers(-(10**12), 10**12), number=st.text(max_size=40))
def test_any_text_and_amount_survives(text: str, cents: int, number: str) -> None:
    """What was meant is read again exactly, fits the schema, and has one text."""
    amount = f"{cents // 100}.{cents % 100:02d}"
    line = example_fee(1, unit_price=amount, amount=amount).model_copy(update={"text": text})
    draft = example_draft(example_body(line), number=number)
    content = write_document(draft)
    read = read_document(content)
    assert (read.body, read.number, read.content) == (draft.body, draft.number, draft.content)
    assert write_document(draft) == content
    VALIDATOR.validate(json.loads(content))


def test_the_instant_of_issue_is_told_in_utc() -> None:
    """Whatever zone the clock spoke, the file has one text."""
    draft = example_draft().model_copy(update={"issued_at": datetime(2026, 11, 2, 15, 30, tzinfo=UTC)})
    assert json.loads(write_document(draft))["issued_at"] == "2026-11-02T15:30:00.000000+00:00"


def test_a_location_names_client_period_state_number_and_revision(tmp_path: Path) -> None:
    """A person finds the file of a client and a month without asking."""
    client, period, name = created(make(tmp_path), example_draft()).location.split("/")
    assert client.startswith("acme-")
    assert period == "2026-10"
    assert name.startswith("issued-2026-0042-")
    assert name.endswith("-0123456789ab-r2.json")


def test_another_generation_is_another_file(tmp_path: Path) -> None:
    """What a person asks for anew does not hide behind the first delivery."""
    sink = make(tmp_path)
    locations = [created(sink, example_draft(), generation=generation).location for generation in (1, 2)]
    assert locations[1] == locations[0].replace("-r2.json", "-r2-g2.json")


def scoped(client_id: str, **dates: date) -> DraftBody:
    body = example_body()
    return body.model_copy(update={"scope": body.scope.model_copy(update={"client_id": client_id, **dates})})


@given(client_id=st.text(), number=st.text())
def test_no_name_leads_out_of_the_folder(client_id: str, number: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Names are from outside: whatever they say, the file lies below the root."""
    root = tmp_path_factory.mktemp("root") / "drafts"
    location = created(make(root), example_draft(scoped(client_id), number=number)).location
    assert (root / location).resolve().is_relative_to(root.resolve())
    assert len(location.split("/")) == 3


def test_an_odd_period_is_one_folder(tmp_path: Path) -> None:
    """A scope that is no calendar month still has a readable folder name."""
    draft = example_draft(scoped("acme", date_to=date(2026, 11, 15)))
    assert created(make(tmp_path), draft).location.split("/")[1] == "2026-10-01_2026-11-15"


def test_a_different_file_is_left_alone(tmp_path: Path) -> None:
    """Neither a look nor a create touches a file that says something else."""
    sink, draft = make(tmp_path), example_draft()
    file = tmp_path / created(sink, draft).location
    file.write_bytes(b"mine")
    key = key_for(draft, "json_file")
    for call in (sink.create, sink.find):
        with pytest.raises(Conflict, match="sink_file_differs"):
            asyncio.run(call(draft, key))
    assert file.read_bytes() == b"mine"


def test_a_folder_that_cannot_be_made_is_tried_again_later(tmp_path: Path) -> None:
    """A file in the way of the folder is for the operator to mend, not a verdict about the document."""
    (tmp_path / "drafts").write_text("in the way")
    with pytest.raises(Retryable, match="folder-not-writable"):
        created(make(tmp_path / "drafts"), example_draft())


def test_a_file_that_is_gone_or_spoilt_is_not_confirmed(tmp_path: Path) -> None:
    """Reading back reads the disk, not our memory."""
    sink = make(tmp_path)
    receipt = created(sink, example_draft())
    (tmp_path / receipt.location).write_bytes(b'{"format": 1}')
    with pytest.raises(Conflict, match="sink_file_unreadable"):
        asyncio.run(sink.read_back(receipt))
    (tmp_path / receipt.location).unlink()
    with pytest.raises(Conflict, match="sink_file_gone"):
        asyncio.run(sink.read_back(receipt))


@pytest.mark.parametrize("location", ["../secret", "/etc/passwd", "a/../../b", ""])
def test_a_receipt_cannot_lead_out_of_the_folder(location: str, tmp_path: Path) -> None:
    """A receipt comes from a topic: it is data."""
    with pytest.raises(Rejected):
        asyncio.run(make(tmp_path).read_back(Receipt(location=location, sink_hash="h")))
