"""Programs that run until they are stopped (`up`, `worker`), and the demo."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

Folder = Annotated[Path | None, typer.Option("--folder", metavar="DIR", help="Where the sample firm is put and kept.")]


class RoleName(StrEnum):
    """What `--role` takes; the same words as the worker's own roles, which are not imported for a mere --help."""

    SEQUENCE = "sequence"
    FOLD = "fold"
    SLOW = "slow"
    DELIVER = "deliver"


Roles = Annotated[
    list[RoleName] | None, typer.Option("--role", help="Only this part of the work (repeatable); all by default.")
]


def demo(context: typer.Context, folder: Folder = None) -> int:
    """From nothing to draft invoices: a broker, a sample firm, its exports, a close, drafts as files.

    \b
    Example:
      billstream demo
    """
    from billstream.demo.run import run_demo

    return run_demo(context.obj, folder)


def up(context: typer.Context) -> int:
    """Run everything in one process: the embedded broker if none is set, the worker, and the watched folders.

    \b
    Example:
      billstream up
    """
    from billstream.bootstrap import run_up

    return run_up(context.obj)


def worker(context: typer.Context, roles: Roles = None) -> int:
    """Run one worker against the broker of the settings; start as many as you have partitions.

    A worker does everything. With --role it does only that, and a second process on the same folder may do the rest:
    two processors then work for one book, for instance --role sequence beside --role fold.

    \b
    Example:
      BILLSTREAM_BROKERS=kafka:9092 billstream worker
    """
    from billstream.bootstrap import run_worker

    return run_worker(context.obj, [role.value for role in roles or ()])


def connect(context: typer.Context) -> int:
    """Run the connectors: watch the folders of the settings and import what is put there.

    \b
    Example:
      billstream connect
    """
    from billstream.bootstrap import run_connect

    return run_connect(context.obj)
