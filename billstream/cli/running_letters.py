"""Runs a command about dead letters with a desk that reaches them, and makes an exit code of its answer."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from billstream.cli.exits import Exit
from billstream.cli.letter_results import RepairResult, SentItem, SettledLettersResult
from billstream.cli.output import answer
from billstream.cli.results import Result
from billstream.cli.running import collect_seldom, quiet_libraries
from billstream.cli.session import Session

if TYPE_CHECKING:
    from rich.console import Console

    from billstream.dead_letters.port import LetterDesk

Answer = TypeVar("Answer", bound=Result)


def run_with_letters(
    session: Session,
    action: "Callable[[LetterDesk], Awaitable[Answer]]",
    show: "Callable[[Console, Answer], None]",
) -> int:
    """Open the project's book, run the action, print its answer; returns the exit code."""
    quiet_libraries(session)
    collect_seldom()
    result = asyncio.run(_with_letters(session, action))
    answer(session, result, lambda screen: show(screen, result))
    return int(exit_of(result))


async def _with_letters(session: Session, action: "Callable[[LetterDesk], Awaitable[Answer]]") -> Answer:
    from billstream.kafka_desk import open_desk
    from billstream.project import open_project

    async with open_desk(open_project(session.project, session.environment)) as desk:
        return await action(desk)


def exit_of(result: Result) -> Exit:
    """Done, refused, failed again, or no answer yet."""
    match result:
        case SettledLettersResult():
            return Exit.REFUSED if result.refused else _of_what_came(result.done)
        case RepairResult() if result.sent is not None:
            return _of_what_came((result.sent,))
        case _:
            return Exit.DONE


def _of_what_came(done: tuple[SentItem, ...]) -> Exit:
    came = {one.came for one in done}
    if "failed_again" in came:
        return Exit.NEEDS_ATTENTION
    return Exit.TRY_AGAIN if "no_answer" in came else Exit.DONE
