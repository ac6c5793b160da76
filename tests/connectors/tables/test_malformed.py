"""The corpus of malformed files: one file for each kind, and the outcome each must have (`expected.json`)."""

import json
from pathlib import Path
from typing import Any

import pytest

from connectors.base import Stamp
from connectors.tables import REASONS, ImportOptions, Preview, preview_file, read_file, row_problems
from connectors.testing import check_import
from schemas.entry import EntryVersion
from schemas.errors import Rejected

CORPUS = Path(__file__).resolve().parents[2] / "data" / "csv_bad"
EXPECTED: dict[str, dict[str, Any]] = json.loads((CORPUS / "expected.json").read_text(encoding="utf-8"))
REFUSED = sorted(name for name, expected in EXPECTED.items() if "file_code" in expected)
READ = sorted(EXPECTED.keys() - set(REFUSED))


def _options(name: str) -> ImportOptions:
    return ImportOptions.model_validate({"zone": "Europe/Berlin", **EXPECTED[name].get("options", {})})


def _preview(name: str) -> Preview:
    return preview_file(CORPUS / name, _options(name))


def test_every_file_of_the_corpus_has_an_expected_outcome() -> None:
    """A file without expectation would be tested by nobody."""
    files = {path.name for path in CORPUS.iterdir()} - {"expected.json", ".gitattributes"}
    assert files == set(EXPECTED)


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_of_which_nothing_can_be_read_is_refused_with_a_code_and_a_sentence(name: str) -> None:
    """The whole file is refused before anything is published."""
    with pytest.raises(Rejected) as refused:
        _preview(name)
    assert refused.value.code == EXPECTED[name]["file_code"]
    assert refused.value.message


@pytest.mark.parametrize("name", READ)
def test_each_row_is_accepted_refused_or_asked_about(name: str) -> None:
    """The counts are the expected ones, and each refused row has the expected reason."""
    expected, preview = EXPECTED[name], _preview(name)
    counts = preview.counts
    assert (counts.rows, counts.accepted, counts.refused, counts.asked) == tuple(
        expected[key] for key in ("rows", "accepted", "refused", "asked")
    ), preview.problems
    assert preview.problem_counts == expected["codes"]
    assert counts.rows == counts.accepted + counts.refused + counts.asked


@pytest.mark.parametrize("name", READ)
def test_what_was_understood_is_told(name: str) -> None:
    """Encoding, delimiter, order of dates, skipped lines, held entries, totals, warnings and questions are shown."""
    expected, preview = EXPECTED[name], _preview(name)
    told: dict[str, object] = {
        "encoding": preview.text.encoding,
        "delimiter": preview.layout.delimiter,
        "decimal_mark": preview.reading.decimal_mark,
        "date_order": preview.reading.date_order,
        "skipped": preview.counts.skipped,
        "held": preview.held_counts,
        "seconds": sum(total.worked_seconds for total in preview.people.values()),
        "ready": preview.ready,
        "flags": [question.flag for question in preview.questions],
    }
    assert {key: told[key] for key in told if key in expected} == {
        key: expected[key] for key in told if key in expected
    }
    assert all(any(part in warning for warning in preview.warnings) for part in expected.get("warnings", []))


@pytest.mark.parametrize("name", READ)
def test_the_records_of_a_file_keep_the_contract(name: str, stamp: Stamp) -> None:
    """Published rows equal the preview's counts, with ids and hashes of schemas; an unready file publishes nothing."""
    preview = _preview(name)
    if not preview.ready:
        with pytest.raises(Rejected):
            read_file(preview, stamp)
        return
    records = list(read_file(preview, stamp))
    check_import(records)
    entries = [record for record in records if isinstance(record, EntryVersion)]
    assert len(entries) == preview.counts.accepted
    assert len({entry.entry_id for entry in entries}) == EXPECTED[name].get("entry_ids", len(entries))


@pytest.mark.parametrize("name", READ)
def test_every_problem_names_its_line_and_its_reason(name: str) -> None:
    """The full list of problems is as long as its count says; values are cut; each code is a documented one."""
    preview = _preview(name)
    problems = list(row_problems(preview))
    assert len(problems) == sum(preview.problem_counts.values())
    for problem in problems:
        assert problem.line >= 1
        assert problem.code in REASONS
        assert problem.sentence
        assert len(problem.value) <= 60


def test_every_reason_is_shown_by_a_file_or_a_test_here() -> None:
    """No reason code is dead: the corpus shows it, or one of the other test modules of this folder names it."""
    shown = {code for expected in EXPECTED.values() for code in expected.get("codes", {})}
    tests = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    assert {code for code in REASONS if code not in shown and f'"{code}"' not in tests} == set()
