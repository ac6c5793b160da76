"""`rebuild`, `replay`, `backup` and `restore` as tables and sentences for people."""

from typing import TYPE_CHECKING

from billstream.cli import render
from billstream.cli.keeping_results import BackupResult, RebuildResult, ReplayResult, RestoreResult
from billstream.cli.output import table, visible

if TYPE_CHECKING:
    from rich.console import Console

DIGEST_SHOWN = 16
VALUE_SHOWN = 400


def rebuilt(screen: "Console", result: RebuildResult) -> None:
    """One row for each store, then the first rows that differ."""
    rows = [
        (
            str(one.partition),
            one.slot,
            one.verdict.replace("_", " ") + (", replaced" if one.replaced else ""),
            str(one.offset),
            str(one.rows),
            one.digest[:DIGEST_SHOWN],
            f"{one.records} in {one.seconds} s",
            str(one.records_per_second),
        )
        for one in result.stores
    ]
    head = ("partition", "slot", "store", "offset", "rows", "digest", "records", "a second")
    table(screen, "Stores and their journals", head, rows, right=(0, 3, 4, 7))
    for one in result.stores:
        for row in one.differences:
            screen.print(
                f"partition {one.partition}, slot {one.slot}: {row.table} {visible(row.key)!r}", soft_wrap=True
            )
            screen.print(f"  stored:  {visible(row.stored[:VALUE_SHOWN]) or '(no row)'}", soft_wrap=True)
            screen.print(f"  rebuilt: {visible(row.rebuilt[:VALUE_SHOWN]) or '(no row)'}", soft_wrap=True)
        if one.unreadable or one.unapplied:
            screen.print(f"partition {one.partition}: {one.unreadable} unreadable, {one.unapplied} not applied")
    if not result.stores:
        screen.print("There is no store here and no journal that has a record.")


def replayed(screen: "Console", result: ReplayResult) -> None:
    """Where the cut is, the state there, and the preview if one was asked for."""
    last, following = result.appended_at, result.next_appended_at
    screen.print(
        f"As of journal offset {result.offset} of {result.journal_end}: "
        f"last record of {f'{last:%Y-%m-%d %H:%M:%S} UTC' if last else 'nothing'}, "
        f"next of {f'{following:%Y-%m-%d %H:%M:%S} UTC' if following else 'nothing'}",
        soft_wrap=True,
    )
    render.status(screen, result.status)
    for text in result.alerts:
        screen.print(f"alert: {visible(text)}", soft_wrap=True)
    if result.preview is not None:
        render.preview(screen, result.preview)
    counted = ", ".join(f"{one.table} {one.rows}" for one in result.tables)
    screen.print(f"rows: {counted or 'none'}; digest {result.digest[:DIGEST_SHOWN]}", soft_wrap=True)


def saved(screen: "Console", result: BackupResult) -> None:
    """What is in the backup, by topic."""
    topics = sorted({one.topic for one in result.partitions})
    rows = []
    for topic in topics:
        mine = [one for one in result.partitions if one.topic == topic]
        rows.append((topic, str(sum(one.records for one in mine)), str(sum(one.bytes for one in mine))))
    table(screen, f"Backup {result.backup_id} in {result.folder}", ("topic", "records", "bytes"), rows, right=(1, 2))
    screen.print(
        f"{result.new_records} records new, {result.records} in all; {result.stores} stores, {result.files} files; "
        f"{result.bytes} bytes in {result.seconds} s"
    )


def restored(screen: "Console", result: RestoreResult) -> None:
    """What was put back, what was proven, and whether anything may leave."""
    if result.taken_at is not None:
        screen.print(
            f"Backup {result.backup_id} of {result.taken_at:%Y-%m-%d %H:%M:%S} UTC: "
            f"{result.records} records, {result.stores} stores, {len(result.files)} files"
        )
    for one in result.proofs:
        said = f": {visible(one.detail)}" if one.detail else ""
        screen.print(f"{'holds ' if one.holds else 'DOES NOT HOLD '} {visible(one.about)}{said}", soft_wrap=True)
    if result.sending == "held":
        screen.print("Nothing is sent to any sink until `billstream restore --verify` holds.")
    elif result.sending:
        screen.print("Documents may be sent again: start the workers.")
