"""The second pass: the records of a previewed file, in order, with the completed import at their end."""

from collections.abc import Iterator

from connectors.base import EntryMaker, Stamp
from connectors.tables.outcomes import OutcomeStream
from connectors.tables.preview import Preview
from connectors.tables.problems import RowProblem, file_refused
from connectors.tables.rows import ParsedRow
from schemas.canonical import deterministic_id
from schemas.entry import EntryVersion
from schemas.errors import Conflict
from schemas.inputs import ImportCompleted


def read_file(preview: Preview, stamp: Stamp) -> Iterator[EntryVersion | ImportCompleted]:
    """Yield the accepted rows of a file and then ImportCompleted. The same preview and stamp give the same records.

    Publish in this order, ImportCompleted when all rows are acknowledged. Raises Rejected before the first record while
    the preview is not ready, and Conflict instead of ImportCompleted when the file is no longer the one that was
    previewed; then the rows already yielded are harmless and the import is not complete.
    """
    _check_ready(preview)
    return _records(preview, stamp)


def row_problems(preview: Preview) -> Iterator[RowProblem]:
    """Every row of a file that is refused or asked about, for a full report; the preview keeps only the first ones."""
    stream = OutcomeStream(preview.text, preview.layout, preview.reading, preview.options)
    return (outcome for outcome in stream if isinstance(outcome, RowProblem))


def _check_ready(preview: Preview) -> None:
    questions = [question for question in preview.questions if question.whole_file]
    if questions:
        first = questions[0]
        raise file_refused(
            "import_has_questions", f"{first.sentence} (line {first.line}: {first.value})", f"Answer with {first.flag}."
        )
    if preview.date_from is None or preview.date_to is None:
        fix = "If everything of a span is gone, declare it with --people, --from and --to."
        raise file_refused("nothing_to_import", f"{preview.text.path.name} holds no row that can be imported.", fix)


def _records(preview: Preview, stamp: Stamp) -> Iterator[EntryVersion | ImportCompleted]:
    layout, options = preview.layout, preview.options
    maker = EntryMaker(
        stamp,
        source=layout.source,
        account=options.account,
        mapping_version=layout.mapping_version,
        import_id=preview.import_id,
    )
    stream = OutcomeStream(preview.text, layout, preview.reading, options)
    accepted = 0
    for outcome in stream:
        if isinstance(outcome, ParsedRow):
            accepted += 1
            yield maker.make(outcome.fields)
    if stream.file_hash != preview.text.file_hash:
        name = preview.text.path.name
        raise Conflict("file_changed", f"{name} changed while it was imported.", "Preview it again, then import it.")
    assert accepted == preview.counts.accepted, "the same bytes were understood differently"
    yield _completed(preview, stamp, maker)


def _completed(preview: Preview, stamp: Stamp, maker: EntryMaker) -> ImportCompleted:
    assert preview.date_from is not None, "checked before the first record"
    assert preview.date_to is not None, "checked before the first record"
    seen = {"import_id": preview.import_id, "observed_at": stamp.observed_at}
    counts = preview.counts
    return ImportCompleted(
        envelope=maker.envelope(deterministic_id("import_completed", seen)),
        import_id=preview.import_id,
        source=preview.layout.source,
        account=preview.options.account,
        people=preview.scope_people,
        date_from=preview.date_from,
        date_to=preview.date_to,
        observed_at=stamp.observed_at,
        rows=counts.rows,
        accepted=counts.accepted,
        refused=counts.refused,
        asked=counts.asked,
        file_name=preview.text.path.name,
        file_hash=preview.text.file_hash,
    )
