"""Answers about dead letters for people. Whatever a record says is shown, never interpreted."""

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from pydantic import JsonValue

from billstream.cli.letter_results import LetterItem, LetterResult, LettersResult, RepairResult, SettledLettersResult
from billstream.cli.output import table, visible
from billstream.cli.render import SHORT_ID

if TYPE_CHECKING:
    from rich.console import Console

HEX_BYTES_A_LINE = 16
VALUE_CHARACTERS_MAX = 300
CAME = {
    "accepted": "in the journal",
    "failed_again": "failed again",
    "sent": "sent",
    "no_answer": "sent, no worker has answered yet",
    "": "",
}


def letters(screen: "Console", result: LettersResult) -> None:
    """One row for each letter, then how many are open and why."""
    rows = [
        (
            one.letter_id[:SHORT_ID],
            f"{one.seen_at:%Y-%m-%d %H:%M:%S}",
            f"{one.topic}/{one.partition}/{one.offset}",
            one.reason,
            one.detail,
            size(one),
            state(one),
        )
        for one in result.letters
    ]
    if rows:
        head = ("letter", "record of (UTC)", "stood in", "reason", "detail", "bytes", "state")
        table(screen, "", head, rows, right=(5,))
    counted = ", ".join(f"{visible(one.reason)} in {visible(one.topic)} {one.letters}" for one in result.by_reason)
    screen.print(f"{result.open} open: {counted}" if result.open else "No dead letter is open.", soft_wrap=True)
    if result.left_out:
        screen.print(f"{result.left_out} older letters were not read: name a moment with --since.")


def size(one: LetterItem) -> str:
    """The size of the record; of a cut one what is kept of what."""
    return f"{one.size_bytes} of {one.whole_bytes}" if one.whole_bytes else str(one.size_bytes)


def state(one: LetterItem) -> str:
    """How a letter stands, and what it is connected with."""
    said = one.state if one.settled_at is None else f"{one.state} by {one.settled_by} {one.settled_at:%Y-%m-%d %H:%M}"
    if one.failed_again:
        said += f", failed again as {one.failed_again[:SHORT_ID]}"
    return f"{said}, again after {one.follows[:SHORT_ID]}" if one.follows else said


def letter(screen: "Console", result: LetterResult) -> None:
    """One letter with its record."""
    one = result.letter
    for name, text in (
        ("letter", one.letter_id),
        ("state", state(one)),
        ("stood in", f"{one.topic}, partition {one.partition}, offset {one.offset}"),
        ("record of", f"{one.seen_at:%Y-%m-%d %H:%M:%S} UTC"),
        ("met by", one.stage),
        ("reason", f"{one.reason}: {one.detail}"),
        ("key", one.key),
        ("size", f"{size(one)} bytes"),
        ("chain began", one.first),
    ):
        if text:
            screen.print(f"{name:<12}{visible(text)}", soft_wrap=True)
    for said in result.settlements:
        line = f"{said.at:%Y-%m-%d %H:%M:%S} UTC {said.outcome} by {said.person}: {said.because}"
        screen.print(f"{'history':<12}{visible(line)}", soft_wrap=True)
    _record(screen, result)
    for command in result.next:
        screen.print(f"{'next':<12}{visible(command)}", soft_wrap=True)


def _record(screen: "Console", result: LetterResult) -> None:
    rows = list(_lines(result.record))
    if rows:
        broken = result.broken_at is not None
        title = f"{result.record_kind}, as far as it can be read" if broken else result.record_kind
        table(screen, title, ("field", "value"), rows)
    if result.broken_at is not None:
        where = f" in {result.broken_field}" if result.broken_field else ""
        screen.print(f"{'broken':<12}at byte {result.broken_at}{visible(where)}: {visible(result.broken_why)}")
    for text in result.wrong:
        screen.print(f"{'wrong':<12}{visible(text)}", soft_wrap=True)
    if not rows or result.broken_at is not None:
        _bytes(screen, result)


def _lines(record: Mapping[str, JsonValue], path: str = "") -> Iterator[tuple[str, str]]:
    for name, value in record.items():
        here = f"{path}{name}"
        if isinstance(value, dict):
            yield from _lines(value, f"{here}.")
        else:
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            cut = len(text) - VALUE_CHARACTERS_MAX
            yield here, text if cut <= 0 else f"{text[:VALUE_CHARACTERS_MAX]}... and {cut} more characters"


def _bytes(screen: "Console", result: LetterResult) -> None:
    """The bytes around the place, as an engineer reads them."""
    shown = bytes.fromhex(result.hex)
    for start in range(0, len(shown), HEX_BYTES_A_LINE):
        part = shown[start : start + HEX_BYTES_A_LINE]
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
        screen.print(f"{result.hex_from + start:08x}  {part.hex(' '):<{3 * HEX_BYTES_A_LINE}} {text}", soft_wrap=True)


def settled(screen: "Console", result: SettledLettersResult) -> None:
    """What was done about each letter, and what came of it."""
    for one in result.done:
        to = f" to {one.topic}/{one.partition}" if one.topic else ""
        verb = f"would be {one.outcome}" if result.dry_run else one.outcome
        came = f": {CAME.get(one.came, one.came)}" if one.came and not result.dry_run else ""
        again = f" as {one.failed_again[:SHORT_ID]}" if one.failed_again else ""
        why = f" ({visible(one.detail)})" if one.detail else ""
        screen.print(f"{one.letter_id[:SHORT_ID]} {verb}{to}{came}{again}{why}", soft_wrap=True)
    for refused in result.refused:
        screen.print(f"{refused.about[:SHORT_ID]} refused: {visible(refused.detail)}", soft_wrap=True)
    if result.more:
        screen.print(f"{result.more} more fit; run the same command again.")


def repaired(screen: "Console", result: RepairResult) -> None:
    """Where the file is, or what was changed and sent."""
    if result.file:
        screen.print(f"Wrote {result.file}. Correct it, then send it:", soft_wrap=True)
        command = f"billstream dead-letters repair {result.letter_id[:SHORT_ID]} --from {result.file} --because TEXT"
        screen.print(f"  {command}", soft_wrap=True)
        return
    rows = [(one.field, one.before, one.after) for one in result.changes]
    if rows:
        table(screen, "", ("field", "was", "is"), rows)
    if result.sent is not None:
        settled(screen, SettledLettersResult(done=(result.sent,), dry_run=result.dry_run))
