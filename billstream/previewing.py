"""What an invoice would be now: the rows' invoice, computed here, with nothing changed (design rule 3)."""

from collections.abc import Sequence
from pathlib import Path

from billstream.cli.results import HeldItem, PreviewResult
from billstream.closing import agreements_of
from billstream.gateway import Desk
from billstream.reporting import NO_CLIENT, NO_CONTRACT, forecast_items, held_items
from billstream.showing import body_item
from books.preview import preview_documents
from schemas.draft import DocumentScope
from schemas.period import Period


async def preview(desk: Desk, clients: Sequence[str], period: Period) -> PreviewResult:
    """The invoices of a period as of the journal's present end."""
    await desk.catch_up()
    catalog = desk.catalog
    scopes = [
        DocumentScope(client_id=one.client_id, contract_id=one.contract_id, date_from=period.start, date_to=period.end)
        for one in agreements_of(desk, clients, period)
    ]
    bodies = [body for scope in scopes for body in preview_documents(desk.book, catalog, scope)]
    entries = {source.entry_id for body in bodies for line in body.lines for source in line.sources}
    entries |= {placement.entry_id for body in bodies for placement in body.placements}
    at = desk.at
    holds_today = period.start <= at.date() < period.end
    forecasts = forecast_items(desk.book, catalog, at) if holds_today else ()
    return PreviewResult(
        period=period.text,
        entries=len(entries),
        documents=tuple(body_item(body) for body in bodies),
        forecasts=tuple(one for one in forecasts if one.contract in {body.scope.contract_id for body in bodies}),
        held=() if clients else tuple(one for one in held_items(desk) if _is_off(one, period)),
    )


def _is_off(one: HeldItem, period: Period) -> bool:
    """Whether an entry of the period is on no document at all: its client or contract is not known."""
    if one.reason not in (NO_CLIENT, NO_CONTRACT):
        return False
    return not one.work_date or period.start.isoformat() <= one.work_date < period.end.isoformat()


def files_of(paths: Sequence[Path]) -> list[Path]:
    """The files of a list of files and folders, in name order within a folder.

    Of a folder hidden files and a project's own YAML are left out; what is named itself is always read.
    """
    found: list[Path] = []
    for path in paths:
        found += sorted(one for one in path.iterdir() if _may_be_export(one)) if path.is_dir() else [path]
    return found


def _may_be_export(path: Path) -> bool:
    return path.is_file() and not path.name.startswith(".") and path.suffix.lower() not in (".yaml", ".yml")
