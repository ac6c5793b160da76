"""The command line as a person and a script meet it: help, errors, exit codes, JSON, and nothing that surprises."""

import json
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from billstream.cli import failure
from billstream.cli.exits import MEANING, Exit
from billstream.cli.failure import LINES_MAX, CommandFailed
from billstream.cli.session import FLAGS, Session, split_arguments

Call = Callable[..., Any]
HELP_SECONDS_MAX = 0.3
HELP_RUNS = 3


def program(*arguments: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    """The program as its own process."""
    command = [sys.executable, "-m", "billstream", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False, timeout=60)


def test_help_costs_little(repository_root: Path) -> None:
    """The cheapest of some runs of `--help` takes less than 300 ms of processor time: rooms are imported late."""
    costs = []
    for _ in range(HELP_RUNS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert program("--help", folder=repository_root).returncode == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        costs.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(costs) < HELP_SECONDS_MAX, costs


def test_help_loads_no_heavy_room(repository_root: Path) -> None:
    """Neither Kafka nor models nor tables are imported to print help."""
    heavy = {"aiokafka", "faust", "pydantic", "rich", "ruamel", "fastavro", "billing", "books", "streams"}
    code = (
        "import sys; sys.argv=['billstream','--help']\n"
        "from billstream.cli import run\n"
        f"run(['--help']); print('LOADED', sorted({heavy!r} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=repository_root, check=True)
    assert done.stdout.splitlines()[-1] in {"LOADED []", "LOADED ['pydantic']"}


def test_every_command_has_help_with_an_example(call: Call) -> None:
    """Help begins with what a command does and shows how it is typed."""
    from typer.main import get_command

    from billstream.cli.application import application

    def walk(command: Any, path: tuple[str, ...]) -> list[tuple[str, ...]]:  # noqa: ANN401
        inner = getattr(command, "commands", None)
        return [path] if inner is None else [one for name, sub in inner.items() for one in walk(sub, (*path, name))]

    for path in walk(get_command(application), ()):
        shown = call(*path, "--help")
        assert shown.code == 0
        assert f"billstream {' '.join(path)}" in shown.out.split("Example", 1)[1], path


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("contrats", "check"), "Did you mean 'contracts'?"),
        (("close", "--perod", "2026-10"), "No such option"),
        (("close",), "Missing option"),
        (("approve",), "Name documents, or use --all."),
        (("approve", "--all", "--no-input"), "--yes"),
        (("issue", "--all", "--json-lines"), "No such option"),
        (("close", "--period", "October"), "not a period: 'October'"),
    ],
)
def test_a_wrong_command_line_is_a_usage_error(call: Call, firm: Path, arguments: tuple[str, ...], said: str) -> None:
    """It ends with 2, and with the nearest match where there is one."""
    answered = call(*arguments, "--project", firm)
    assert answered.code == Exit.USAGE
    assert said in answered.err
    assert answered.out == ""


def test_an_error_is_json_when_json_was_asked_for(call: Call, firm: Path) -> None:
    """Every problem of the files is in it, with its place."""
    path = firm / "contracts/pavlik.yaml"
    path.write_text(path.read_text().replace("overflow:", "overfow:"))
    answered = call("contracts", "check", "--json", "--project", firm)
    assert answered.code == Exit.CONFIGURATION
    body = answered.json
    assert (body["schema"], body["code"], body["exit_code"]) == ("billstream.error/1", "configuration_invalid", 78)
    assert body["problems"][0]["file"] == "contracts/pavlik.yaml"
    assert body["problems"][0]["line"] == 19


def test_contracts_check_and_show(call: Call, firm: Path) -> None:
    """What is right ends with 0; a contract is shown with every default written out."""
    checked = call("contracts", "check", "--json", "--project", firm)
    assert checked.code == Exit.DONE
    assert len(checked.json["contracts"]) == 10
    shown = call("--project", firm, "contracts", "show", "pavlik-support")
    assert json.loads(shown.out)["day_attribution"] == "start"
    unknown = call("contracts", "show", "pavlik-suport", "--project", firm)
    assert unknown.code == Exit.NOT_FOUND
    assert "did you mean 'pavlik-support'?" in unknown.err


def test_without_a_broker_the_way_to_one_is_named(call: Call, firm: Path) -> None:
    """A dependency that is not there ends with 69 and says how to get it."""
    answered = call("status", "--project", firm)
    assert answered.code == Exit.UNAVAILABLE
    assert "billstream up" in answered.err


def test_shared_options_stand_anywhere() -> None:
    """They are taken from both sides of a command, and not from behind `--`."""
    session, rest = split_arguments(["--json", "explain", "--project=x", "--no-input", "--", "--quiet"])
    assert (session.json, session.no_input, session.quiet, session.project) == (True, True, False, Path("x"))
    assert rest == ["explain", "--", "--quiet"]


def test_errors_are_short_and_inert(capsys: pytest.CaptureFixture[str]) -> None:
    """At most six lines, with the code, and control characters made visible."""
    message = "\n".join(f"line {number} \x1b[31m" for number in range(20))
    code = failure.report(Session(), CommandFailed("some_code", message, "do this"))
    lines = capsys.readouterr().err.splitlines()
    assert code == Exit.FAILED
    assert len(lines) <= LINES_MAX
    assert lines[0].startswith("error[some_code]: ")
    assert lines[-1] == "do this"
    assert "\x1b" not in "".join(lines)


def test_control_c_is_a_sentence_and_130(capsys: pytest.CaptureFixture[str]) -> None:
    """Interrupting says how to go on."""
    assert failure.report(Session(), KeyboardInterrupt()) == Exit.INTERRUPTED
    assert "run the same command again" in capsys.readouterr().err


def test_our_own_mistake_is_no_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    """An unexpected error says that it is ours; the traceback comes with --debug only."""
    assert failure.report(Session(), ValueError("odd")) == Exit.FAILED
    assert "Traceback" not in capsys.readouterr().err
    failure.report(Session(debug=True), ValueError("odd"))
    assert "ValueError: odd" in capsys.readouterr().err


def test_exit_codes_have_meanings() -> None:
    """Each number is explained in the documentation."""
    assert set(MEANING) == set(Exit)
    assert all(text.startswith("-") is False and text for text in FLAGS.values())


def test_import_dry_run_shows_what_was_understood(call: Call, firm: Path) -> None:
    """All three exports and the expenses are recognised; every row is counted once."""
    answered = call("import", firm / "exports", "--dry-run", "--json", "--project", firm)
    assert answered.code == Exit.DONE
    files = {one["file"]: one for one in answered.json["files"]}
    assert {one["format"] for one in files.values()} == {"toggl", "harvest", "clockify", "json-lines"}
    assert all(one["rows"] == one["accepted"] + one["refused"] + one["asked"] for one in files.values())
    assert sum(one["accepted"] for one in files.values()) > 1000


def test_import_asks_instead_of_guessing(call: Call, firm: Path) -> None:
    """Without the declared order of dates the file is asked about, with the option that answers."""
    settings = firm / "billstream.yaml"
    text = settings.read_text()
    line = next(line for line in text.splitlines(keepends=True) if "date_order" in line)
    settings.write_text(text.replace(line, ""))
    export = firm / "exports" / "clockify-2026-11-02.csv"
    lines = [row for row in export.read_text().splitlines(keepends=True) if ",0" in row or "Client" in row]
    ambiguous = firm / "ambiguous.csv"
    ambiguous.write_text("".join(row for row in lines if "Client" in row or ",05/10/2026," in row))
    answered = call("import", ambiguous, "--dry-run", "--json", "--project", firm)
    assert answered.code == Exit.NEEDS_ATTENTION
    assert "--date-order" in " ".join(answered.json["files"][0]["notes"])
    told = call("import", ambiguous, "--dry-run", "--json", "--date-order", "dmy", "--project", firm)
    assert told.code == Exit.DONE


def test_preview_from_files_bills_every_client(call: Call, firm: Path) -> None:
    """Without a broker: ten invoices, every second in a bucket, the seniors' cap kept, retainers drawn."""
    answered = call("preview", "--entries", firm / "exports", "--period", "2026-10", "--json", "--project", firm)
    documents = {one["client"]: one for one in answered.json["documents"]}
    assert len(documents) == 10
    for one in documents.values():
        assert sum(bucket["seconds"] for bucket in one["buckets"]) == one["worked_seconds"]
        assert float(one["totals"]["gross"]) > 0
    reasons = {bucket["reason"] for bucket in documents["northwind"]["buckets"]}
    assert "cap:senior-week" in reasons
    assert documents["meridian"]["totals"]["currency"] == "USD"
    used = {client: {bucket["bucket"] for bucket in one["buckets"]} for client, one in documents.items()}
    assert "retainer" in used["alpenrad"]
    assert "retainer" in used["solberg"]
    assert "fixed_fee" in used["lumen"]


def test_answers_keep_their_published_schema(call: Call, firm: Path, repository_root: Path) -> None:
    """What --json prints fits the schema of its name and version in the documentation."""
    calls = (
        ("contracts", "check"),
        ("import", firm / "exports", "--dry-run"),
        ("preview", "--entries", firm / "exports" / "clockify-2026-11-02.csv", "--period", "2026-10", "-c", "pavlik"),
    )
    for arguments in calls:
        body = call(*arguments, "--json", "--project", firm).json
        name, version = body["schema"].removeprefix("billstream.").split("/")
        published = repository_root / "docs/reference/schemas" / f"{name}.v{version}.json"
        jsonschema.validate(body, json.loads(published.read_text()))
