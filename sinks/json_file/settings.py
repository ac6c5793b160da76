"""Settings of the JSON file sink."""

from pathlib import Path
from typing import Self

from pydantic import Field

from schemas.values import Value


class JsonFileSettings(Value):
    """Where JSON documents go."""

    folder: Path = Field(description="Folder for the documents; made when missing.", examples=["drafts/json"])

    @classmethod
    def example(cls) -> Self:
        """Settings as a configuration file would show them."""
        return cls(folder=Path("drafts/json"))
