"""`sim`: worlds full of faults, each from a number, judged by an oracle that reads their log alone."""

from pathlib import Path
from typing import Annotated

import typer

Seed = Annotated[int | None, typer.Option("--seed", help="Replay this seed; a wrong world is made small.")]
Seeds = Annotated[int, typer.Option("--seeds", min=1, help="How many worlds.")]
From = Annotated[int, typer.Option("--from", help="The first seed.")]
Without = Annotated[
    str, typer.Option("--without", metavar="RULE", help="Switch a rule of the design off: worlds must go wrong.")
]
Processes = Annotated[int, typer.Option("--processes", min=0, help="How many at once; 0 for one on each core.")]
Shrink = Annotated[int, typer.Option("--shrink-seconds", min=0, help="How long a wrong world is made smaller.")]
Trace = Annotated[bool, typer.Option("--trace", help="With --seed: show all that happened, also if nothing is wrong.")]
Table = Annotated[
    Path | None,
    typer.Option("--rules", metavar="FILE", help="Switch off each rule in turn; write when it shows."),
]


def sim(
    context: typer.Context,
    seed: Seed = None,
    seeds: Seeds = 100,
    first: From = 1,
    without: Without = "",
    processes: Processes = 0,
    shrink_seconds: Shrink = 60,
    trace: Trace = False,
    rules: Table = None,
) -> int:
    """Run the product's own agents in made-up worlds full of faults, and judge each world by its log.

    A wrong world ends the command with exit code 1; its seed gives the same world again.

    \b
    Examples:
      billstream sim --seeds 1000
      billstream sim --seed 42 --trace
      billstream sim --seeds 300 --without outputs-first
    """
    from billstream.cli.commands.sim_showing import show
    from billstream.cli.exits import Exit
    from billstream.cli.failure import CommandFailed
    from billstream.cli.output import answer, progress
    from billstream.simulating.report import Wanted, run
    from billstream.simulating.table import write_table
    from billstream.simulating.twins import TWINS

    if without and without not in TWINS:
        raise CommandFailed(
            "rule_unknown", f"There is no rule {without!r}.", f"One of: {', '.join(TWINS)}.", Exit.USAGE
        )
    if rules is not None:
        with progress(context.obj, "Rules", "rules") as advance:
            missed = write_table(rules, seeds, processes, advance)
        return int(Exit.FAILED if missed else Exit.DONE)
    numbers = range(first, first + seeds) if seed is None else [seed]
    with progress(context.obj, "Worlds", "worlds") as advance:
        wanted = Wanted(tuple(numbers), without, processes, shrink_seconds, trace and seed is not None)
        result = run(wanted, advance)
    answer(context.obj, result, lambda screen: show(screen, result))
    return int(Exit.FAILED if result.wrong else Exit.DONE)
