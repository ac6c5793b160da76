"""Reference pages made from the code: exit codes, the published answers, the contract language.

`docs/generate.py` writes them beside its own; a test compares them with what lies in `docs/reference`.
"""

import inspect
import json
from collections.abc import Sequence
from enum import Enum
from types import UnionType
from typing import Annotated, Literal, TypeGuard, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from billstream.cli.exits import MEANING, Exit
from billstream.cli.keeping_results import KEEPING_RESULTS
from billstream.cli.letter_results import LETTER_RESULTS
from billstream.cli.results import RESULTS, Result
from billstream.cli.sim_results import SIM_RESULTS
from billstream.configuration.schema import FileKind, schema_text
from billstream.configuration.wording import KEYS
from schemas import charges, clauses, engagement, worked
from schemas.contract import ContractDocument

ALL_RESULTS: tuple[type[Result], ...] = (*RESULTS, *KEEPING_RESULTS, *LETTER_RESULTS, *SIM_RESULTS)
LANGUAGE = (clauses, charges, engagement, worked)
_LANGUAGE_NAMES = frozenset(module.__name__ for module in LANGUAGE)
WRITTEN = "Written by `script/docs`; change the code instead.\n"


def pages() -> dict[str, str]:
    """Every page by its path below `docs/reference`."""
    schemas = {f"schemas/{one.name}.v{one.version}.json": _schema_text(one) for one in ALL_RESULTS}
    return {
        "exit-codes.md": exit_codes_page(),
        "contracts.md": contracts_page(),
        "answers.md": answers_page(),
        **schemas,
        **{f"schemas/{kind.file_name}": schema_text(kind) for kind in FileKind},
    }


def _row(*cells: str) -> str:
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") or " " for cell in cells) + " |\n"


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    return "\n" + _row(*head) + _row(*("---" for _ in head)) + "".join(_row(*row) for row in rows)


def exit_codes_page() -> str:
    """What each exit code means."""
    rows = [(f"`{code.value}`", code.name.lower(), MEANING[code]) for code in Exit]
    intro = "Scripts may rely on them: a number never changes its meaning.\n"
    return f"# Exit codes\n\n{WRITTEN}\n{intro}" + _table(("code", "name", "meaning"), rows)


def _schema_text(model: type[Result]) -> str:
    schema = model.model_json_schema(mode="serialization", by_alias=True)
    schema["$id"] = f"billstream.{model.name}/{model.version}"
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"


def answers_page() -> str:
    """The list of published answers."""
    rows = [
        (
            f"`billstream.{one.name}/{one.version}`",
            inspect.getdoc(one) or "",
            f"[schema](schemas/{one.name}.v{one.version}.json)",
        )
        for one in ALL_RESULTS
    ]
    intro = (
        "Every command answers `--json` with one object whose `schema` names its form.\n"
        "A form only ever gets new fields; another meaning gets another version.\n"
        "Errors have the form `billstream.error/1`: `code`, `message`, `fix`, `exit_code`, `problems`.\n"
    )
    return f"# Answers of `--json`\n\n{WRITTEN}\n{intro}" + _table(("schema", "of", "file"), rows)


def contracts_page() -> str:
    """The contract language: the document, then its clauses."""
    parts_of_language = [item for module in LANGUAGE for item in vars(module).items()]
    named = sorted({name: one for name, one in parts_of_language if _is_clause(one)}.items())
    models: list[type[BaseModel]] = [ContractDocument, *(one for _, one in named)]
    intro = (
        "A contract is one YAML file in `contracts/`.\n"
        "A clause that this version does not bill (not yet) is refused, never ignored.\n"
        "The guide with examples is [contracts](../guides/contracts.md).\n"
        "For editors there are JSON Schemas of [contracts](schemas/contract.schema.json), "
        "[directory](schemas/directory.schema.json) and [settings](schemas/settings.schema.json).\n"
    )
    parts = [f"# Contract language\n\n{WRITTEN}\n{intro}"]
    for model in models:
        rows = [
            (
                f"`{field.alias or name}`",
                _type_text(field),
                _default_text(field),
                field.description or KEYS.get(field.alias or name, ""),
            )
            for name, field in model.model_fields.items()
        ]
        parts.append(
            f"\n## {model.__name__}\n\n{inspect.getdoc(model) or ''}\n"
            + _table(("key", "value", "without it", "meaning"), rows)
        )
    return "".join(parts)


def _is_clause(one: object) -> TypeGuard[type[BaseModel]]:
    return (
        isinstance(one, type)
        and issubclass(one, BaseModel)
        and one.__module__ in {module.__name__ for module in LANGUAGE}
    )


def _type_text(field: FieldInfo) -> str:
    annotation = field.annotation
    if annotation is type(None):
        return "not yet"
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return " or ".join(f"`{member.value}`" for member in annotation)
    return f"`{_written(annotation)}`"


def _written(annotation: object) -> str:
    """A type as a person would write it; what validates it in code is left out."""
    match get_origin(annotation):
        case None:
            return annotation.__name__ if isinstance(annotation, type) else str(annotation)
        case kind if kind is Annotated:
            return _written(get_args(annotation)[0])
        case kind if kind in (Union, UnionType):
            return " | ".join("None" if one is type(None) else _written(one) for one in get_args(annotation))
        case kind if kind is Literal:
            return " | ".join(repr(one) for one in get_args(annotation))
        case kind:
            inner = ", ".join("..." if one is ... else _written(one) for one in get_args(annotation))
            return f"{kind.__name__}[{inner}]"


def _default_text(field: FieldInfo) -> str:
    if field.is_required():
        return "needed"
    value = field.default
    if value is PydanticUndefined or isinstance(value, BaseModel) or value in (None, "", ()):
        return ""
    return f"`{value.value if isinstance(value, Enum) else value}`"
