"""`init`: what it finds, what it asks, and that what it writes loads and bills; nothing that is there is touched."""

import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from billstream.beginning.answers import QUESTIONS, defaults, local_zone
from billstream.beginning.exports import Found, FoundExport, Named, find_exports
from billstream.beginning.plan import planned_files
from billstream.demo.run import FIRM
from billstream.project import open_configuration, open_project

pytestmark = pytest.mark.proof

Call = Callable[..., Any]
ANSWERS = ["--firm", "Studio Reede", "--person", "dana", "--zone", "Europe/Berlin", "--currency", "EUR"]
TOGGL = "User,Email,Client,Project,Description,Billable,Start date,Start time,End date,End time,Duration\n"


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder with its bytes."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def row(client: str, *, person: str = "Dana Reede", day: int = 5) -> str:
    return f"{person},,{client},Web,work,Yes,2026-10-{day:02d},09:00:00,2026-10-{day:02d},10:00:00,01:00:00\n"


@pytest.fixture
def exports(tmp_path: Path) -> Path:
    """A folder that holds nothing but the exports of the sample firm."""
    folder = tmp_path / "studio"
    (folder / "exports").mkdir(parents=True)
    for path in (FIRM / "exports").iterdir():
        (folder / "exports" / path.name).write_bytes(path.read_bytes())
    return folder


def test_an_empty_folder_becomes_a_project_that_loads(call: Call, tmp_path: Path) -> None:
    """With every default taken, settings, directory and contracts have no mistake."""
    folder = tmp_path / "new" / "firm"
    assert call("init", folder, "--yes").code == 0
    checked = call("contracts", "check", "--project", folder, "--json")
    assert (checked.code, checked.json["clients"], checked.json["people"]) == (0, 1, 1)


def test_exports_become_clients_people_and_contracts_that_bill(call: Call, exports: Path) -> None:
    """From exports alone to invoices: nothing is typed but a rate."""
    made = call("init", exports, *ANSWERS, "--rate", "110", "--vat", "19", "--yes", "--json").json
    assert {one["tool"] for one in made["exports"]} == {"toggl", "harvest", "clockify"}
    assert (made["people"], made["clients"]) == (15, 6)
    shown = call(
        "preview", "--project", exports, "--entries", exports / "exports/toggl-2026-10-30.csv", "--period", "2026-10",
        "--json",
    )  # fmt: skip
    billed = {one["client"]: one["totals"]["gross"] for one in shown.json["documents"]}
    assert billed["northwind-outdoor-gmbh"] != "0.00"
    assert (exports / "inbox" / "toggl").is_dir()


def test_a_name_that_may_be_a_slip_is_a_comment_and_no_client(call: Call, exports: Path) -> None:
    """Two spellings are put side by side for a person; neither is billed under the other by itself."""
    call("init", exports, *ANSWERS, "--yes")
    clients = (exports / "directory" / "clients.yaml").read_text()
    assert '    # names: ["Kestrel Mobilty AG"]' in clients
    assert '    # names: ["Nortwind Outdoor"]' in clients
    assert not (exports / "contracts" / "kestrel-mobilty-ag.yaml").exists()


def test_what_is_there_is_never_touched(call: Call, exports: Path) -> None:
    """A second call, with other answers, changes no byte and says that it kept everything."""
    call("init", exports, *ANSWERS, "--yes")
    before = contents(exports)
    again = call("init", exports, "--firm", "Another", "--yes", "--json")
    assert again.code == 0
    assert {one["state"] for one in again.json["files"]} == {"kept"}
    assert contents(exports) == before


def test_a_missing_file_is_written_beside_those_that_are_there(call: Call, exports: Path) -> None:
    """Whoever removed a contract gets it anew; the others stay."""
    call("init", exports, *ANSWERS, "--yes")
    gone = exports / "contracts" / "brauerei-pavlik.yaml"
    gone.unlink()
    states = {one["path"]: one["state"] for one in call("init", exports, *ANSWERS, "--yes", "--json").json["files"]}
    assert states.pop("contracts/brauerei-pavlik.yaml") == "written"
    assert set(states.values()) == {"kept"}


def test_nothing_is_written_that_would_not_load(call: Call, exports: Path) -> None:
    """Old files that do not fit the new ones are named with file and line, and the folder stays as it was."""
    (exports / "directory").mkdir()
    (exports / "directory" / "mine.yaml").write_text("clients:\n  - id: brauerei-pavlik\n")
    before = contents(exports)
    refused = call("init", exports, *ANSWERS, "--yes")
    assert refused.code == 78
    assert "directory/mine.yaml:2" in refused.err
    assert contents(exports) == before


def test_a_dry_run_writes_nothing(call: Call, tmp_path: Path) -> None:
    """It says what would be written and leaves no trace."""
    shown = call("init", tmp_path / "new", "--yes", "--dry-run", "--json").json
    assert {one["state"] for one in shown["files"]} == {"would be written"}
    assert not (tmp_path / "new").exists()


def test_there_are_at_most_eight_questions_and_each_is_a_flag(call: Call) -> None:
    """Whoever writes a script never meets a question."""
    assert len(QUESTIONS) <= 8
    shown = call("init", "--help").out
    assert [one.flag for one in QUESTIONS if f"{one.flag} " not in shown] == []


def test_where_nobody_can_be_asked_the_flag_is_named(call: Call, tmp_path: Path) -> None:
    """A script that forgot an answer fails with the option it needs, and nothing is written."""
    failed = call("init", tmp_path / "new", "--firm", "Reede", "--no-input")
    assert failed.code == 2
    assert "--person" in failed.err
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("flag", "value", "said"),
    [
        ("--zone", "Europe/Berln", "did you mean 'Europe/Berlin'?"),
        ("--currency", "EURO", "a currency such as EUR"),
        ("--locale", "it-IT", "only in: de, en, es, fr"),
        ("--kind", "bakery", "agency or legal"),
        ("--rate", "-5", "a number above 0"),
        ("--rate", "NaN", "a number above 0"),
        ("--vat", "119", "a number above 0 and up to 100"),
        ("--firm", "", "a name of 1 to 120 characters"),
    ],
)
def test_an_answer_that_is_none_is_refused(flag: str, value: str, said: str, call: Call, tmp_path: Path) -> None:
    """A wrong flag is a usage error that says what was expected."""
    failed = call("init", tmp_path / "new", flag, value, "--yes")
    assert failed.code == 2
    assert said in failed.err


def test_a_person_is_asked_and_may_correct_an_answer(repository_root: Path, tmp_path: Path) -> None:
    """On a terminal: eight prompts, a wrong zone is asked again, Enter takes the default."""
    leader, follower = pty.openpty()
    typed = "Studio Reede\ndana\nEurope/Nowhere\nEurope/Berlin\n\n\n\n95.50\n\n"
    os.write(leader, typed.encode())
    command = [sys.executable, "-m", "billstream", "init", str(tmp_path / "new")]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(repository_root), "TZ": "UTC"}
    done = subprocess.run(
        command, stdin=follower, capture_output=True, text=True, env=environment, cwd=tmp_path, timeout=60, check=False
    )
    os.close(leader)
    os.close(follower)
    assert done.returncode == 0, done.stderr
    assert "Expected a zone such as Europe/Berlin" in done.stderr
    assert "rate: 95.50" in (tmp_path / "new" / "directory" / "firm.yaml").read_text()
    assert "zone: Europe/Berlin" in (tmp_path / "new" / "billstream.yaml").read_text()


def test_a_law_firm_bills_in_tenths_and_by_entry(call: Call, tmp_path: Path) -> None:
    """The kind decides what the first contracts look like."""
    call("init", tmp_path / "law", *ANSWERS, "--kind", "legal", "--yes")
    contract = (tmp_path / "law" / "contracts" / "example.yaml").read_text()
    assert "{minutes: 6, mode: up}" in contract
    assert "kind: ledes" in (tmp_path / "law" / "billstream.yaml").read_text()


def test_each_file_names_its_schema_and_the_schema_is_there(call: Call, exports: Path) -> None:
    """An editor that knows the comment completes and checks while one types."""
    call("init", exports, *ANSWERS, "--yes")
    written = [exports / "billstream.yaml", *exports.glob("directory/*.yaml"), *exports.glob("contracts/*.yaml")]
    for path in written:
        mark, _, schema = path.read_text().splitlines()[0].partition("$schema=")
        assert mark == "# yaml-language-server: "
        assert (path.parent / schema).resolve().is_file()


def test_a_file_that_can_be_read_in_two_ways_is_found_and_asked_about(call: Call, tmp_path: Path) -> None:
    """Its clients are not guessed; the settings say which word is missing."""
    table = TOGGL + "Dana,,Acme,Web,x,Yes,03/04/2026,09:00:00,03/04/2026,10:00:00,01:00:00\n"
    (tmp_path / "toggl.csv").write_text(table)
    (export,) = call("init", tmp_path, *ANSWERS, "--yes", "--json").json["exports"]
    assert export["problem"]
    assert "# date_order: dmy" in (tmp_path / "billstream.yaml").read_text()


def test_other_tables_broken_files_and_hidden_folders_are_left_out(tmp_path: Path) -> None:
    """Only what a tool we know wrote counts; nothing stops the search."""
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    (tmp_path / "broken.csv").write_bytes(b"\x00\xff" * 50)
    (tmp_path / "empty.csv").write_bytes(b"")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "toggl.csv").write_text(TOGGL + row("Acme"))
    deep = tmp_path / "a" / "b" / "c"
    deep.mkdir(parents=True)
    (deep / "toggl.csv").write_text(TOGGL + row("Acme"))
    assert find_exports(tmp_path, "UTC").exports == ()


def test_an_address_belongs_to_the_name_it_spells(tmp_path: Path) -> None:
    """One person with a name in one tool and an address in another is one person."""
    (tmp_path / "toggl.csv").write_text(
        TOGGL
        + row("Acme", person="Dr. Åsa Öberg")
        + "Åsa,asa.oberg@reede.example,Acme,Web,x,Yes,2026-10-06,09:00:00,2026-10-06,10:00:00,01:00:00\n"
    )
    (person,) = find_exports(tmp_path, "UTC").people
    assert (person.name, person.emails) == ("Dr. Åsa Öberg", ["asa.oberg@reede.example"])


names = st.text(min_size=1, max_size=60).filter(lambda text: bool(text.strip()))


@given(firm=names, person=names, name=names)
@settings(max_examples=15, deadline=None, phases=(Phase.explicit, Phase.generate))
@example(firm='"', person="\\", name="a: {b}, [c] # d\n- e\x00\u2028")
@example(firm="!!python/object:os.system", person="&a", name="*a")
def test_whatever_the_names_the_files_load(
    firm: str, person: str, name: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Quotes, colons, braces, control characters: a name is a name, never YAML."""
    folder = tmp_path_factory.mktemp("any")
    known = defaults(folder, {}, ()) | {"firm": firm, "person": person, "zone": "Europe/Berlin", "locale": "en-GB"}
    found = Found(
        (FoundExport(folder / "t.csv", "toggl", 1, None, None, "which?"),),
        (Named("p", f"person {name}", [f"{name}@example.org"]),),
        (Named("c", f"client {name}", alike=[name], projects={"j": f"project {name}"}),),
        (),
    )
    for one in planned_files(known, found):
        (folder / one.path).parent.mkdir(exist_ok=True)
        (folder / one.path).write_text(one.text, encoding="utf-8")
    assert len(open_configuration(open_project(folder, {})).contracts) == 1


def test_spellings_of_one_name_are_one_person_and_one_client(call: Call, tmp_path: Path) -> None:
    """Case, blanks and marks make no second person, client or project; the files load."""
    rows = [("ACME", "Dana Reede", "Web"), ("acme", "dana  reede", "web"), ("A.C.M.E.", "Dana-Reede", "WEB")]
    table = "".join(
        row(client, person=person, day=day).replace("Web", project)
        for day, (client, person, project) in enumerate(rows, start=5)
    )
    (tmp_path / "toggl.csv").write_text(TOGGL + table)
    made = call("init", tmp_path, *ANSWERS, "--yes", "--json")
    assert (made.code, made.json["people"]) == (0, 1)
    assert call("contracts", "check", "--project", tmp_path, "--json").json["people"] == 1


@pytest.mark.parametrize(
    ("environment", "zone"),
    [({"TZ": "Europe/Paris"}, "Europe/Paris"), ({"TZ": ":Asia/Tokyo"}, "Asia/Tokyo"), ({"TZ": "nonsense"}, "UTC")],
)
def test_the_zone_is_the_machines(environment: dict[str, str], zone: str, tmp_path: Path) -> None:
    """TZ goes first; what no database knows is UTC."""
    assert local_zone(environment, tmp_path / "none") == zone


def test_currency_and_language_follow_from_the_zone(tmp_path: Path) -> None:
    """A default can be explained: Berlin bills in euro and writes German, New York in dollars and English."""
    berlin, york = ({"TZ": zone} for zone in ("Europe/Berlin", "America/New_York"))
    found = [defaults(tmp_path, one, ("SEK",)) for one in (berlin, york, {"TZ": "Etc/UTC"})]
    shown = [(one["currency"], one["locale"]) for one in found]
    assert shown[:2] == [("EUR", "de-DE"), ("USD", "en-US")]
    assert shown[2] == ("SEK", "en-GB")
