"""Secrets that cannot be printed by accident, and the two places they are read from; operations section 7."""

import hmac
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NoReturn

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from runtime.errors import Misconfigured

MASK: Final = "***"
SECRET_BYTES_MAX = 64 * 1024


class Secret:
    """A text that shows itself as `***` everywhere; `reveal()` is the one way to it, so a search finds every use."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The secret itself; pass it straight to what needs it."""
        return self._text

    def __repr__(self) -> str:
        return MASK

    def __str__(self) -> str:
        return MASK

    def __format__(self, _form: str) -> str:
        return MASK

    def __eq__(self, other: object) -> bool:
        """Compares in constant time."""
        return isinstance(other, Secret) and hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not written anywhere")

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: GetCoreSchemaHandler) -> CoreSchema:
        """Settings models take a Secret or its text, and write `***`."""
        return core_schema.no_info_plain_validator_function(
            cls._from_setting,
            serialization=core_schema.plain_serializer_function_ser_schema(lambda _secret: MASK),
        )

    @classmethod
    def _from_setting(cls, given: object) -> "Secret":
        if isinstance(given, Secret):
            return given
        if isinstance(given, str):
            return cls(given)
        raise ValueError("a secret is a text")


def read_secret(name: str, environment: Mapping[str, str]) -> Secret | None:
    """The secret called `name`: the content of the file `NAME_FILE` points to, else the variable itself, else None.

    Raises Misconfigured when the file is missing, empty, too large or not text; the file's content is never shown.
    """
    path = environment.get(f"{name}_FILE")
    if path:
        return read_secret_file(Path(path), name=f"{name}_FILE")
    text = environment.get(name)
    return Secret(text) if text else None


def read_secret_file(path: Path, *, name: str) -> Secret:
    """The file's content without its last line break; `name` is the setting that named the file."""
    try:
        with path.open("rb") as file:
            content = file.read(SECRET_BYTES_MAX + 1)
    except OSError as error:
        raise _unusable(name, path, error.strerror or "it cannot be read") from error
    if len(content) > SECRET_BYTES_MAX:
        raise _unusable(name, path, f"it has more than {SECRET_BYTES_MAX} bytes")
    try:
        text = content.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise _unusable(name, path, "it is not text") from None
    if not text:
        raise _unusable(name, path, "it is empty")
    return Secret(text)


def _unusable(name: str, path: Path, why: str) -> Misconfigured:
    return Misconfigured(
        "secret-file-unusable",
        f"{name} points to {str(path)!r}, which cannot be used: {why}.",
        "Write the secret into that file, and let only this user read it.",
    )
