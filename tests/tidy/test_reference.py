"""Documentation is tested: the reference pages are what the code says, and links between documents lead somewhere."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

pytestmark = pytest.mark.proof

BLOCK = re.compile(r"^```sh$(.*?)^```$", re.DOTALL | re.MULTILINE)
TYPED = re.compile(r"(?:^|[/ ])billstream ([a-z][a-z-]*)", re.MULTILINE)
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


@pytest.fixture(scope="module")
def generator(repository_root: Path) -> ModuleType:
    """The program behind script/docs."""
    spec = importlib.util.spec_from_file_location("billstream_docs", repository_root / "docs/generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_reference_page_is_what_the_code_says(generator: ModuleType, texts: dict[str, str]) -> None:
    """Each command, setting, event, metric, code and clause is on its page, and nothing else is: run script/docs."""
    assert [page for page, write in generator.PAGES.items() if texts.get(f"docs/reference/{page}") != write()] == []


def test_no_reference_page_shows_the_inside_of_a_program(generator: ModuleType, texts: dict[str, str]) -> None:
    """Pages are for people and the same at every run: no address in memory, no object as Python prints it."""
    assert [
        page for page in generator.PAGES if re.search(r"0x[0-9a-f]{6,}|<[a-z]+ ", texts[f"docs/reference/{page}"])
    ] == []


def test_every_code_is_explained_and_nothing_else(generator: ModuleType, repository_root: Path) -> None:
    """Codes of errors, refusals, holds and findings are in docs/codes.toml; nothing else is."""
    codes = generator.codes_module()
    said = codes.codes_in_code(repository_root)
    explained = codes.read_table(repository_root / "docs")
    assert {section: sorted(found) for section, found in said.items()} == {
        section: sorted(rows) for section, rows in explained.items()
    }


def test_every_code_has_a_meaning_and_a_way_out(generator: ModuleType, repository_root: Path) -> None:
    """Two whole sentences for each code: what it means, and what to do."""
    explained = generator.codes_module().read_table(repository_root / "docs")
    short = [
        code
        for rows in explained.values()
        for code, texts in rows.items()
        if len(texts) != 2 or not all(text.endswith(".") for text in texts)
    ]
    assert short == []


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ('raise Rejected("too_late", "It is too late.")', {"errors": {"too_late"}}),
        ('refuse(book, command, "too_late", "It is.", cause, effects)', {"refusals": {"too_late"}}),
        ('Hold("too_late", "it is")', {"places": {"too_late"}}),
        ('LATE = "too_late"\nHold(LATE, "it is")', {"places": {"too_late"}}),
        ('Placed(entry, Bucket.HELD, "too_late", "")', {"places": {"too_late"}}),
        ('Finding(code="too_late", text="It is.")', {"findings": {"too_late"}}),
        ('print("too_late")', {}),
    ],
)
def test_a_code_is_found(source: str, said: dict[str, set[str]], generator: ModuleType, tmp_path: Path) -> None:
    """Each way of saying a code is seen, and a text at another place is none."""
    (tmp_path / "books").mkdir()
    (tmp_path / "books" / "late.py").write_text(f"class Rejected(BillstreamError): ...\n{source}\n")
    found = generator.codes_module().codes_in_code(tmp_path)
    assert {section: set(codes) for section, codes in found.items()} == said


def test_every_command_shows_an_example(generator: ModuleType) -> None:
    """Help that ends without an example leaves the reader to guess; groups are explained by their commands."""
    from typer.main import get_command

    from billstream.cli.application import application

    leaves = [
        pair for pair in generator.commands(get_command(application), "billstream") if not hasattr(pair[1], "commands")
    ]
    assert leaves
    assert [name for name, command in leaves if f"{name} " not in f"{command.help} ".replace("\n", " ")] == []


def test_documents_name_only_commands_that_exist(generator: ModuleType, texts: dict[str, str]) -> None:
    """What a guide tells people to type is a command of the command line."""
    from typer.main import get_command

    from billstream.cli.application import application

    known = {name.split()[1] for name, _ in generator.commands(get_command(application), "billstream") if " " in name}
    written = {n: set(TYPED.findall("\n".join(BLOCK.findall(t)))) for n, t in texts.items() if n.endswith(".md")}
    assert {name: unknown for name, typed in written.items() if (unknown := typed - known)} == {}


def test_every_reference_page_is_written_and_listed(generator: ModuleType, texts: dict[str, str]) -> None:
    """No page is left from something that is gone, and the index names each."""
    pages = {name.removeprefix("docs/") for name in texts if name.startswith("docs/reference/")}
    assert pages == {f"reference/{page}" for page in generator.PAGES}
    assert [page for page in pages if f"({page})" not in texts["docs/README.md"]] == []


def test_every_guide_is_listed(texts: dict[str, str]) -> None:
    """A guide that the index does not name is not found."""
    guides = [name.removeprefix("docs/") for name in texts if name.startswith("docs/guides/")]
    assert [guide for guide in guides if f"({guide})" not in texts["docs/README.md"]] == []


def test_links_between_documents_lead_somewhere(repository_root: Path, texts: dict[str, str]) -> None:
    """Every relative link of a document is a file or folder of the repository."""
    broken = [
        (name, target)
        for name, text in texts.items()
        if name.endswith(".md")
        for target in LINK.findall(text)
        if not target.startswith(("http:", "https:", "mailto:"))
        and not ((repository_root / name).parent / target).exists()
    ]
    assert broken == []


def test_the_changelog_speaks_to_users(texts: dict[str, str]) -> None:
    """Each fragment is named by its issue and kind and is one sentence."""
    fragments = {n: t for n, t in texts.items() if n.startswith("changelog.d/") and not n.endswith("README.md")}
    kinds = r"changelog\.d/\d+[a-z]?\.(added|changed|fixed|removed|security)\.md"
    assert [name for name in fragments if not re.fullmatch(kinds, name)] == []
    assert [name for name, text in fragments.items() if text.count("\n") != 1 or not text.rstrip().endswith(".")] == []
