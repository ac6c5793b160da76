"""A thousand mistakes in contract files: each is refused with file, line and a hint, or it means what it says.

The mistakes are those of people who edit by hand: a key gone or twice, a typing error, a wrong type, a wrong date, two
lines exchanged, a file cut off, a tab, an anchor, a number too many. They are seeded, so a failure comes again.
"""

import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from jsonschema.protocols import Validator

from billstream.configuration.checks import contract_findings
from billstream.configuration.load import Document, document_of, load_configuration
from billstream.configuration.problems import InvalidFiles, Problem
from billstream.configuration.schema import FileKind, schema_of
from billstream.configuration.source import follow, problem_at, read_text
from billstream.configuration.validate import validate
from billstream.configuration.worked import example_findings
from billstream.demo.run import FIRM
from schemas.canonical import canonical_bytes
from schemas.contract import ContractDocument
from schemas.directory import DirectoryDocument

pytestmark = pytest.mark.proof

FILE = "contracts/mutated.yaml"
BLOCKS, IN_A_BLOCK = 20, 50
SINKS = frozenset({"json", "ledes", "pdf"})
BAD_DATES = ("2026-02-30", "2026-13-01", "01.02.2026", "20260201", "2026-1-1", "yesterday", "0001-01-01", "9999-12-31")
NUMBERS = ("-1", "0", "1e400", "99999999999999999999999", "0.00000000000000000001", "NaN", "Infinity", "1_000", "0x10")
VALUES = ("[]", "{}", "null", "true", "yes", "''", "word", "[1, 2]", "{a: 1}", "12:30", "2026-05-05", "~", "- x")
AsJson = Callable[[str], Any]
Mutate = Callable[[random.Random, list[str]], list[str]]


def _line(chance: random.Random, lines: list[str], having: str = r"\S") -> int:
    wanted = [index for index, line in enumerate(lines) if re.search(having, line) and not line.startswith("#")]
    return chance.choice(wanted or range(len(lines)))


def _replaced(chance: random.Random, lines: list[str], pattern: str, values: tuple[str, ...]) -> list[str]:
    """One place of one line that fits a pattern gets another value."""
    index = _line(chance, lines, pattern)
    places = list(re.finditer(pattern, lines[index]))
    if not places:
        return lines
    place = chance.choice(places)
    changed = lines[index][: place.start()] + chance.choice(values) + lines[index][place.end() :]
    return [*lines[:index], changed, *lines[index + 1 :]]


def delete_line(chance: random.Random, lines: list[str]) -> list[str]:
    index = _line(chance, lines)
    return lines[:index] + lines[index + 1 :]


def repeat_line(chance: random.Random, lines: list[str]) -> list[str]:
    index = _line(chance, lines)
    return lines[: index + 1] + lines[index:]


def exchange_lines(chance: random.Random, lines: list[str]) -> list[str]:
    one, two = _line(chance, lines), _line(chance, lines)
    changed = list(lines)
    changed[one], changed[two] = changed[two], changed[one]
    return changed


def mistype_word(chance: random.Random, lines: list[str]) -> list[str]:
    """A letter of a word is lost, doubled, exchanged, or in the wrong case."""
    index = _line(chance, lines, r"[A-Za-z]{3}")
    word = chance.choice(re.findall(r"[A-Za-z_]{3,}", lines[index]) or [lines[index]])
    at = chance.randrange(max(len(word) - 1, 1))
    other = chance.choice(
        [
            word[:at] + word[at + 1 :],
            word[:at] + word[at] + word[at:],
            word[:at] + word[at : at + 2][::-1] + word[at + 2 :],
            word[:at] + word[at].swapcase() + word[at + 1 :],
        ]
    )
    return [*lines[:index], lines[index].replace(word, other, 1), *lines[index + 1 :]]


def rename_key(chance: random.Random, lines: list[str]) -> list[str]:
    other = ("name", "id", "rate", "hours", "from", "form", "client", "kind", "currencies", "x", "date_from")
    return _replaced(chance, lines, r"[a-z_]+(?=:)", other)


def change_type(chance: random.Random, lines: list[str]) -> list[str]:
    return _replaced(chance, lines, r"(?<=: )[^{}\[\],#]+", VALUES)


def change_date(chance: random.Random, lines: list[str]) -> list[str]:
    return _replaced(chance, lines, r"\d{4}-\d{2}-\d{2}", BAD_DATES)


def change_number(chance: random.Random, lines: list[str]) -> list[str]:
    return _replaced(chance, lines, r"(?<![\d-])\d+(\.\d+)?(?![\d-])", NUMBERS)


def cut_off(chance: random.Random, lines: list[str]) -> list[str]:
    text = "\n".join(lines)
    return text[: chance.randrange(len(text) + 1)].split("\n")


def use_tabs(chance: random.Random, lines: list[str]) -> list[str]:
    return _replaced(chance, lines, r"^ +| (?=\S)", ("\t", " \t", "\t\t"))


def indent(chance: random.Random, lines: list[str]) -> list[str]:
    index = _line(chance, lines)
    line = lines[index]
    moved = chance.choice([f" {line}", f"  {line}", line.removeprefix(" "), line.lstrip()])
    return [*lines[:index], moved, *lines[index + 1 :]]


def use_anchors(chance: random.Random, lines: list[str]) -> list[str]:
    return _replaced(
        chance, lines, r"(?<=: )(?=[\w\[{])", ("&a ", "*a ", "&a", "*unknown # ", "!!str ", "!!python/none ", "<<: ")
    )


def unbalance(chance: random.Random, lines: list[str]) -> list[str]:
    return _replaced(
        chance, lines, r"[\[\]{}\"',:-]", ("", "[", "}", '"', "'", ":", "|", ">", "@", "%", "\x00", "\u2028")
    )


KINDS: tuple[Mutate, ...] = (
    delete_line,
    repeat_line,
    exchange_lines,
    mistype_word,
    rename_key,
    change_type,
    change_date,
    change_number,
    cut_off,
    use_tabs,
    indent,
    use_anchors,
    unbalance,
)


@pytest.fixture(scope="module")
def originals(repository_root: Path, people: DirectoryDocument) -> dict[str, Document]:
    """The sample firm's contracts, and one with every part of the language: their texts, and what these mean."""
    paths = [
        *sorted((FIRM / "contracts").glob("*.yaml")),
        repository_root / "tests/billstream/contracts/everything.yaml",
    ]
    return {text: document_of(read(text, people)) for text in (path.read_text() for path in paths)}


@pytest.fixture(scope="module")
def people() -> DirectoryDocument:
    """The sample firm's directory."""
    return load_configuration(FIRM / "directory", FIRM / "contracts", FIRM, SINKS).directory


@pytest.fixture(scope="module")
def validator() -> Validator:
    """The published schema."""
    kind = jsonschema.Draft202012Validator
    return kind(schema_of(FileKind.CONTRACT), format_checker=kind.FORMAT_CHECKER)


def read(text: str, people: DirectoryDocument) -> ContractDocument:
    """A contract as `contracts check` reads it; InvalidFiles for everything that is wrong with it."""
    tree = read_text(text, FILE)
    contract = validate(tree, ContractDocument)
    findings = list(contract_findings(contract, people, SINKS)) or list(example_findings(contract, people))
    if findings:
        raise InvalidFiles([problem_at(follow(tree, one.place)[0], one.message, one.fix, one.code) for one in findings])
    return contract


def is_helpful(problem: Problem) -> bool:
    """File and line, and a word about what to do: a fix, a question, or what was expected."""
    told = problem.fix or problem.code == "ambiguous" or "expected" in problem.message
    return problem.file == FILE and problem.line > 0 and bool(told)


@pytest.mark.parametrize("block", range(BLOCKS))
def test_a_mutated_contract_is_refused_with_a_hint_or_means_what_it_says(
    block: int,
    originals: dict[str, Document],
    people: DirectoryDocument,
    validator: Validator,
    yaml_as_json: Callable[[str], Any],
) -> None:
    """1,000 seeded mistakes: refused with file, line and hint, or the same contract, or one the schema accepts too and
    whose canonical form reads back as itself; never a traceback.
    """
    chance = random.Random(f"contract mutations {block}")
    for number in range(IN_A_BLOCK):
        original = chance.choice(sorted(originals))
        mutate = KINDS[(block * IN_A_BLOCK + number) % len(KINDS)]
        lines = original.split("\n")
        for _ in range(chance.choice((1, 1, 1, 2))):
            lines = mutate(chance, lines)
        text = "\n".join(lines)
        try:
            contract = read(text, people)
        except InvalidFiles as error:
            unhelpful = [problem.text for problem in error.problems if not is_helpful(problem)]
            assert not unhelpful, (mutate.__name__, unhelpful)
            continue
        document = document_of(contract)
        if document == originals[original]:
            continue
        refused = [error.message for error in validator.iter_errors(yaml_as_json(text))]
        assert not refused, (mutate.__name__, refused, _difference(original, text))
        again = ContractDocument.model_validate_json(document.text)
        assert canonical_bytes(again.model_dump()) == canonical_bytes(contract.model_dump()), mutate.__name__


def _difference(one: str, two: str) -> list[str]:
    before = set(one.split("\n"))
    return [line for line in two.split("\n") if line not in before]
