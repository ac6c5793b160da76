"""Answers as tables and sentences for people; every figure comes from the published results."""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from billstream.cli.output import hours, money, table, visible
from billstream.cli.results import (
    BucketItem,
    ContractsResult,
    DocumentItem,
    DocumentListResult,
    DocumentsResult,
    EntriesResult,
    ExplainResult,
    ForecastItem,
    HeldItem,
    HeldResult,
    ImportResult,
    PaymentResult,
    PreviewResult,
    RefusedItem,
    StatusResult,
    StoryNode,
    VerifyResult,
    WhatIfResult,
)

if TYPE_CHECKING:
    from rich.console import Console

SHORT_ID = 12
CAPS_SHOWN_MAX = 10
PROBLEMS_SHOWN_MAX = 20


def contracts(screen: "Console", result: ContractsResult) -> None:
    """What was read, and what of it went to the book."""
    rows = [
        (
            one.id,
            one.client,
            one.currency,
            f"{one.date_from or ''}..{one.date_to or ''}",
            one.file,
            str(one.examples or ""),
            one.revision[:SHORT_ID],
        )
        for one in result.contracts
    ]
    title = f"{result.clients} clients, {result.people} people, {result.projects} projects: all right"
    table(screen, title, ("contract", "client", "currency", "valid", "file", "examples", "revision"), rows, right=(5,))
    if result.assumed:
        screen.print("Read so, because the file does not say (write it down when it matters):")
    for said in result.assumed:
        screen.print(f"  {said.file}:{said.line}: {visible(said.text)}", soft_wrap=True)
    if result.published:
        verb = "would be sent" if result.dry_run else "sent"
        screen.print(f"{result.published} revisions and rates {verb} to the book.")
        if not result.dry_run and not result.in_force:
            screen.print("No worker has applied them yet; they wait in the broker.")


def imported(screen: "Console", result: ImportResult) -> None:
    """What was understood of each file; counts add up."""
    head = ("file", "read as", "rows", "accepted", "refused", "asked", "skipped", "from", "to", "people")
    rows = [
        (
            *(
                one.file,
                one.format,
                str(one.rows),
                str(one.accepted),
                str(one.refused),
                str(one.asked),
                str(one.skipped),
            ),
            *(str(one.date_from or ""), str(one.date_to or ""), str(len(one.people))),
        )
        for one in result.files
    ]
    table(
        screen, "Understood (nothing was sent)" if result.dry_run else "Imported", head, rows, right=(2, 3, 4, 5, 6, 9)
    )
    for one in result.files:
        for note in one.notes:
            screen.print(f"{one.file}: {visible(note)}")
        for problem in one.problems[:PROBLEMS_SHOWN_MAX]:
            where = f"{one.file}:{problem.line}" + (f" {problem.column}" if problem.column else "")
            screen.print(f"{where}: {problem.reason}: {visible(problem.message)} {visible(problem.value)!r}")
        if len(one.problems) > PROBLEMS_SHOWN_MAX:
            screen.print(f"{one.file}: and {len(one.problems) - PROBLEMS_SHOWN_MAX} more (--json lists all)")


def document(screen: "Console", one: DocumentItem) -> None:
    """One document with its lines and where its time went."""
    name = one.number or one.document_id[:SHORT_ID] or "preview"
    gross = money(one.totals.gross, one.totals.currency)
    title = f"{one.client}  {one.date_from}..{one.date_to}  {one.state}  {name}  {gross}"
    rows = [
        (
            *(visible(line.text), hours(line.seconds) if line.seconds else "", f"{line.quantity} {line.unit}"),
            *(
                str(line.unit_price),
                str(line.adjustment) if line.adjustment else "",
                str(line.amount),
                line.line_id[:SHORT_ID],
            ),
        )
        for line in one.lines
    ]
    head = ("line", "time", "quantity", "price", "adjusted", "amount", "id")
    if rows:
        table(screen, title, head, rows, right=(1, 2, 3, 4, 5))
    else:
        screen.print(f"{title}: nothing to bill", style="bold")
    sums = (
        f"net {money(one.totals.net, one.totals.currency)} + tax {money(one.totals.tax, one.totals.currency)} = {gross}"
    )
    if one.totals.due is not None and one.totals.due != one.totals.gross:
        sums += f", due {money(one.totals.due, one.totals.currency)}"
    screen.print(f"{sums}; worked {hours(one.worked_seconds)}: {buckets_text(one.buckets)}")
    for text in (*one.findings, *(f"missing: {text}" for text in one.missing)):
        screen.print(f"note: {visible(text)}")


def buckets_text(buckets: Iterable[BucketItem]) -> str:
    """`billed 112:30, held possible_duplicate 0:25`."""
    return ", ".join(f"{one.bucket} {one.reason}".strip() + f" {hours(one.seconds)}" for one in buckets) or "nothing"


def preview(screen: "Console", result: PreviewResult) -> None:
    """All previews, one after the other."""
    for one in result.documents:
        document(screen, one)
    held_off(screen, result.held)
    forecasts(screen, result.forecasts)
    for problem in result.problems:
        screen.print(f"note: {visible(problem)}")


def held_off(screen: "Console", items: Sequence[HeldItem]) -> None:
    """Entries that are on none of the previews, because nobody knows whose they are."""
    if not items:
        return
    rows = [
        (one.reason, one.entry_id[:SHORT_ID], one.work_date, one.person, one.client, hours(one.seconds), one.fix)
        for one in items[:PROBLEMS_SHOWN_MAX]
    ]
    total = hours(sum(one.seconds for one in items))
    head = ("reason", "entry", "day", "person", "client", "time", "settle it with")
    table(screen, f"On no invoice: {len(items)} entries, {total}", head, rows, right=(5,))
    if len(items) > PROBLEMS_SHOWN_MAX:
        screen.print(f"and {len(items) - PROBLEMS_SHOWN_MAX} more (--json lists all)")


def documents(screen: "Console", result: DocumentsResult) -> None:
    """One row for each document, then what was refused or has no answer yet."""
    document_table(screen, "", result.documents)
    refused(screen, result.refused)
    if result.waiting:
        screen.print(
            f"{len(result.waiting)} without an answer yet; `billstream status` shows them when they are there."
        )
    if result.empty:
        named = ", ".join(one[:SHORT_ID] for one in result.empty)
        screen.print(f"{len(result.empty)} without a line left as they are; name them to have them: {named}")


def document_list(screen: "Console", result: DocumentListResult) -> None:
    """One row for each invoice and credit note, with what it corrects."""
    rows = [
        (
            one.client,
            f"{one.date_from}..{one.date_to}",
            one.kind.replace("_", " "),
            one.state,
            one.number,
            money(one.net, one.currency),
            money(one.gross, one.currency),
            ", ".join(name if len(name) < SHORT_ID else name[:SHORT_ID] for name in one.corrects),
            one.document_id[:SHORT_ID],
        )
        for one in result.documents
    ]
    head = ("client", "period", "kind", "state", "number", "net", "gross", "corrects", "id")
    table(screen, "", head, rows, right=(5, 6))
    if not rows:
        screen.print("No document has been drafted yet.")


def document_table(screen: "Console", title: str, items: Sequence[DocumentItem]) -> None:
    """Documents with state and totals, then the files they are in."""
    if not items:
        return
    rows = [
        (
            one.client,
            f"{one.date_from}..{one.date_to}",
            one.state,
            str(one.revision),
            one.number,
            hours(one.worked_seconds),
            money(one.totals.net, one.totals.currency),
            money(one.totals.gross, one.totals.currency),
            one.document_id[:SHORT_ID],
        )
        for one in items
    ]
    head = ("client", "period", "state", "rev", "number", "worked", "net", "gross", "id")
    table(screen, title, head, rows, right=(3, 5, 6, 7))
    for one in items:
        for file in one.files:
            screen.print(f"  {one.client}: {visible(file)}", soft_wrap=True)


def refused(screen: "Console", items: Sequence[RefusedItem]) -> None:
    """What was refused and why."""
    for one in items:
        screen.print(f"refused: {one.about}: {one.reason}. {visible(one.detail)}")


def entries(screen: "Console", result: EntriesResult) -> None:
    """How many were changed, and what was refused."""
    screen.print(f"{len(result.done)} done.")
    refused(screen, result.refused)


def payment(screen: "Console", result: PaymentResult) -> None:
    """What arrived, and how the account stands."""
    amount = money(result.amount, result.currency)
    name = visible(f"{amount} of {result.client} for {result.account} ({result.reference}, {result.paid_on})")
    if result.known:
        screen.print(f"{name} had arrived already; nothing was sent.")
    elif result.dry_run:
        screen.print(f"{name} would be sent.")
    else:
        screen.print(f"{name} arrived." if result.in_force else f"{name} was sent; no worker has counted it yet.")
    received, used = money(result.received, result.currency), money(result.used, result.currency)
    screen.print(f"The account: {received} received, {used} used, {money(result.balance, result.currency)} left.")


def held(screen: "Console", result: HeldResult) -> None:
    """Held entries and the command that settles each."""
    rows = [
        (
            one.reason,
            one.entry_id[:SHORT_ID],
            one.work_date,
            one.person,
            one.client,
            hours(one.seconds),
            one.description,
            one.fix,
        )
        for one in result.entries
    ]
    head = ("reason", "entry", "day", "person", "client", "time", "text", "settle it with")
    table(screen, f"{len(rows)} held entries", head, rows, right=(5,))


def status(screen: "Console", result: StatusResult) -> None:
    """The book on one page."""
    screen.print(
        f"{result.tenant}/{result.book} at {result.broker}: journal offset {result.journal_offset}, "
        f"{result.entries} entries, {hours(result.worked_seconds)} worked, clock {result.clock or 'has not ticked'}"
    )
    if result.held:
        rows = [(one.reason, str(one.entries), hours(one.seconds)) for one in result.held]
        table(screen, "Held", ("reason", "entries", "time"), rows, right=(1, 2))
    if result.caps:
        shown = result.caps[:CAPS_SHOWN_MAX]
        caps = [
            (
                one.contract,
                one.cap,
                one.window,
                one.pool,
                hours(one.used_seconds),
                hours(one.limit_seconds),
                f"{one.percent} %",
            )
            for one in shown
        ]
        table(
            screen,
            "Caps, fullest first",
            ("contract", "cap", "window", "pool", "used", "limit", "share"),
            caps,
            right=(4, 5, 6),
        )
    if result.dead_letters:
        why = ", ".join(f"{one.reason} in {one.topic} {one.letters}" for one in result.dead_letters_by_reason)
        screen.print(f"Dead letters: {result.dead_letters} open ({visible(why)}); `billstream dead-letters list`.")
    forecasts(screen, result.forecasts)
    document_table(screen, "Documents", result.documents)
    if result.waiting_closes or result.open_work:
        screen.print(f"waiting: {result.waiting_closes} closes, {result.open_work} requests to slow work")


def forecasts(screen: "Console", items: Sequence[ForecastItem]) -> None:
    """What will be used up before its window ends, soonest first."""
    rows = [
        (
            one.contract,
            one.limit_id,
            one.window,
            one.pool,
            str(one.used),
            str(one.limit),
            str(one.pace),
            one.unit,
            str(one.crosses_on),
        )
        for one in items
        if one.crosses_on is not None
    ][:CAPS_SHOWN_MAX]
    if rows:
        head = ("contract", "what", "window", "pool", "used", "limit", "a workday", "unit", "used up on")
        table(screen, "Expected to be used up", head, rows, right=(4, 5, 6))


def verified(screen: "Console", result: VerifyResult) -> None:
    """One row for each document, then what does not hold, with its reason."""
    rows = [
        (
            one.client,
            f"{one.date_from}..{one.date_to}",
            one.number or one.document_id[:SHORT_ID],
            str(one.revision),
            hours(one.worked_seconds + one.carried_in_seconds),
            buckets_text(one.buckets),
            "holds" if one.holds else "DOES NOT HOLD",
        )
        for one in result.documents
    ]
    head = ("client", "period", "document", "rev", "worked", "buckets", "verdict")
    table(screen, "Certificates of minutes", head, rows, right=(3, 4))
    for one in result.documents:
        for check in one.checks:
            if not check.holds:
                name = one.file or one.number or one.document_id[:SHORT_ID]
                screen.print(f"{visible(name)}: {check.name}: {visible(check.detail)}", soft_wrap=True)
    if result.records:
        screen.print(f"Judged by {result.records} journal records, folded from the first one on.")
    for problem in result.problems:
        screen.print(f"note: {visible(problem)}")


def changed(screen: "Console", result: WhatIfResult) -> None:
    """The sums of all clients, then what changes for each: by line, then by reason."""
    rows = [
        (
            one.client,
            money(one.before.net, one.before.currency),
            money(one.after.net, one.after.currency),
            signed(one.difference),
        )
        for one in result.clients
    ]
    title = f"What if: {result.period}, {result.entries} entries"
    table(screen, title, ("client", "net now", "net then", "difference"), rows, right=(1, 2, 3))
    for one in result.clients:
        if not one.lines and not one.reasons:
            continue
        lines = [
            (
                line.text,
                hours(line.before_seconds) if line.before_seconds else "",
                hours(line.after_seconds) if line.after_seconds else "",
                f"{line.before:,f}",
                f"{line.after:,f}",
                signed(line.difference),
                ", ".join(line.reasons),
            )
            for line in one.lines
        ]
        head = ("line", "time now", "then", "now", "then", "difference", "because of")
        table(screen, one.client, head, lines, right=(1, 2, 3, 4, 5))
        why = [
            (why.reason, signed(why.amount), hours(why.seconds) if why.seconds else "", str(why.entries or ""))
            for why in one.reasons
        ]
        table(screen, "", ("reason", "difference", "time", "entries"), why, right=(1, 2, 3))
    for problem in result.problems:
        screen.print(f"note: {visible(problem)}")


def signed(amount: Decimal) -> str:
    """`+1,250.00`, `-40.00` or `0.00`."""
    return f"{amount:+,f}" if amount else f"{amount:,f}"


def explain(screen: "Console", result: ExplainResult) -> None:
    """The story as a tree; on a terminal folded to its width, in a file each statement is one whole line."""
    from rich.text import Text
    from rich.tree import Tree

    def grow(tree: Tree, nodes: Sequence[StoryNode]) -> None:
        for node in nodes:
            grow(tree.add(Text(visible(node.text))), node.below)

    for node in result.story:
        if screen.is_terminal:
            tree = Tree(Text(visible(node.text), style="bold"))
            grow(tree, node.below)
            screen.print(tree)
        else:
            for line in tree_lines(node):
                screen.print(line, soft_wrap=True)


def tree_lines(node: StoryNode, first: str = "", rest: str = "") -> Iterator[str]:
    """A tree as lines of text that nothing cuts."""
    yield first + visible(node.text)
    for number, one in enumerate(node.below, start=1):
        is_last = number == len(node.below)
        yield from tree_lines(one, rest + ("└── " if is_last else "├── "), rest + ("    " if is_last else "│   "))
