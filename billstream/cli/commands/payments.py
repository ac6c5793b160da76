"""Money that arrived: `payment`."""

import re
from datetime import datetime
from decimal import Decimal
from typing import Annotated

import typer

from billstream.cli.options import ContractId, DryRun, Wait
from billstream.cli.session import Session

AMOUNT = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?")
Amount = Annotated[str, typer.Option("--amount", metavar="AMOUNT", help="In the contract's currency, such as 1500.00.")]
PaidOn = Annotated[
    datetime, typer.Option("--on", formats=["%Y-%m-%d"], metavar="DATE", help="The day on which it arrived.")
]
Reference = Annotated[
    str, typer.Option("--reference", metavar="TEXT", help="Its mark at the bank; one reference counts once.")
]
Account = Annotated[
    str, typer.Option("--account", metavar="ID", help="Which account of the contract; needed when it has two.")
]


def payment(
    context: typer.Context,
    contract: ContractId,
    amount: Amount,
    on: PaidOn,
    reference: Reference,
    account: Account = "",
    dry_run: DryRun = False,
    wait: Wait = 60,
) -> int:
    """Say that money of a client arrived for an account that you hold: a prepayment, a retainer, trust.

    Invoices dated from that day on are paid from it. The same reference again changes nothing.

    \b
    Example:
      billstream payment varga-registry --amount 1500.00 --on 2026-11-12 --reference "2026-1112"
    """
    from billstream.cli import render
    from billstream.cli.exits import Exit
    from billstream.cli.failure import CommandFailed
    from billstream.cli.running import run_with_desk
    from billstream.payments import Arrived, receive

    session: Session = context.obj
    if not AMOUNT.fullmatch(amount):
        raise CommandFailed("usage", f"'{amount}' is no amount.", "Write it like 1500.00.", Exit.USAGE)
    arrived = Arrived(contract, account, Decimal(amount), on.date(), reference)
    return run_with_desk(session, lambda desk: receive(desk, arrived, wait, dry_run=dry_run), render.payment)
