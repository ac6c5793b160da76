"""A preview as plain values for `--json`, for the report beside a finished file, and for the screen."""

from collections.abc import Mapping

from connectors.tables.preview import Preview
from connectors.tables.problems import RowProblem

REPORT_VERSION = 1


def report_of(preview: Preview) -> dict[str, object]:
    """Everything a person has to see before an import, in stable order; times are whole seconds, dates ISO text."""
    return {
        "version": REPORT_VERSION,
        "import_id": preview.import_id,
        "ready": preview.ready,
        "file": {
            "name": preview.text.path.name,
            "bytes": preview.text.file_bytes,
            "hash": preview.text.file_hash,
            "encoding": preview.text.encoding,
            "encoding_reason": preview.text.reason,
        },
        "format": {
            "name": preview.layout.name,
            "reason": preview.layout.reason,
            "delimiter": preview.layout.delimiter.value if preview.layout.delimiter else "",
            "header_line": preview.layout.header_line,
        },
        "reading": {
            "zone": preview.reading.zone,
            "date_order": preview.evidence.date_order,
            "decimal_mark": preview.evidence.decimal_mark,
            "currencies": list(preview.currencies),
        },
        "scope": {
            "source": preview.layout.source,
            "account": preview.options.account,
            "people": list(preview.scope_people),
            "from": preview.date_from.isoformat() if preview.date_from else None,
            "to": preview.date_to.isoformat() if preview.date_to else None,
            "declared": preview.scope_declared,
        },
        "counts": preview.counts.model_dump(mode="json"),
        "people": {name: total.model_dump(mode="json") for name, total in preview.people.items()},
        "clients": list(preview.clients),
        "projects": list(preview.projects),
        "questions": [question.model_dump(mode="json") for question in preview.questions],
        "problem_counts": dict(preview.problem_counts),
        "held_counts": dict(preview.held_counts),
        "problems": [problem_report(problem) for problem in preview.problems],
        "warnings": list(preview.warnings),
    }


def problem_report(problem: RowProblem) -> Mapping[str, object]:
    """One refused or asked row as plain values."""
    return {
        "verdict": problem.verdict.value,
        "line": problem.line,
        "column": problem.column,
        "value": problem.value,
        "code": problem.code,
        "sentence": problem.sentence,
        "flag": problem.flag,
    }
