"""The command line. It stays light: rooms are imported by the command that needs them, so that help is fast."""

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one call and leave with its exit code; the entry point of the `billstream` program."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: Sequence[str]) -> int:
    """Run one call; returns the exit code. Every expected error is answered here, in one place."""
    from billstream.cli.failure import CommandFailed, report, report_uncaught
    from billstream.cli.session import split_arguments

    session, rest = split_arguments(arguments)
    report_uncaught(session)
    from typer import Abort, TyperException
    from typer.main import get_command

    from billstream.cli.application import application
    from billstream.cli.exits import Exit
    from runtime.errors import MachineryError
    from schemas.errors import BillstreamError

    try:
        done = get_command(application).main(args=rest, prog_name="billstream", standalone_mode=False, obj=session)
    except TyperException as error:
        fix = "`billstream --help` shows what there is." if error.exit_code == Exit.USAGE else ""
        return report(session, CommandFailed("usage", error.format_message(), fix, Exit(error.exit_code)))
    except Abort:
        return report(session, KeyboardInterrupt())
    except (BillstreamError, MachineryError, CommandFailed, OSError) as error:
        return report(session, error)
    # Ctrl-C inside a command arrives here as its exit code.
    return report(session, KeyboardInterrupt()) if done == Exit.INTERRUPTED else int(done or 0)
