"""Writes docs/reference/ from the code; `--check` only tells which pages differ.

Commands come from the command line, settings from their models, events from the Avro schemas, metrics from where they
are declared; nothing is said twice.
"""

import importlib.util
import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "docs" / "reference"
WRITTEN = "Written by `script/docs`; change the code instead.\n"
Json = Any  # an Avro schema is text, a list or an object, at every level


def cell(text: str) -> str:
    """Text that cannot break out of its cell of a table."""
    return " ".join(text.split()).replace("|", "\\|") or " "


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """A Markdown table; nothing when there are no rows."""
    if not rows:
        return ""
    lines = [head, tuple("---" for _ in head), *[tuple(cell(text) for text in row) for row in rows]]
    return "\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines)


# ----------------------------------------------------------------------------------------------------------- commands
def commands(command: Any, path: str) -> Iterator[tuple[str, Any]]:  # noqa: ANN401  # typer's own copy of click has no public types
    """Every command that can be typed, with its whole name, groups before what is in them; hidden ones left out."""
    yield path, command
    for name, inner in sorted(getattr(command, "commands", {}).items()):
        if not inner.hidden:
            yield from commands(inner, f"{path} {name}")


def parameter_row(parameter: Any) -> tuple[str, ...]:  # noqa: ANN401  # as above
    """One argument or option: how it is typed, what it means, what it is without being typed."""
    is_option = parameter.param_type_name == "option"
    typed = (
        ", ".join([*parameter.opts, *parameter.secondary_opts])
        if is_option
        else parameter.metavar or parameter.name.upper()
    )
    default = parameter.default
    unsaid = default is None or callable(default) or default in ("", (), [], False) or isinstance(default, type(...))
    without = "needed" if parameter.required else "" if unsaid else f"`{getattr(default, 'value', default)}`"
    return f"`{typed}`", getattr(parameter, "help", None) or "", without


def help_text(written: str) -> str:
    """A command's help: sentences first, then its examples as something to paste."""
    sentences, heading, examples = re.sub(r"[\b\f]", "", written).partition("Example")
    lines = [line.strip() for line in examples.splitlines()[1:] if line.strip()]
    pasted = "\n```text\n" + "\n".join(lines) + "\n```\n" if heading else ""
    return f"{' '.join(sentences.split())}\n{pasted}"


def commands_page() -> str:
    """The command line: each command with its help and its options."""
    from typer.main import get_command

    from billstream.cli.application import application

    everywhere = cell(application.info.epilog or "")
    parts = [f"# Commands\n\n{WRITTEN}\n{everywhere}\n"]
    for name, command in commands(get_command(application), "billstream"):
        rows = [parameter_row(p) for p in command.params if not getattr(p, "hidden", False) and p.name != "help"]
        parts.append(
            f"\n## {name}\n\n{help_text(command.help or '')}" + table(("option", "meaning", "without it"), rows)
        )
    return "".join(parts)


# ----------------------------------------------------------------------------------------------------------- settings
def settings(model: type[BaseModel], place: str = "") -> Iterator[tuple[str, ...]]:
    """Every setting with its place in the file, default, meaning and example; groups are walked into."""
    for name, field in model.model_fields.items():
        here = f"{place}{name}"
        inner = list(models_in(field.annotation))
        if inner and not field.examples:
            below = f"{here}." if inner[0] is field.annotation else f"{here}.NAME."
            for one in inner:
                yield from settings(one, f"{below}({kind_of(one)})." if len(inner) > 1 else below)
            continue
        example = shown(field.examples[0]) if field.examples else ""
        yield f"`{here}`", field.description or "", shown(field.default), example


def models_in(annotation: object) -> Iterator[type[BaseModel]]:
    """The groups of settings in a type: itself, or those it is a mapping or a choice of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in getattr(annotation, "__args__", ()):
        yield from models_in(part)


def kind_of(model: type[BaseModel]) -> str:
    """The word that chooses this group among several, as the example of its `kind` says."""
    (word,) = model.model_fields["kind"].examples or [""]
    return str(word)


def shown(value: object) -> str:
    """A default or an example as it would be typed."""
    if value is PydanticUndefined:
        return "needed"
    text = str(value.value if isinstance(value, Enum) else value)
    return "" if value is None or not text else f"`{text.lower() if isinstance(value, bool) else text}`"


def settings_page() -> str:
    """The settings of billstream.yaml, and the variables that are laid over them."""
    from billstream.settings import Settings, variables

    head = ("setting", "meaning", "without it", "example")
    set_by = [(f"`{variable}`", f"`{place}`") for variable, place in sorted(variables().items())]
    return (
        f"# Settings\n\n{WRITTEN}\nThe file is `billstream.yaml`; dots stand for nesting, "
        "NAME for a name you choose, a word in brackets for a `kind`.\n"
        + table(head, list(settings(Settings)))
        + "\n## Variables of the environment\n\nA variable wins over the file. An unknown one is an error.\n"
        + table(("variable", "sets"), set_by)
    )


# ------------------------------------------------------------------------------------------------------------- events
def type_text(avro: Json) -> str:
    """An Avro type in a few words."""
    match avro:
        case str():
            return avro
        case list():
            return " or ".join(type_text(part) for part in avro)
        case {"logicalType": logical}:
            return str(logical)
        case {"type": "array", "items": items}:
            return f"list of {type_text(items)}"
        case {"type": "map", "values": values}:
            return f"map of {type_text(values)}"
        case {"name": name}:
            return str(name)
        case {"type": inner}:
            return type_text(inner)
        case _:
            raise ValueError(f"not an Avro type: {avro!r}")


def events_page() -> str:
    """Every record on the wire with its fields."""
    parts = [f"# Events\n\n{WRITTEN}\nAvro in the Confluent wire format; the schemas lie in `schemas/avsc/`.\n"]
    for path in sorted((ROOT / "schemas" / "avsc").glob("*.avsc")):
        schema = json.loads(path.read_text())
        rows = [(f"`{f['name']}`", type_text(f["type"]), f.get("doc", "")) for f in schema["fields"]]
        parts.append(f"\n## {schema['name']}\n\n{schema.get('doc', '')}\n" + table(("field", "type", "meaning"), rows))
    return "".join(parts)


# ------------------------------------------------------------------------------------------------------------ metrics
def metrics_page() -> str:
    """Every metric of a process with its labels."""
    from runtime.metrics import Build, LabelValues, Metrics

    notes = Metrics(LabelValues(), Build("", "", "")).notes()
    rows = [(f"`{n.name}`", n.kind, ", ".join(f"`{label}`" for label in n.labels), n.meaning) for n in notes]
    where = "At `/metrics` of the address in `health.host` and `health.port`; seconds, bytes and ratios are base units."
    return f"# Metrics\n\n{WRITTEN}\n{where}\n" + table(("metric", "kind", "labels", "meaning"), rows)


# -------------------------------------------------------------------------------------------------------------- codes
def codes_module() -> ModuleType:
    """The part that reads codes out of the product; found beside this file, however this file was started."""
    spec = importlib.util.spec_from_file_location("billstream_codes", ROOT / "docs" / "codes.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SECTIONS = {
    "errors": (
        "Errors",
        "Exit codes follow from the kind of error; records that carry one of them lie in `dead-letters`.",
    ),
    "refusals": (
        "Commands that are refused",
        "The verdict stands in the journal; the same command is never judged twice.",
    ),
    "places": (
        "Where time and expenses are, if not on a line",
        "Shown by `billstream entries held`, `explain` and on every draft.",
    ),
    "findings": ("Findings on a draft", "Nothing is wrong with the sums; a person should know."),
}


def codes_page() -> str:
    """Every code with its meaning and what to do."""
    from connectors.tables.problems import REASONS

    table_by_hand = codes_module().read_table(ROOT / "docs")
    parts = [
        f"# Codes\n\n{WRITTEN}\nThe sentences are in `docs/codes.toml`.\n"
        "Codes of sinks and deliveries are explained in the [guide to deliveries](../guides/deliveries.md).\n"
    ]
    for section, (title, sentence) in SECTIONS.items():
        rows = [(f"`{code}`", *texts) for code, texts in sorted(table_by_hand[section].items())]
        parts.append(f"\n## {title}\n\n{sentence}\n" + table(("code", "meaning", "what to do"), rows))
    rows = [(f"`{code}`", why.sentence, f"`{why.flag}`" if why.flag else "") for code, why in sorted(REASONS.items())]
    told = "A row with a flag is a question; the others are refused, row by row, and the rest of the file goes on."
    return "".join(parts) + f"\n## Rows of files\n\n{told}\n" + table(("code", "meaning", "answer with"), rows)


def front_door_pages() -> dict[str, Callable[[], str]]:
    """The pages that the front door writes about itself: exit codes, answers with their schemas, contract language."""
    from billstream.reference import pages

    return {name: lambda name=name: pages()[name] for name in pages()}  # type: ignore[misc]  # bound early


# ------------------------------------------------------------------------------------------------------------ writing
PAGES: dict[str, Callable[[], str]] = {
    "commands.md": commands_page,
    "settings.md": settings_page,
    "events.md": events_page,
    "metrics.md": metrics_page,
    "codes.md": codes_page,
    **front_door_pages(),
}


def differing() -> list[str]:
    """Pages whose file is not what the code says."""
    return [n for n, page in PAGES.items() if not (REFERENCE / n).exists() or (REFERENCE / n).read_text() != page()]


def main(arguments: list[str]) -> int:
    """Write the pages that differ, or only name them; 1 when `--check` found any."""
    stale = differing()
    if "--check" not in arguments:
        REFERENCE.mkdir(exist_ok=True)
        for name in stale:
            (REFERENCE / name).parent.mkdir(parents=True, exist_ok=True)
            (REFERENCE / name).write_text(PAGES[name]())
    print("\n".join(f"docs/reference/{name}" for name in stale) or "docs/reference is up to date")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
