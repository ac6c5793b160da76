"""Directory and contracts read and checked as a whole: nothing counts unless all is right (design section 6)."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from billstream.configuration.checks import Finding, contract_findings, directory_findings, overlap_findings
from billstream.configuration.problems import InvalidFiles, Problem, shown_path
from billstream.configuration.questions import assumptions
from billstream.configuration.source import Items, Mapping, follow, problem_at, read_file
from billstream.configuration.validate import validate
from billstream.configuration.worked import example_findings
from schemas.canonical import canonical_bytes, content_hash
from schemas.contract import ContractDocument
from schemas.directory import DirectoryDocument
from schemas.values import Value

Model = TypeVar("Model", bound=Value)

FILES_MAX = 5_000
SUFFIXES = frozenset({".yaml", ".yml"})


@dataclass(frozen=True)
class Document:
    """A checked document as a revision carries it: canonical JSON and its hash."""

    text: str
    revision_hash: str


@dataclass(frozen=True)
class ContractFile:
    """A contract and the file it stands in; `assumed` are readings taken where the file does not say."""

    file: str
    contract: ContractDocument
    assumed: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class Configuration:
    """What a firm agreed and who is who, whole and checked."""

    directory: DirectoryDocument
    contracts: tuple[ContractFile, ...]


def document_of(model: Value) -> Document:
    """The canonical form of a directory or contract; defaults are written out, so that they are frozen with it."""
    fields = model.model_dump()
    return Document(canonical_bytes(fields).decode(), content_hash(fields))


def load_configuration(
    directory: Path, contracts: Path, base: Path, sinks: frozenset[str] | None = None
) -> Configuration:
    """Read `directory/*.yaml` and `contracts/*.yaml`; InvalidFiles lists all that is wrong in any of them.

    `sinks` are the names a delivery policy may use; None does not check them.
    """
    found = _Found()
    people = found.directory(directory, base)
    read = found.contracts(_files(contracts, base, found), base, people, sinks)
    found.stop()
    assert people is not None, "no problems means a directory"
    return Configuration(people, tuple(_contract_file(tree, contract) for tree, contract in read))


def load_contracts(
    path: Path, base: Path, people: DirectoryDocument, sinks: frozenset[str] | None = None
) -> tuple[ContractFile, ...]:
    """Read one contract file, or a folder of them, against a directory that is known already; for a what-if."""
    found = _Found()
    files = [path] if path.is_file() else _files(path, base, found)
    read = found.contracts(files, base, people, sinks)
    found.stop()
    return tuple(_contract_file(tree, contract) for tree, contract in read)


def load_directory(folder: Path, base: Path) -> DirectoryDocument:
    """Read a directory alone."""
    found = _Found()
    people = found.directory(folder, base)
    found.stop()
    assert people is not None, "no problems means a directory"
    return people


def _place(tree: Mapping) -> str:
    """Where a contract's dates stand, for a message about another one."""
    at = tree.keys.get("from") or tree.keys.get("id")
    return tree.file if at is None else f"{tree.file}:{at.line}"


def _contract_file(tree: Mapping, contract: ContractDocument) -> ContractFile:
    assumed = tuple(problem_at(follow(tree, place)[0], text) for place, text in assumptions(contract))
    return ContractFile(tree.file, contract, assumed)


class _Found:
    """Collects problems, so that one wrong file does not hide the next."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def tree(self, path: Path, base: Path) -> Mapping | None:
        try:
            return read_file(path, base)
        except InvalidFiles as error:
            self.problems += error.problems
            return None

    def document(self, tree: Mapping, model: type[Model]) -> Model | None:
        try:
            return validate(tree, model)
        except InvalidFiles as error:
            self.problems += error.problems
            return None

    def directory(self, folder: Path, base: Path) -> DirectoryDocument | None:
        """The directory of a folder, as far as it can be read."""
        root = _directory_tree(folder, base, self)
        people = self.document(root, DirectoryDocument) if root else None
        if root is not None and people is not None:
            self.add(root, directory_findings(people))
        return people

    def contracts(
        self, files: Iterable[Path], base: Path, people: DirectoryDocument | None, sinks: frozenset[str] | None
    ) -> list[tuple[Mapping, ContractDocument]]:
        """The contracts of files, each checked by itself and all together."""
        read: list[tuple[Mapping, ContractDocument]] = []
        for path in files:
            tree = self.tree(path, base)
            contract = self.document(tree, ContractDocument) if tree else None
            if tree is not None and contract is not None:
                read.append((tree, contract))
                if people is not None:
                    self.check(tree, contract, people, sinks)
        places = [_place(tree) for tree, _ in read]
        for index, finding in overlap_findings([contract for _, contract in read], places):
            self.add(read[index][0], [finding])
        return read

    def stop(self) -> None:
        """Raise everything that was found, in file order."""
        if self.problems:
            raise InvalidFiles(sorted(self.problems, key=lambda problem: (problem.file, problem.line, problem.column)))

    def add(self, tree: Mapping, findings: Iterable[Finding]) -> None:
        for finding in findings:
            at = follow(tree, finding.place)[0]
            self.problems.append(problem_at(at, finding.message, finding.fix, finding.code))

    def check(
        self, tree: Mapping, contract: ContractDocument, people: DirectoryDocument, sinks: frozenset[str] | None
    ) -> None:
        """What a contract names, leaves open, and shows by examples; examples are run when all else is right."""
        findings = list(contract_findings(contract, people, sinks))
        self.add(tree, findings or example_findings(contract, people))


def _files(folder: Path, base: Path, found: _Found) -> list[Path]:
    """The YAML files of a folder in name order; a folder that is missing, empty or endless is a problem."""
    name = shown_path(folder, base)
    if not folder.is_dir():
        found.problems.append(
            Problem(name, 0, 0, "there is no such folder", "create it or name another in billstream.yaml")
        )
        return []
    files = sorted(path for path in folder.iterdir() if path.suffix in SUFFIXES and path.is_file())
    if not files:
        found.problems.append(Problem(name, 0, 0, "the folder has no .yaml file"))
    if len(files) > FILES_MAX:
        found.problems.append(Problem(name, 0, 0, f"the folder has more than {FILES_MAX} files"))
        return []
    return files


def _directory_tree(folder: Path, base: Path, found: _Found) -> Mapping | None:
    """All files of the directory as one tree: lists are joined, `firm` stands in one file only."""
    merged: Mapping | None = None
    for path in _files(folder, base, found):
        tree = found.tree(path, base)
        if tree is None:
            continue
        merged = merged or Mapping(tree.file, 1, 1)
        for key, node in tree.members.items():
            known = merged.members.get(key)
            if known is None:
                merged.keys[key] = tree.keys[key]
                merged.members[key] = (
                    Items(node.file, node.line, node.column, list(node.members)) if isinstance(node, Items) else node
                )
            elif isinstance(known, Items) and isinstance(node, Items):
                known.members += node.members
            else:
                found.problems.append(problem_at(tree.keys[key], f"'{key}' stands in {known.file} already"))
    return merged
