"""Answers: results on stdout, everything else on stderr; tables for people, one JSON object for programs."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol

from billstream.cli.session import Session

if TYPE_CHECKING:
    from rich.console import Console

    from billstream.cli.results import Result

PIPE_COLUMNS = 140


class Advance(Protocol):
    """Reports how much more is done."""

    def __call__(self, done: int, total: int | None = None) -> None:
        """`done` of `total` so far."""


def answer(session: Session, result: "Result", show: Callable[["Console"], None]) -> None:
    """Print a result: as JSON when asked for, else by `show`."""
    if session.json:
        print(result.model_dump_json(indent=2, by_alias=True))
    else:
        show(console(session))


def console(session: Session) -> "Console":
    """The console for results."""
    from rich.console import Console

    terminal = sys.stdout.isatty()
    return Console(
        no_color=not session.colors,
        highlight=False,
        markup=False,
        emoji=False,
        width=None if terminal else PIPE_COLUMNS,
        soft_wrap=not terminal,
    )


def say(session: Session, text: str) -> None:
    """A sentence on the way; not in quiet mode."""
    if not session.quiet:
        print(text, file=sys.stderr, flush=True)


def confirm(session: Session, question: str, *, yes: bool) -> None:
    """Ask before something far-reaching; where nobody can be asked, --yes has to be given."""
    from billstream.cli.exits import Exit
    from billstream.cli.failure import CommandFailed

    if yes:
        return
    if not session.asks:
        raise CommandFailed("confirmation_needed", question, "Answer it with --yes.", Exit.USAGE)
    import typer

    if not typer.confirm(question, err=True):
        raise CommandFailed("not_confirmed", "Nothing was changed.", "", Exit.FAILED)


def table(
    screen: "Console", title: str, head: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()
) -> None:
    """A table of plain cells; `right` names the columns with numbers. Outside text is shown, never interpreted."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    grid = Table(title=title or None, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for index, name in enumerate(head):
        grid.add_column(name, justify="right" if index in right else "left", overflow="fold")
    for row in rows:
        grid.add_row(*(Text(visible(cell)) for cell in row))
    screen.print(grid)


def visible(text: str) -> str:
    """The text on one line, with control characters made visible."""
    return "".join(
        letter if letter.isprintable() else " " if letter in "\n\r\t" else repr(letter)[1:-1] for letter in text
    )


def hours(seconds: int) -> str:
    """`1:30` for 5,400 seconds; seconds are shown only when there are any."""
    sign, left = ("-", -seconds) if seconds < 0 else ("", seconds)
    whole, minutes, rest = left // 3600, left // 60 % 60, left % 60
    return f"{sign}{whole}:{minutes:02d}" + (f":{rest:02d}" if rest else "")


def money(amount: Decimal, currency: str) -> str:
    """`1,250.00 EUR`: exact, grouped, with the currency behind it."""
    return f"{amount:,f} {currency}"


@contextmanager
def progress(session: Session, text: str, unit: str = "entries") -> Iterator[Advance]:
    """A bar on stderr with count, rate and time left; silent when there is no terminal."""
    if session.quiet or session.json or not sys.stderr.isatty():
        yield lambda done, total=None: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True, no_color=not session.colors), transient=True) as bar:
        task = bar.add_task(text, total=None)
        yield lambda done, total=None: bar.update(task, completed=done, total=total)


def duration(elapsed: timedelta) -> str:
    """`12.3 s`."""
    return f"{elapsed.total_seconds():.1f} s"
