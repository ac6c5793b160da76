"""`verify`: does a document say the truth about its minutes and its money? Judged by the journal alone, or by files."""

import asyncio
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from billstream.cli.exits import Exit
from billstream.cli.failure import CommandFailed
from billstream.cli.results import BucketItem, VerifiedCheck, VerifiedItem, VerifyResult
from billstream.cli.running import collect_seldom
from billstream.cli.session import Session
from billstream.closing import SHORTEST_DOCUMENT_ID, Order, agreements_of, close_each
from billstream.explaining import scopes_with_entries
from billstream.file_preview import desk_of_files
from billstream.gateway import Desk
from books.bodies import read_body
from books.catalog import Agreement
from books.preview import preview
from books.rows import BodyRow
from books.verification import Audit, Check, Revision, body_differences, journal_checks, statement_checks
from schemas.draft import DraftBody, PublishedDocument
from schemas.errors import Conflict
from schemas.period import Period
from sinks.json_file.document import DocumentFile, read_document

_WHO = "verify"


async def verify_journal(desk: Desk, names: Sequence[str], files: Sequence[Path]) -> VerifyResult:
    """Check the named documents, or all, and document files against a fold of the whole journal from its beginning."""
    await desk.catch_up()
    audit = Audit()
    async for batch in desk.journal():
        audit.read(batch)
    wanted = [find(audit, name) for name in names]
    if not names and not files:
        wanted = sorted(audit.documents, key=lambda one: _place(audit.documents[one]))
    items = [item for document_id in wanted if (item := _judged(desk, audit, document_id)) is not None]
    items += [_judged_file(audit, path) for path in files]
    return VerifyResult(documents=tuple(items), records=desk.next_offset)


def _place(document: PublishedDocument) -> tuple[str, date, str, int, str]:
    """Documents in the order in which people look for them: client, period, kind."""
    scope = document.body.scope
    return scope.client_id, scope.date_from, scope.kind.value, document.sequence, document.document_id


def find(audit: Audit, name: str) -> str:
    """The id of a document by id, number or the beginning of an id."""
    exact = [one.document_id for one in audit.documents.values() if name in (one.document_id, one.number)]
    begins = [one for one in audit.documents if len(name) >= SHORTEST_DOCUMENT_ID and one.startswith(name)]
    found = exact or begins
    if len(found) == 1:
        return found[0]
    said = f"'{name}' fits {len(found)} documents." if found else f"The journal has no document '{name}'."
    raise CommandFailed("document_unknown", said, "`billstream status` lists documents and their ids.", Exit.NOT_FOUND)


def _judged(desk: Desk, audit: Audit, document_id: str) -> VerifiedItem | None:
    published = audit.documents[document_id]
    revision = audit.newest(document_id)
    if revision is None:
        return _item(published.body, _facts_of(published), statement_checks(published.body, published.content))
    checks = [*journal_checks(revision), _stored_check(desk, revision)]
    return _item(revision.fact.body, _facts_of(published), checks)


def _stored_check(desk: Desk, revision: Revision) -> Check:
    """The front door's own rows hold the same body."""
    if not desk.book.has(BodyRow, revision.document_id):
        return Check("rows", holds=False, detail="the rows hold no such document")
    same = read_body(desk.book, revision.document_id) == revision.fact.body
    return Check("rows", same, "" if same else "the rows hold another body than the journal")


def _facts_of(published: PublishedDocument) -> dict[str, object]:
    return {
        "document_id": published.document_id,
        "revision": published.revision,
        "number": published.number,
        "state": published.state.value,
    }


def _judged_file(audit: Audit, path: Path) -> VerifiedItem:
    """A delivered file: it has to be the recorded document of its revision, and that one has to hold."""
    file = read_file(path)
    checks = [*statement_checks(file.body, file.content)]
    revision = audit.revisions.get((file.document_id, file.revision))
    published = audit.documents.get(file.document_id)
    if published is None or (revision is None and published.revision != file.revision):
        checks.append(Check("journal", holds=False, detail="the journal has no such document and revision"))
        return _file_item(path, file, checks)
    recorded = published.body if revision is None else revision.fact.body
    said = body_differences(file.body, recorded)
    checks.append(Check("recorded", not said, "; ".join(said)))
    numbered = file.number in ("", published.number)
    checks.append(Check("number", numbered, "" if numbered else f"its number in the journal is '{published.number}'"))
    checks += [] if revision is None else [one for one in journal_checks(revision) if one.name == "recomputed"]
    return _file_item(path, file, checks)


def verify_alone(files: Sequence[Path]) -> VerifyResult:
    """Check only what documents say of themselves."""
    found = []
    for path in files:
        file = read_file(path)
        found.append(_file_item(path, file, statement_checks(file.body, file.content)))
    return VerifyResult(documents=tuple(found))


def verify_files(
    session: Session, files: Sequence[Path], entries: Sequence[Path], contracts: Path | None
) -> VerifyResult:
    """Check document files against entries and contracts on files, without a broker."""

    async def check() -> VerifyResult:
        desk, _ = await desk_of_files(session, entries, contracts)
        return verify_against(desk, files)

    collect_seldom()
    return asyncio.run(check())


def verify_drafts(
    session: Session, entries: Sequence[Path], contracts: Path | None, clients: Sequence[str], period: Period | None
) -> VerifyResult:
    """Draft what files come to in a journal in memory and judge each draft by that journal alone.

    Without a period every billing period with entries is drafted, the earliest first.
    """

    async def check() -> VerifyResult:
        desk, problems = await desk_of_files(session, entries, contracts)
        for wanted in _closes(desk, clients, period):
            await close_each(desk, wanted, Order(_WHO, _WHO, 1))
        result = await verify_journal(desk, [], [])
        return result.model_copy(update={"problems": problems})

    collect_seldom()
    return asyncio.run(check())


def _closes(desk: Desk, clients: Sequence[str], period: Period | None) -> list[list[tuple[Agreement, Period]]]:
    """What is drafted together: of one period, or of all periods that begin on one day."""
    if period is not None:
        return [[(agreement, period) for agreement in agreements_of(desk, clients, period)]]
    by_start: dict[date, list[tuple[Agreement, Period]]] = {}
    for scope in scopes_with_entries(desk):
        agreement = desk.catalog.agreements[scope.contract_id]
        if not clients or agreement.client_id in clients:
            by_start.setdefault(scope.date_from, []).append((agreement, agreement.compiled.period_of(scope.date_from)))
    return [by_start[start] for start in sorted(by_start)]


def verify_against(desk: Desk, files: Sequence[Path]) -> VerifyResult:
    """Check document files against an invoice computed now from entries and contracts on files."""
    found = []
    for path in files:
        file = read_file(path)
        checks = [*statement_checks(file.body, file.content)]
        again = preview(desk.book, desk.catalog, file.body.scope)
        if again is None:
            checks.append(Check("recomputed", holds=False, detail="the files have no such client or contract"))
        else:
            dated = again.model_copy(update={"invoice_date": file.body.invoice_date})
            said = body_differences(file.body, dated)
            checks.append(Check("recomputed", not said, "; ".join(said)))
        found.append(_file_item(path, file, checks))
    return VerifyResult(documents=tuple(found))


def read_file(path: Path) -> DocumentFile:
    """A document as the JSON sink writes it; CommandFailed when it is something else."""
    try:
        return read_document(path.read_bytes())
    except Conflict as error:
        fix = "Name a file that the sink `json` wrote."
        raise CommandFailed("not_a_document", f"{path} is no document: {error.detail}", fix, Exit.NOT_FOUND) from None


def _file_item(path: Path, file: DocumentFile, checks: Sequence[Check]) -> VerifiedItem:
    named: dict[str, object] = {
        "document_id": file.document_id,
        "revision": file.revision,
        "number": file.number,
        "state": file.state.value,
        "file": str(path),
    }
    return _item(file.body, named, checks)


def _item(body: DraftBody, named: dict[str, object], checks: Sequence[Check]) -> VerifiedItem:
    said = body.certificate
    return VerifiedItem.model_validate(
        {
            **named,
            "client": body.scope.client_id,
            "date_from": body.scope.date_from,
            "date_to": body.scope.date_to,
            "holds": all(one.holds for one in checks),
            "worked_seconds": body.worked_seconds,
            "carried_in_seconds": body.carried_in_seconds,
            "statement": "" if said is None else said.statement,
            "buckets": tuple(
                BucketItem(bucket=one.bucket.value, reason=one.reason, seconds=one.seconds, entries=len(one.entry_ids))
                for one in (() if said is None else said.buckets)
            ),
            "checks": tuple(VerifiedCheck(name=one.name, holds=one.holds, detail=one.detail) for one in checks),
        }
    )
