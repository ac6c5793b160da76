"""Directory and contracts as a whole: each mistake is named with file, line and the nearest valid word."""

from pathlib import Path

import pytest
from pydantic import field_validator

from billstream.configuration.load import document_of, load_configuration
from billstream.configuration.problems import InvalidFiles
from billstream.configuration.source import read_text
from billstream.configuration.validate import validate
from schemas.contract import ContractDocument
from schemas.dated import not_yet
from schemas.values import Value


def problems(firm: Path) -> list[str]:
    try:
        load_configuration(firm / "directory", firm / "contracts", firm, frozenset({"json", "ledes", "pdf"}))
    except InvalidFiles as error:
        return [problem.text for problem in error.problems]
    return []


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_the_sample_firm_is_right(firm: Path) -> None:
    """17 people, 10 clients and 10 contracts are read without a problem; the worked examples hold."""
    configuration = load_configuration(firm / "directory", firm / "contracts", firm)
    assert len(configuration.directory.people) == 17
    assert len(configuration.directory.clients) == 10
    assert len(configuration.contracts) == 10


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        (
            "contracts/northwind.yaml",
            "overflow:",
            "overflw:",
            "contracts/northwind.yaml:21:5: unknown key 'overflw' (did you mean 'overflow'?)",
        ),
        ("contracts/northwind.yaml", "hold_for_approval", "hold_for_aproval", "did you mean 'hold_for_approval'?"),
        (
            "contracts/northwind.yaml",
            "client: northwind",
            "client: nortwind",
            "there is no client 'nortwind' (did you mean 'northwind'?)",
        ),
        (
            "contracts/northwind.yaml",
            "roles: [senior]",
            "roles: [seniors]",
            "there is no role 'seniors' (did you mean 'senior'?)",
        ),
        ("contracts/northwind.yaml", "rate: 150.00", "rate: -1", "must not be negative"),
        ("contracts/northwind.yaml", "currency: EUR", "currency: Euro", "not a currency"),
        ("contracts/northwind.yaml", "from: 2026-01-01", "from: 01.01.2026", "expected a date such as 2026-10-31"),
        ("contracts/northwind.yaml", "sink: json", "sink: jsn", "there is no sink of billstream.yaml 'jsn'"),
        ("contracts/pavlik.yaml", "minutes: 15", "minutes: 14", "increments.0.minutes: '14' is not one of the values"),
        ("contracts/pavlik.yaml", "id: pavlik-support", "id: quillon-2026", "is already used in contracts/pavlik.yaml"),
        (
            "contracts/pavlik.yaml",
            "client: pavlik",
            "client: quillon",
            "is valid on the same dates for all work of quillon",
        ),
        ("directory/clients.yaml", "client: northwind", "client: northwnd", "which is not in the directory"),
        ("directory/people.yaml", "name: Noor Haddad", "name: Jonas Okafor", "is also a name of jonas"),
        ("directory/firm.yaml", "zone: Europe/Berlin", "zone: Europe/Berln", "not a time zone"),
    ],
)
def test_a_mistake_is_named_at_its_line(firm: Path, file: str, old: str, new: str, said: str) -> None:
    """The problem says what is wrong, and where."""
    change(firm / file, old, new)
    found = problems(firm)
    assert any(said in text for text in found), found


def test_all_mistakes_are_found_at_once(firm: Path) -> None:
    """One wrong file does not hide the next."""
    change(firm / "contracts/northwind.yaml", "hours: 40", "hours: forty")
    change(firm / "contracts/kestrel.yaml", "text: Maintenance", "txt: Maintenance")
    files = {text.split(":")[0] for text in problems(firm)}
    assert files == {"contracts/northwind.yaml", "contracts/kestrel.yaml"}


class Later(Value):
    """A part of the language that is not billed yet."""

    auctions: object = None

    @field_validator("auctions", mode="before")
    @classmethod
    def _refused(cls, value: object) -> None:
        raise not_yet("an auction")


def test_a_clause_that_is_not_billed_yet_is_refused() -> None:
    """What a version does not bill is refused at its line with its own code, never ignored."""
    with pytest.raises(InvalidFiles) as caught:
        validate(read_text("auctions: [1]\n", "contracts/later.yaml"), Later)
    assert caught.value.code == "contract_not_yet"
    assert "contracts/later.yaml:1:11: auctions: not yet: an auction" in caught.value.message


def test_a_missing_folder_is_a_problem(firm: Path) -> None:
    """A folder that is not there is named."""
    with pytest.raises(InvalidFiles, match="there is no such folder"):
        load_configuration(firm / "directory", firm / "contract", firm)


def test_a_document_reads_back_as_the_same_contract(firm: Path) -> None:
    """What a revision carries is the whole contract, and its hash follows from nothing else."""
    configuration = load_configuration(firm / "directory", firm / "contracts", firm)
    for one in configuration.contracts:
        document = document_of(one.contract)
        again = ContractDocument.model_validate_json(document.text)
        assert again == one.contract
        assert document_of(again) == document
