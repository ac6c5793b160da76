"""The paper of `billstream.yaml`: mistakes have a place, paths are meant from the project's folder."""

from pathlib import Path

import pytest

from billstream.bootstrap import make_sinks
from billstream.configuration.problems import InvalidFiles
from billstream.settings import PdfFiles, load_settings
from schemas.errors import ConfigurationError
from sinks.pdf.sink import PdfSink

HEAD = "sinks:\n  pdf:\n    kind: pdf\n    folder: drafts\n    paper:\n"


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ('color: "#ffee00"', "too pale to be read on white paper"),
        ("color: blue", "color"),
        ("locale: it-IT", "not known in 'it', only in: de, en, es, fr"),
        ("locale: nonsense", "not a locale such as en-GB"),
        ("logo: logo.gif", "a logo is one of .png"),
        ("layuot: legal", "layout"),
        ("layout: lawyer", "legal"),
        ("header: [a, b, c, d, e, f, g]", "header"),
        ("lines_max: 0", "lines_max"),
        ("logo_width_mm: 200", "logo_width_mm"),
    ],
)
def test_a_mistake_on_the_paper_is_named_with_its_line(setting: str, said: str, tmp_path: Path) -> None:
    """File, line and what would be right, before any document is printed."""
    (tmp_path / "billstream.yaml").write_text(f"{HEAD}      {setting}\n")
    with pytest.raises(InvalidFiles) as invalid:
        load_settings(tmp_path, {})
    (problem,) = invalid.value.problems
    assert (problem.file, problem.line) == ("billstream.yaml", 6)
    assert said in str(invalid.value)


def test_logo_and_folder_are_meant_from_the_project(tmp_path: Path) -> None:
    """Wherever the program was started, the logo beside `billstream.yaml` is found; a missing one is named."""
    (tmp_path / "billstream.yaml").write_text(f"{HEAD}      logo: brand/logo.svg\n")
    installation = load_settings(tmp_path, {})
    with pytest.raises(ConfigurationError, match="pdf_logo_unusable"):
        make_sinks(installation)
    (tmp_path / "brand").mkdir()
    (tmp_path / "brand" / "logo.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 2"></svg>')
    assert isinstance(make_sinks(installation)["pdf"], PdfSink)


def test_the_paper_of_the_guide_can_be_used(repository_root: Path, tmp_path: Path) -> None:
    """What the guide says to write is read without a mistake, and says what the guide means."""
    text = (repository_root / "docs/guides/pdf.md").read_text()
    first = text.split("```yaml\n")[1].split("```")[0]
    (tmp_path / "billstream.yaml").write_text(first)
    sink = load_settings(tmp_path, {}).settings.sinks["pdf"]
    assert isinstance(sink, PdfFiles)
    assert sink.paper_of("northwind").locale == "de-DE"
    assert sink.client("northwind").purchase_order == "PO-4711"
    assert list(sink.paper.payment) == ["Account holder", "IBAN"]
