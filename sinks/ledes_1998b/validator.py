"""Judges the bytes of a LEDES 1998B file as a receiver would: structure, values, kinds and codes, then the sums.

Separate from the writer: it shares only the published tables and the receiver's options with it.
"""

from sinks.base import Problem
from sinks.ledes_1998b.kinds import kind_problems
from sinks.ledes_1998b.reader import read_ledes
from sinks.ledes_1998b.settings import Receiver
from sinks.ledes_1998b.sums import sum_problems
from sinks.ledes_1998b.values import value_problems


def check_ledes(content: bytes, receiver: Receiver) -> tuple[Problem, ...]:
    """Everything that this receiver would reject, by line; empty for a good file.

    Sums are checked when each value is well formed: a sum over broken numbers would say nothing.
    """
    file = read_ledes(content, receiver)
    problems = list(file.problems)
    for record in file.records:
        problems += value_problems(record, receiver)
        problems += kind_problems(record, receiver)
    if not problems:
        problems += sum_problems(file.records)
    return tuple(sorted(problems, key=lambda problem: problem.line))
