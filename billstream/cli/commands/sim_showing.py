"""How the answer of `sim` looks on a screen."""

from typing import TYPE_CHECKING

from billstream.cli.output import table

if TYPE_CHECKING:
    from rich.console import Console

    from billstream.cli.sim_results import SimResult

SHOWN_MAX = 20


def show(screen: "Console", result: "SimResult") -> None:
    """Counts, the wrong worlds, and the smallest of them with all that happened in it."""
    for line in result.trace:
        screen.print(line)
    if result.wrong:
        rows = [[str(one.seed), one.wrong[0]] for one in result.wrong[:SHOWN_MAX]]
        table(screen, "Wrong worlds", ["seed", "what is wrong"], rows, right=[0])
    if (small := result.small) is not None:
        screen.print(f"Seed {small.seed}, made smaller in {small.tries} tries to {len(small.steps)} steps:")
        for line in (*small.steps, "", *small.trace, "", *small.wrong):
            screen.print(f"  {line}")
    off = f" without {result.without}" if result.without else ""
    screen.print(
        f"worlds {result.worlds}{off} wrong {len(result.wrong)}: faults {result.faults}, effects {result.effects},"
        f" journal records {result.journal_records}, documents {result.documents};"
        f" {result.simulated_seconds} s simulated in {result.wall_seconds} s, {result.times_real_time} times real time"
    )
