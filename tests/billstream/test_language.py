"""The contract language: its JSON Schemas, its questions, and the worked examples that contracts carry."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic import BaseModel

from billstream.configuration.load import load_configuration, load_contracts, load_directory
from billstream.configuration.problems import InvalidFiles, Problem
from billstream.configuration.schema import FileKind, schema_of
from billstream.configuration.wording import KEYS
from billstream.reference import LANGUAGE
from schemas import directory
from schemas.contract import ContractDocument

AsJson = Callable[[str], Any]
SINKS = frozenset({"json", "ledes", "pdf"})


@pytest.fixture(scope="module")
def validators() -> dict[FileKind, Any]:
    """A validator of each schema; forms of dates are checked too."""
    kind = jsonschema.Draft202012Validator
    return {one: kind(schema_of(one), format_checker=kind.FORMAT_CHECKER) for one in FileKind}


def found(firm: Path) -> tuple[Problem, ...]:
    try:
        load_configuration(firm / "directory", firm / "contracts", firm, SINKS)
    except InvalidFiles as error:
        return error.problems
    return ()


def test_every_schema_is_a_schema() -> None:
    """Editors refuse what is no JSON Schema."""
    for kind in FileKind:
        jsonschema.Draft202012Validator.check_schema(schema_of(kind))


def test_the_files_of_the_sample_firm_fit_their_schemas(
    firm: Path, validators: dict[FileKind, Any], yaml_as_json: AsJson
) -> None:
    """What `contracts check` accepts an editor does not underline."""
    kinds = {"contracts": FileKind.CONTRACT, "directory": FileKind.DIRECTORY}
    for folder, kind in kinds.items():
        for path in sorted((firm / folder).glob("*.yaml")):
            validators[kind].validate(yaml_as_json(path.read_text()))
    validators[FileKind.SETTINGS].validate(yaml_as_json((firm / "billstream.yaml").read_text()))


def test_a_contract_with_every_clause_is_accepted_and_fits(
    repository_root: Path, firm: Path, validators: dict[FileKind, Any], yaml_as_json: AsJson
) -> None:
    """No part of the language is missing in the schema, and the example contract sets every part of it."""
    path = repository_root / "tests/billstream/contracts/everything.yaml"
    validators[FileKind.CONTRACT].validate(yaml_as_json(path.read_text()))
    people = load_directory(firm / "directory", firm)
    (one,) = load_contracts(path, repository_root, people, SINKS)
    assert set(ContractDocument.model_fields) - one.contract.model_fields_set <= {"blended", "trust", "late_policy"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("overflow:", "overflw:"),
        ("hold_for_approval", "hold_for_aproval"),
        ("pool: person", "pool: nobody"),
        ("    pool: person\n", ""),
        ("overflow: hold_for_approval", "overflow: overage_rate"),
        ("window: week", "window: fortnight"),
        ("    window: week\n", ""),
        ("hours: 40", "hours: forty"),
        ("rate: 150.00", "rate: -1"),
        ("rate: 150.00", "rate: [150.00]"),
        ("{role: senior, rate: 150.00, ", "{role: senior, "),
        ("currency: EUR", "currency: Euro"),
        ("currency: EUR\n", ""),
        ("from: 2026-01-01", "from: 01.01.2026"),
        ("from: 2026-01-01", "from: 20260101"),
        ("from: 2026-01-01", "from: 2026-02-30"),
        ("id: northwind-2026", "id: north wind"),
        ("{category: S, percent: 19}", "{category: S, percent: 0}"),
        ("thresholds: [50, 80, 100]", "thresholds: half"),
        ("leave: draft", "leave: sometimes"),
        ("hours: 40", "hours: true"),
        ("taxes:", "payment_terms_days: true\ntaxes:"),
        ("rates:", "rates: none\nother:"),
    ],
)
def test_an_invalid_contract_is_refused_by_loader_and_schema(
    firm: Path, validators: dict[FileKind, Any], yaml_as_json: AsJson, old: str, new: str
) -> None:
    """An editor shows what `contracts check` would refuse, where a schema can say it at all."""
    path = firm / "contracts/northwind.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    problems = found(firm)
    assert problems
    assert {problem.file for problem in problems} == {"contracts/northwind.yaml"}
    assert all(problem.line > 0 for problem in problems)
    assert list(validators[FileKind.CONTRACT].iter_errors(yaml_as_json(path.read_text())))


def test_every_key_has_a_sentence_and_no_sentence_is_left_over() -> None:
    """Editors show a sentence for each key of contracts and directories."""
    modules = (*LANGUAGE, directory)
    models = [one for module in modules for one in vars(module).values() if isinstance(one, type)]
    parts = [one for one in (*models, ContractDocument) if issubclass(one, BaseModel)]
    keys = {field.alias or name for one in parts for name, field in one.model_fields.items()}
    assert keys - set(KEYS) == set()
    assert set(KEYS) - keys == set()


def test_schemas_are_written_where_an_editor_finds_them(firm: Path, call: Callable[..., Any]) -> None:
    """The line that `contracts schema` proposes leads from a contract to the schema it wrote."""
    called = call("contracts", "schema", "--folder", "schemas", "--project", firm)
    assert called.code == 0
    line = next(line.strip() for line in called.out.splitlines() if "yaml-language-server" in line)
    path = firm / "contracts/northwind.yaml"
    path.write_text(f"{line}\n{path.read_text()}")
    named = (path.parent / line.partition("$schema=")[2]).resolve()
    assert json.loads(named.read_text()) == schema_of(FileKind.CONTRACT)
    assert found(firm) == ()


def test_a_cap_without_a_pool_asks_who_shares_it(firm: Path) -> None:
    """BD-33: the sentence has two meanings; the error asks the question where the cap stands."""
    path = firm / "contracts/northwind.yaml"
    path.write_text(path.read_text().replace("    pool: person\n", ""))
    (problem,) = found(firm)
    assert problem.place == "contracts/northwind.yaml:14:5"
    assert problem.code == "ambiguous"
    assert "'40 hours per week' for senior: each person by itself, or all of them together?" in problem.message
    assert "pool: person" in problem.fix
    with pytest.raises(InvalidFiles) as caught:
        load_configuration(firm / "directory", firm / "contracts", firm)
    assert caught.value.code == "contract_ambiguous"


@pytest.mark.parametrize(
    ("clause", "question"),
    [
        ("amount_caps: [{id: nte, amount: 25000, window: contract}]", "with or without expenses?"),
        ("amount_caps: [{id: nte, amount: 25000, counts: fees}]", "per phase or for all of it?"),
        ("expenses: {markups: [{category: hotel}]}", "at cost, or with how many percent?"),
        ("minimum: [{amount: 4000, every: month, shortfall: bill}]", "do fixed fees and expenses count"),
        ("minimum: [{amount: 4000, every: month, counts: fees}]", "is a shortfall billed or carried?"),
        ("recurring_fees: [{id: a, amount: 9, every: month}]", "in advance or in arrears?"),
        ("deposits: [{id: a, amount: 9, on: 2026-02-01}]", "where is the deposit deducted?"),
        ("discounts: [{id: a, percent: 9}]", "what does the discount apply to?"),
        ("retainers: [{id: a, hours: 20, fee: 2400, rollover: all}]", "how long?"),
        ("retainers: [{id: a, hours: 20, fee: 2400, rollover: max_hours, rollover_periods: 1}]", "how many?"),
    ],
)
def test_what_a_sentence_leaves_open_is_asked(firm: Path, clause: str, question: str) -> None:
    """Section 7 of the domain: nobody's reading is taken where another one would cost another amount."""
    path = firm / "contracts/northwind.yaml"
    text = path.read_text()
    if clause.startswith("expenses"):
        text = text.replace("expenses:\n  markups:\n    - {percent: 0}\n", "")
    path.write_text(f"{text}{clause}\n")
    problems = found(firm)
    asked = [problem for problem in problems if question in problem.message]
    assert asked, [problem.text for problem in problems]
    assert {problem.code for problem in asked} == {"ambiguous"}


def test_readings_by_default_are_told(firm: Path) -> None:
    """Where a default counts, `contracts check` says which reading was taken, with file and line."""
    configuration = load_configuration(firm / "directory", firm / "contracts", firm)
    pavlik = next(one for one in configuration.contracts if one.contract.client == "pavlik")
    said = {problem.place: problem.message for problem in pavlik.assumed}
    assert said["contracts/pavlik.yaml:12:5"] == "15 minutes are rounded per entry, not per day (`scope: entry`)"


def test_two_contracts_on_one_date_are_refused_with_both_places(firm: Path) -> None:
    """One date and scope has one contract; the message names the other one's file and line."""
    copy = firm / "contracts/northwind-2.yaml"
    text = (firm / "contracts/northwind.yaml").read_text()
    copy.write_text(text.replace("id: northwind-2026", "id: northwind-2027").replace("2026-01-01", "2026-12-01", 1))
    (problem,) = found(firm)
    assert problem.place == "contracts/northwind.yaml:7:7"
    assert "contracts/northwind-2.yaml:7 is valid on the same dates" in problem.message


EXAMPLE = """
examples:
  - id: senior-above-40
    clause: "Annex 2"
    period: 2026-10
    entries:
      - {person: mara, date: 2026-10-05, hours: "9:00"}
      - {person: mara, date: 2026-10-06, hours: "9:00"}
      - {person: mara, date: 2026-10-07, hours: "9:00"}
      - {person: mara, date: 2026-10-08, at: "09:00", hours: 9}
      - {person: mara, date: 2026-10-09, hours: "7:00"}
      - {kind: expense, date: 2026-10-09, expense: train, amount: 80.00}
    expect:
      net: 6080.00
      gross: 7235.20
      lines:
        - {text: mara, amount: 6000.00, hours: "40:00", price: 150}
        - {text: train, amount: 80.00}
      buckets:
        - {bucket: billed, hours: 40}
        - {bucket: held, reason: "cap:senior-week", hours: "3:00"}
"""


def test_a_worked_example_that_holds_is_counted(firm: Path, call: Callable[..., Any]) -> None:
    """BD-24: a contract shows its own cap with figures, and the load proves them."""
    path = firm / "contracts/northwind.yaml"
    path.write_text(path.read_text() + EXAMPLE)
    assert [problem.text for problem in found(firm)] == []
    called = call("contracts", "check", "--json", "--project", firm)
    assert [one["examples"] for one in called.json["contracts"] if one["client"] == "northwind"] == [1]


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("net: 6080.00", "net: 6100.00", 14, "net is to be 6100.00 EUR, the clauses give 6080.00 (-20.00)"),
        ("price: 150", "price: 160", 17, "is to have the price 160, the clauses give 150.00"),
        ('hours: "3:00"', 'hours: "2:00"', 21, "held cap:senior-week is to hold 2:00 h, the clauses give 3:00 h"),
        ("text: train", "text: plane", 18, "line 2 is to contain 'plane'"),
        ("        - {text: train, amount: 80.00}\n", "", 17, "1 lines are expected, the clauses give 2"),
        ("        - {bucket: billed, hours: 40}\n", "", 20, "billed holds 40:00 h and is not expected"),
    ],
)
def test_a_worked_example_that_differs_is_refused_with_the_difference(
    firm: Path, old: str, new: str, line: int, said: str
) -> None:
    """The place is the figure that differs, and the message says by how much."""
    path = firm / "contracts/northwind.yaml"
    before = path.read_text()
    assert old in EXAMPLE
    path.write_text(before + EXAMPLE.replace(old, new, 1))
    problems = found(firm)
    assert [problem.line for problem in problems] == [before.count("\n") + line]
    assert said in problems[0].message


def test_an_example_proves_the_clause_beside_it(firm: Path) -> None:
    """Changing the clause and not the example is noticed: the sentence and its figure stand in one file."""
    path = firm / "contracts/northwind.yaml"
    path.write_text(path.read_text().replace("hours: 40\n", "hours: 38\n") + EXAMPLE)
    assert any("net is to be 6080.00 EUR, the clauses give 5780.00" in problem.message for problem in found(firm))


def test_clauses_without_a_setting_are_refused(firm: Path) -> None:
    """Words that belong to no setting explain nothing."""
    path = firm / "contracts/northwind.yaml"
    path.write_text(path.read_text() + "clauses: {payment_days: two weeks}\n")
    (problem,) = found(firm)
    assert "'payment_days', which is no setting of a contract" in problem.message
