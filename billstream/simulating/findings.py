"""What a judge found wrong, by kind."""

from dataclasses import dataclass, field


@dataclass
class Findings:
    """What is wrong, by kind; each a sentence."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)

    def all(self) -> list[str]:
        """Everything that is wrong."""
        return [*self.lost, *self.doubled, *self.differing]

    def line(self, entries: int, kills: int) -> str:
        """The one line a crash test prints."""
        return (
            f"entries {entries} kills {kills} lost {len(self.lost)} doubled {len(self.doubled)}"
            f" differing {len(self.differing)}"
        )
