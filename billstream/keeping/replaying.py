"""The command `replay`: the book of the past, its figures, its rows, and what its invoices would have been."""

from collections.abc import Sequence
from decimal import Decimal

from billstream.cli.keeping_results import ReplayResult, TableRows
from billstream.cli.results import StatusResult
from billstream.gateway import Desk
from billstream.keeping.past import PastDesk
from billstream.previewing import preview
from billstream.reporting import status
from runtime.clock import SystemClock
from schemas.period import Period


async def replay(desk: Desk, clients: Sequence[str], period: Period | None) -> ReplayResult:
    """What the rows of a past hold; with a period also its invoices, as they would have been then."""
    assert isinstance(desk, PastDesk), "the command opens the past"
    clock = SystemClock()
    began_seconds = clock.monotonic_seconds()
    stands = of_clients(await status(desk, desk.broker), clients)
    shown = None if period is None else await preview(desk, clients, period)
    return ReplayResult(
        until=desk.said,
        offset=desk.next_offset,
        journal_end=desk.journal_end,
        appended_at=desk.appended_at,
        next_appended_at=desk.next_appended_at,
        records=desk.records,
        digest=desk.digest(),
        tables=tuple(TableRows(table=table, rows=count) for table, count in desk.counts().items()),
        status=stands,
        preview=shown,
        alerts=tuple(one.text for one in desk.alerts if not clients or one.client_id in clients),
        seconds=Decimal(desk.seconds + clock.monotonic_seconds() - began_seconds).quantize(Decimal("0.001")),
    )


def of_clients(stands: StatusResult, clients: Sequence[str]) -> StatusResult:
    """Only the documents of some clients; the rest is of the whole book."""
    if not clients:
        return stands
    return stands.model_copy(update={"documents": tuple(one for one in stands.documents if one.client in clients)})
