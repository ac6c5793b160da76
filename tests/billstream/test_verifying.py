"""The certificate of minutes: it holds for what was billed, and a changed figure anywhere is found."""

import asyncio
import copy
import json
import shutil
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from billing.certificate import differences
from billstream.applying import apply_configuration
from billstream.cli.session import Session
from billstream.closing import Order, approve, close
from billstream.demo.run import FIRM
from billstream.file_preview import memory_desk
from billstream.importing import Declared, publish_file, understand
from billstream.memory_desk import MemoryDesk
from billstream.settings import load_settings
from billstream.verifying import verify_alone, verify_journal
from books.bodies import read_body
from books.rows import DocumentRow
from books.verification import Audit, Check, journal_checks
from schemas.commands import CloseDocument
from schemas.draft import DocumentState, DraftBody, body_hash
from schemas.entry import EntryVersion
from schemas.facts import DocumentDrafted
from schemas.inputs import ContractRevision
from schemas.period import parse_period
from schemas.values import Record
from sinks.base import DraftToSend
from sinks.json_file.document import write_document

pytestmark = pytest.mark.proof

ORDER = Order("dana", "test", 1)
OCTOBER = parse_period("2026-10")
EXPORTS = ("clockify-2026-11-02.csv", "expenses-2026-10.jsonl")
Journal = list[tuple[int, Record]]
Call = Callable[..., Any]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> MemoryDesk:
    """A book whose October is closed for two clients, one document approved and issued."""
    firm = Path(shutil.copytree(FIRM, tmp_path_factory.mktemp("verify") / "firm"))
    made = memory_desk(load_settings(firm, {}))

    async def fill() -> None:
        await apply_configuration(made, None, "dana", "test", dry_run=False)
        for one in understand(made.installation, [firm / "exports" / name for name in EXPORTS], Declared()):
            await publish_file(made, Session(quiet=True), one)
        closed = await close(made, ["tidewell", "quillon"], OCTOBER, ORDER)
        await approve(made, [closed.documents[0].document_id], ORDER, issue_too=True)

    asyncio.run(fill())
    return made


@pytest.fixture
def desk(prepared: MemoryDesk) -> MemoryDesk:
    """A copy of the prepared book."""
    return copy.deepcopy(prepared)


@pytest.fixture
def journal(desk: MemoryDesk) -> Journal:
    """All its records."""
    return asyncio.run(_records(desk))


async def _records(desk: MemoryDesk) -> Journal:
    return [item async for batch in desk.journal() for item in batch]


def broken(journal: Journal) -> dict[str, list[str]]:
    """The checks that do not hold, by client."""
    audit = Audit()
    audit.read(journal)
    found: dict[str, list[Check]] = {}
    for revision in audit.revisions.values():
        found[revision.fact.body.scope.client_id] = [one for one in journal_checks(revision) if not one.holds]
    return {client: [one.name for one in checks] for client, checks in found.items()}


def changed(journal: Journal, client: str, change: Callable[[DocumentDrafted], DocumentDrafted]) -> Journal:
    """The journal with another draft of a client in the same place."""
    return [
        (offset, change(record))
        if isinstance(record, DocumentDrafted) and record.body.scope.client_id == client
        else (offset, record)
        for offset, record in journal
    ]


def with_body(fact: DocumentDrafted, body: DraftBody) -> DocumentDrafted:
    """A careful forger also mends the content hash."""
    return fact.model_copy(update={"body": body, "content": body_hash(body)})


async def test_documents_of_an_honest_book_hold(desk: MemoryDesk) -> None:
    """Worked time is the sum of the buckets, and a fold from the first record comes to the same documents."""
    result = await verify_journal(desk, [], [])
    assert [one.holds for one in result.documents] == [True, True], result.documents
    for one in result.documents:
        assert sum(bucket.seconds for bucket in one.buckets) == one.worked_seconds + one.carried_in_seconds
        assert {check.name for check in one.checks} >= {"certificate", "recomputed", "entries", "contract", "rows"}
    assert {one.state for one in result.documents} == {"draft", "issued"}


def test_the_certificate_lists_every_entry_of_the_period(desk: MemoryDesk) -> None:
    """Each entry stands in its bucket with its seconds, on lines or not; the sum is the worked time."""
    for _, row in desk.book.scan(DocumentRow):
        body = read_body(desk.book, row.document_id)
        assert body.certificate is not None
        listed = {entry_id for bucket in body.certificate.buckets for entry_id in bucket.entry_ids}
        there = {source.entry_id for line in body.lines if line.kind.value == "fee" for source in line.sources}
        assert listed == there | {one.entry_id for one in body.placements}
        assert sum(bucket.seconds for bucket in body.certificate.buckets) == body.worked_seconds
        assert differences(body) == ()


def test_a_forged_amount_is_found_though_its_hash_was_mended(journal: Journal) -> None:
    """Ten euros more on a line, with sums and hash made to fit, do not come out of the journal."""

    def forge(fact: DocumentDrafted) -> DocumentDrafted:
        body = fact.body
        line = body.lines[0].model_copy(update={"amount": body.lines[0].amount + 10})
        return with_body(
            fact,
            body.model_copy(
                update={
                    "lines": (line, *body.lines[1:]),
                    "net": body.net + 10,
                    "gross": body.gross + 10,
                }
            ),
        )

    assert broken(journal) == {"tidewell": [], "quillon": []}
    assert broken(changed(journal, "quillon", forge))["quillon"] == ["recomputed"]


def test_a_body_under_another_hash_is_found(journal: Journal) -> None:
    """A careless forger leaves the content hash."""
    forged = changed(
        journal,
        "tidewell",
        lambda fact: fact.model_copy(update={"body": fact.body.model_copy(update={"net": fact.body.net + 1})}),
    )
    assert set(broken(forged)["tidewell"]) == {"content", "sums", "recomputed"}


def test_a_lost_minute_is_found(journal: Journal) -> None:
    """A minute taken out of a line and out of the totals alike is missing in the certificate."""

    def forge(fact: DocumentDrafted) -> DocumentDrafted:
        body = fact.body
        line = next(line for line in body.lines if line.sources and line.kind.value == "fee")
        shorter = line.sources[0].model_copy(update={"worked_seconds": line.sources[0].worked_seconds - 60})
        lines = [
            one.model_copy(update={"sources": (shorter, *one.sources[1:])}) if one is line else one
            for one in body.lines
        ]
        return with_body(
            fact, body.model_copy(update={"lines": tuple(lines), "worked_seconds": body.worked_seconds - 60})
        )

    assert "certificate" in broken(changed(journal, "tidewell", forge))["tidewell"]


def test_an_exchanged_contract_or_entry_set_is_found(journal: Journal) -> None:
    """The statement is a hash over both, so neither can be exchanged under the other."""
    for member in ("contract_revision", "entries_hash"):
        forged = changed(
            journal,
            "quillon",
            lambda fact, name=member: with_body(fact, fact.body.model_copy(update={name: "0" * 64})),  # type: ignore[misc]  # bound early
        )
        assert {"certificate", "recomputed"} & set(broken(forged)["quillon"]), member


def test_a_changed_input_of_the_journal_is_found(journal: Journal) -> None:
    """Half an hour less in an entry, before the close, makes another document than the recorded one."""
    body = next(
        record.body
        for _, record in journal
        if isinstance(record, DocumentDrafted) and record.body.scope.client_id == "tidewell"
    )
    billed = body.lines[0].sources[0].entry_id

    def less(record: Record) -> Record:
        if isinstance(record, EntryVersion) and record.entry_id == billed:
            return record.model_copy(update={"worked_seconds": record.worked_seconds - 1800})
        return record

    assert "recomputed" in broken([(offset, less(record)) for offset, record in journal])["tidewell"]


def test_another_rate_in_the_journal_is_found(journal: Journal) -> None:
    """A contract revision that was changed where it stands does not give the recorded amounts."""

    def cheaper(record: Record) -> Record:
        if isinstance(record, ContractRevision) and record.client_id == "tidewell":
            return record.model_copy(update={"document": record.document.replace('"190.00"', '"180.00"')})
        return record

    forged = [(offset, cheaper(record)) for offset, record in journal]
    assert forged != journal
    assert "recomputed" in broken(forged)["tidewell"]


def test_a_draft_that_no_close_asked_for_is_found(journal: Journal) -> None:
    """A fact alone is no draft: the journal before it has to lead to it."""
    forged = [
        (offset, record)
        for offset, record in journal
        if not (isinstance(record, CloseDocument) and record.scope.client_id == "quillon")
    ]
    assert broken(forged)["quillon"] == ["journal"]


@pytest.fixture
def delivered(desk: MemoryDesk, tmp_path: Path) -> Path:
    """The issued document as the JSON sink writes it."""
    row = next(row for _, row in desk.book.scan(DocumentRow) if row.state == "issued")
    body = read_body(desk.book, row.document_id)
    draft = DraftToSend(
        document_id=row.document_id,
        sequence=row.sequence,
        revision=row.revision,
        state=DocumentState.ISSUED,
        number=row.number,
        issued_at=None,
        content=row.content,
        body=body,
    )
    path = tmp_path / "document.json"
    path.write_bytes(write_document(draft))
    return path


def test_a_delivered_file_is_compared_with_the_journal(desk: MemoryDesk, delivered: Path) -> None:
    """The file holds; with another price, or another number, it does not, and the reason is named."""
    (honest,) = asyncio.run(verify_journal(desk, [], [delivered])).documents
    assert honest.holds, honest.checks
    text = json.loads(delivered.read_text())
    text["number"] = "0999"
    text["body"]["lines"][0]["unit_price"] = str(Decimal(text["body"]["lines"][0]["unit_price"]) + 1)
    delivered.write_text(json.dumps(text))
    (forged,) = asyncio.run(verify_journal(desk, [], [delivered])).documents
    assert not forged.holds
    said = {check.name: check.detail for check in forged.checks if not check.holds}
    assert set(said) == {"content", "recorded", "number"}
    assert "differs in unit_price" in said["recorded"]


def test_a_file_alone_shows_what_it_contradicts(delivered: Path) -> None:
    """Without any journal the statement and the sums still have to agree."""
    assert verify_alone([delivered]).documents[0].holds
    text = json.loads(delivered.read_text())
    text["body"]["certificate"]["buckets"][0]["entry_seconds"][0] += 60
    delivered.write_text(json.dumps(text))
    (item,) = verify_alone([delivered]).documents
    said = {check.name: check.detail for check in item.checks if not check.holds}
    assert set(said) == {"content", "certificate"}
    assert "s by the certificate and" in said["certificate"]


def test_the_command_ends_with_a_code_and_a_reason(call: Call, firm: Path, delivered: Path) -> None:
    """0 when it holds against the files it was made of, 5 when it does not; something else is not found."""
    entries = [part for name in EXPORTS for part in ("--entries", firm / "exports" / name)]
    honest = call("verify", delivered, *entries, "--json", "--project", firm)
    assert honest.code == 0, honest.out
    assert honest.json["schema"] == "billstream.verify/1"
    text = json.loads(delivered.read_text())
    text["body"]["net"] = "1"
    delivered.write_text(json.dumps(text))
    forged = call("verify", delivered, "--alone", "--project", firm)
    assert forged.code == 5
    assert "DOES NOT HOLD" in forged.out
    assert "the document says 1" in forged.out
    (firm / "other.json").write_text("{}")
    assert call("verify", firm / "other.json", "--alone").code == 3
    assert call("verify", "0001", "--alone").code == 2


@pytest.mark.proof
def test_files_alone_are_drafted_and_judged(call: Call, firm: Path) -> None:
    """Without broker and without documents: every period of the files is drafted in memory, and each draft holds."""
    answer = call("verify", "--entries", firm / "exports" / "care-2026-10.jsonl", "--json", "--project", firm)
    assert answer.code == 0, answer.err
    documents = answer.json["documents"]
    assert [one["client"] for one in documents] == sorted(one["client"] for one in documents)
    assert {(one["client"], one["date_from"]) for one in documents} >= {
        ("varga", "2026-09-01"),
        ("varga", "2026-10-01"),
    }
    assert all(
        one["holds"] and {"recomputed", "certificate"} <= {check["name"] for check in one["checks"]}
        for one in documents
    )
    one = ("--client", "varga", "--period", "2026-10")
    narrowed = call("verify", "--entries", firm / "exports" / "care-2026-10.jsonl", *one, "--json", "--project", firm)
    assert [(one["client"], one["date_from"]) for one in narrowed.json["documents"]] == [("varga", "2026-10-01")]
