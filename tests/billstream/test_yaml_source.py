"""Reading YAML safely: places are kept, and no text makes it run code, loop or end in a traceback."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from billstream.configuration.problems import InvalidFiles
from billstream.configuration.source import NODES_MAX, Scalar, read_file, read_text


def problem_of(text: str) -> str:
    with pytest.raises(InvalidFiles) as caught:
        read_text(text, "f.yaml")
    return caught.value.problems[0].text


def test_plain_values_keep_their_text_and_place() -> None:
    """`0042` and `150.00` must arrive as they were written, with the line an editor can jump to."""
    root = read_text("a: 0042\nb:\n  - 150.00\n", "f.yaml")
    first = root.members["a"]
    assert isinstance(first, Scalar)
    assert (first.value, first.line, first.column) == ("0042", 1, 4)
    assert first.integer is None


def test_quoted_words_are_text() -> None:
    """A quoted `true` is a text, a plain one is a truth value, and `no` is only a word."""
    root = read_text("a: 'true'\nb: true\nc: no\nd: ~\n", "f.yaml")
    values = [one.value for one in root.members.values() if isinstance(one, Scalar)]
    assert values == ["true", True, "no", None]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\na: 2\n", "f.yaml:2:1: the key 'a' is already there in line 1"),
        ("a: !!python/object:os.system x", "f.yaml:1:4: tags such as"),
        ("a: &x [1]\nb: *x", "f.yaml:1:4: an anchor may only stand at a single value"),
        ("a: *nope", "f.yaml:1:4: there is no finished value &nope to repeat"),
        ("a: [", "f.yaml:1:5: not valid YAML"),
        ("- 1", "f.yaml:1:1: expected `key: value` lines"),
        ("a: 1\n---\nb: 2\n", "a second document starts here"),
        ("[" * 100, "nested deeper than 30 levels"),
        ("{a, b}: 1", "a key must be a single word or text"),
        ('"\\U00110000": 1', "not valid YAML"),
        ("a: \x00", "not valid YAML"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_line(text: str, said: str) -> None:
    """Every refusal says where and why."""
    assert said in problem_of(text)


def test_the_number_of_values_is_limited() -> None:
    """A file that would fill memory is refused while it is read."""
    assert f"more than {NODES_MAX} values" in problem_of("a: [" + "1," * (NODES_MAX + 1) + "]")


def test_a_large_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    """One mebibyte is the limit."""
    path = tmp_path / "big.yaml"
    path.write_bytes(b"a: " + b"x" * 1_100_000)
    with pytest.raises(InvalidFiles, match="larger than 1024 KiB"):
        read_file(path, path.parent)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    """A file in another encoding is refused with a sentence."""
    path = tmp_path / "latin.yaml"
    path.write_bytes("name: Käse".encode("latin-1"))
    with pytest.raises(InvalidFiles, match="not UTF-8"):
        read_file(path, path.parent)


@given(st.text(alphabet="ab:-[]{}&*!|>'\"#%@,? \n\t\\x0\u2028é🔥", max_size=60))
@example("? ")
@example("%YAML 1.1\n---\na: 1")
@example("a: |9\n x")
@example("%TAG ! x\n--- !a b")
def test_no_text_ends_in_anything_but_a_tree_or_a_problem(text: str) -> None:
    """Any text gives a tree or a named problem, never another error."""
    try:
        found = [read_text(text, "f.yaml").line]
    except InvalidFiles as error:
        found = [problem.line for problem in error.problems]
    assert min(found) >= 1
