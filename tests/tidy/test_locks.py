"""What is installed is decided in pyproject.toml, fixed in requirements/, and explained in docs/decisions/."""

import ast
import re
import sys
from itertools import chain
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

PIN = re.compile(
    r"^([A-Za-z0-9._-]+)==([^ ;\\]+)(?: ;[^\\]*)?((?: \\\n    --hash=sha256:[0-9a-f]{64})+)$", re.MULTILINE
)
UNHASHED = re.compile(r"^[A-Za-z0-9._-]+==[^\\]*$", re.MULTILINE)
# Packages whose module is not called like them.
MODULES = {"faust-streaming": "faust", "mode-streaming": "mode"}
# Modules that come with a package of ours, at a version that it fixes.
BROUGHT = {"pydantic": "pydantic_core"}
# Packages that work without being imported by us.
USED_UNIMPORTED = {
    "anthropic": "its one module comes with the Claude issue; locked now, so that what it brings is tested",
    "cramjam": "aiokafka finds it and can then read and write every codec",
    "tzdata": "the standard library's zoneinfo reads its files",
}
# Peers of the benchmark run in environments of their own, from locks beside them.
PEERS = {"bench/fold/quix.py": {"quixstreams"}}
PEER_LOCKS = ("bench/fold/quix.txt",)
ADDRESS = re.compile(r"https?:|--(?:extra-)?index-url|--find-links|-f |@ |git\+")


@pytest.fixture(scope="session")
def locks(texts: dict[str, str]) -> dict[str, str]:
    """The text of each lock by its name: run, build, dev, lock, and those of peers by their files."""
    own = {re.sub(r".*/|\.txt", "", name): text for name, text in texts.items() if name.startswith("requirements/")}
    return own | {name: texts[name] for name in PEER_LOCKS}


def pins(lock: str) -> dict[str, Version]:
    """The hashed pins of a lock: package to version."""
    return {canonicalize_name(name): Version(version) for name, version, _ in PIN.findall(lock)}


def wanted(pyproject: dict[str, Any], group: str) -> list[Requirement]:
    """What a lock must satisfy: the run dependencies, or a group with the groups it includes."""
    if group == "run":
        return [Requirement(text) for text in pyproject["project"]["dependencies"]]
    listed = pyproject["dependency-groups"][group]
    included = [wanted(pyproject, entry["include-group"]) for entry in listed if isinstance(entry, dict)]
    return [*chain.from_iterable(included), *(Requirement(text) for text in listed if isinstance(text, str))]


def test_every_locked_package_has_its_hashes(locks: dict[str, str]) -> None:
    """Whatever mirror answers, only the very files we locked are installed."""
    assert set(locks) == {"run", "build", "dev", "lock", *PEER_LOCKS}
    assert {name: found for name, lock in locks.items() if (found := UNHASHED.findall(lock))} == {}
    assert all(pins(lock) for lock in locks.values())


def test_locks_name_no_address(locks: dict[str, str]) -> None:
    """Where to download from is the machine's business."""
    assert {name: found for name, lock in locks.items() if (found := ADDRESS.findall(lock))} == {}


@pytest.mark.parametrize("group", ["run", "build", "dev", "lock"])
def test_locks_are_in_step_with_pyproject(group: str, locks: dict[str, str], pyproject: dict[str, Any]) -> None:
    """Each requirement is locked at a version it allows; otherwise script/lock was forgotten."""
    locked = pins(locks[group])
    missing = [str(need) for need in wanted(pyproject, group) if canonicalize_name(need.name) not in locked]
    assert missing == [], "run script/lock"
    assert [str(n) for n in wanted(pyproject, group) if locked[canonicalize_name(n.name)] not in n.specifier] == []


def test_people_run_what_we_test(locks: dict[str, str]) -> None:
    """Every package of the run and build locks is in the dev lock at the same version."""
    tested = pins(locks["dev"])
    assert {n: v for n, v in (pins(locks["run"]) | pins(locks["build"])).items() if tested.get(n) != v} == {}


def test_nobody_carries_what_nobody_uses(
    pyproject: dict[str, Any], modules: dict[str, ast.Module], rooms: tuple[str, ...]
) -> None:
    """Each package that people install with us is imported by a room, or listed above with what it does unimported."""
    trees = [tree for name, tree in modules.items() if name.split("/")[0] in rooms]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    imported = plain | {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    needs = {need.name: MODULES.get(need.name, need.name.replace("-", "_")) for need in wanted(pyproject, "run")}
    used = {name for name, module in needs.items() if any(f"{i}.".startswith(f"{module}.") for i in imported)}
    assert sorted(set(needs) - used - set(USED_UNIMPORTED)) == [], "take them out of pyproject.toml"
    assert sorted(used & set(USED_UNIMPORTED)) == [], "take them off the list"


def foreign_modules(tree: ast.Module, ours: set[str]) -> set[str]:
    """The top names of imports, late ones too, that are neither of the standard library nor ours."""
    nodes = list(ast.walk(tree))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    imported = plain | {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    return {name.split(".")[0] for name in imported} - set(sys.stdlib_module_names) - ours


def module_names(needs: list[Requirement]) -> set[str]:
    """The top names of the modules that packages bring."""
    plain = {MODULES.get(need.name, need.name.replace("-", "_")).split(".")[0] for need in needs}
    return plain | {BROUGHT[need.name] for need in needs if need.name in BROUGHT}


def test_nobody_uses_what_nobody_locks(
    pyproject: dict[str, Any], modules: dict[str, ast.Module], rooms: tuple[str, ...]
) -> None:
    """A fresh checkout has what it imports: rooms what people install with us, tests and tools the `dev` group too."""
    run = module_names(wanted(pyproject, "run"))
    dev = run | module_names(wanted(pyproject, "dev"))
    ours = {*rooms, "bench", "tests"}
    foreign = {name: foreign_modules(tree, ours | PEERS.get(name, set())) for name, tree in modules.items()}
    unnamed = {name: used - (run if name.split("/")[0] in rooms else dev) for name, used in foreign.items()}
    assert {name: found for name, found in unnamed.items() if found} == {}, "name them in pyproject.toml, or leave them"


def test_every_dependency_is_a_decision(pyproject: dict[str, Any], texts: dict[str, str]) -> None:
    """Each package we name is explained in docs/decisions/: what it replaces, who keeps it, its weight, the way out."""
    decisions = "\n".join(text for name, text in texts.items() if name.startswith("docs/decisions/"))
    named = {canonicalize_name(need.name) for group in ("run", "dev", "lock") for need in wanted(pyproject, group)}
    explained = {canonicalize_name(word) for word in re.findall(r"`([a-z][a-z0-9._-]*)`", decisions)}
    assert sorted(named - explained) == []


def test_decisions_are_numbered_and_listed(texts: dict[str, str]) -> None:
    """docs/decisions/NNNN-title.md: numbers without gaps, each listed in the index, each with a date and a way back."""
    pages = sorted(name for name in texts if re.fullmatch(r"docs/decisions/\d{4}-[a-z0-9-]+\.md", name))
    assert [int(name.split("/")[-1][:4]) for name in pages] == list(range(1, len(pages) + 1))
    index = texts["docs/README.md"]
    assert [name for name in pages if name.removeprefix("docs/") not in index] == []
    bare = [n for n in pages for part in ("Date: 20", "## Decision", "## Way out") if part not in texts[n]]
    assert bare == []


@pytest.mark.parametrize(
    ("lock", "hashed"),
    [
        ("a==1 \\\n    --hash=sha256:" + "0" * 64, {"a": Version("1")}),
        ("a==1 ; sys_platform == 'x' \\\n    --hash=sha256:" + "0" * 64, {"a": Version("1")}),
        ("a==1", {}),
    ],
)
def test_only_hashed_pins_count(lock: str, hashed: dict[str, Version]) -> None:
    """A pin without a hash is no pin, and is found as such."""
    assert pins(lock) == hashed
    assert bool(UNHASHED.findall(lock)) is not bool(hashed)


def test_a_late_import_is_seen() -> None:
    """What is imported inside a function is needed as well."""
    tree = ast.parse("import json\nfrom billing import caps\ndef f():\n    import watchdog.events\n")
    assert foreign_modules(tree, {"billing"}) == {"watchdog"}
