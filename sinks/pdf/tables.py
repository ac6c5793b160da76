"""The tables of a document: by project for agencies, by matter and timekeeper for law firms. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from itertools import groupby

from schemas.draft import DraftBody, DraftLine, LineKind
from schemas.utbms import CODES
from sinks.pdf.corrections import correction_text
from sinks.pdf.numbers import HOUR_SECONDS, Numbers, clock
from sinks.pdf.phrases import own_words
from sinks.pdf.settings import Details, HoursForm, Layout, Paper
from sinks.pdf.sheet import FILL, Column, Row, RowStyle, SheetTable
from sinks.pdf.texts import Printer
from sinks.pdf.words import Words

NOTHING = "–"
PACKAGE = "package of "
"""How billing begins the unit of packages; on paper it is a product in any language: 38 × 1000 calls."""
NO_BREAK = "\u00a0"
_EXPENSES = frozenset({LineKind.EXPENSE, LineKind.MARKUP})
_CHARGES = frozenset(
    {
        LineKind.RETAINER_FEE,
        LineKind.FIXED_FEE,
        LineKind.MILESTONE,
        LineKind.RECURRING_FEE,
        LineKind.USAGE_FEE,
        LineKind.MINIMUM_TRUE_UP,
        LineKind.DEPOSIT,
    }
)


@dataclass(frozen=True)
class Desk:
    """What is at hand while the tables are made."""

    body: DraftBody
    paper: Paper
    numbers: Numbers
    words: Words
    printer: Printer

    @property
    def is_legal(self) -> bool:
        """Whether the work is arranged by matter and timekeeper."""
        if self.paper.layout is Layout.AUTO:
            return bool(self.body.matter_id)
        return self.paper.layout is Layout.LEGAL

    @property
    def shows_lines(self) -> bool:
        """Whether the detail pages show the lines."""
        return self.paper.details is Details.LINES

    @cached_property
    def fees(self) -> tuple[DraftLine, ...]:
        """Lines for work."""
        return tuple(line for line in self.body.lines if line.kind is LineKind.FEE)

    @cached_property
    def expenses(self) -> tuple[DraftLine, ...]:
        """Expenses and what is added to them."""
        return tuple(line for line in self.body.lines if line.kind in _EXPENSES)

    @cached_property
    def charges(self) -> tuple[DraftLine, ...]:
        """Prices that are agreed and not measured by time."""
        return tuple(line for line in self.body.lines if line.kind in _CHARGES)

    @cached_property
    def others(self) -> tuple[DraftLine, ...]:
        """Everything else: discounts, rounding, corrections, and kinds of a newer version."""
        known = {LineKind.FEE, *_EXPENSES, *_CHARGES}
        return tuple(line for line in self.body.lines if line.kind not in known)

    @cached_property
    def worked(self) -> tuple[DraftLine, ...]:
        """Lines for work, and corrections of such lines; the sums of people count both."""
        return tuple(line for line in self.body.lines if LineKind.FEE in (line.kind, line.corrected_kind))

    @cached_property
    def initials(self) -> dict[str, str]:
        """Initials by person id, different for each person of the document."""
        names = {one.person_id: one.person_name for one in self.body.timekeepers}
        names |= {line.person_id: line.person_name for line in self.fees if line.person_id}
        return initials_of(names)

    @property
    def amount_head(self) -> str:
        """Above a column of amounts: in which currency they count."""
        return f"{self.words.amount} {self.body.currency}"

    def duration(self, seconds: int) -> str:
        """A sum of hours."""
        return clock(seconds) if self.paper.hours is HoursForm.CLOCK else self.numbers.hours_of(seconds)

    def quantity(self, line: DraftLine) -> str:
        """The quantity of a line with its unit, where it is not hours."""
        if line.unit == "hour":
            is_clock = self.paper.hours is HoursForm.CLOCK
            return clock(int(line.quantity * HOUR_SECONDS)) if is_clock else self.numbers.hours(line.quantity)
        if line.unit == "lump":
            return self.words.lump
        number = self.numbers.quantity(line.quantity)
        if line.unit.startswith(PACKAGE):
            return f"{number} × {self.printer.line(line.unit.removeprefix(PACKAGE))}"
        return number if line.unit == "unit" else f"{number} {self.printer.line(line.unit)}"

    def text(self, line: DraftLine, part: str | None = None) -> str:
        """What a line says, or the part of it that is shown: people's words as they are, ours in the language."""
        said = correction_text(line, self.words) if part is None else part
        return self.printer.line(own_words(line, said, self.words, self.numbers))

    def price(self, line: DraftLine) -> str:
        """The rate or price of a line."""
        return NOTHING if line.unit == "lump" else self.numbers.price(line.unit_price)


def initials_of(names: dict[str, str]) -> dict[str, str]:
    """First letters of each name; people with the same ones get a number, in the order of their ids."""
    found: dict[str, str] = {}
    for person_id, name in sorted(names.items()):
        letters = "".join(word[0] for word in name.split() if word[0].isalpha() and not _is_title(word))
        letters = letters[:4].upper() or person_id[:4]
        taken, number = set(found.values()), 2
        chosen = letters
        while chosen in taken:
            chosen, number = f"{letters}{number}", number + 1
        found[person_id] = chosen
    return found


def _is_title(word: str) -> bool:
    """`Dr.` and `Prof.` are no names; `F.` is one."""
    return word.endswith(".") and len(word) > 2


def section_totals(desk: Desk) -> tuple[tuple[str, Decimal], ...]:
    """Work, expenses and adjustments with their sums; together they are the document's net."""
    words = desk.words
    sections = (
        (words.services, desk.fees),
        (words.charges, desk.charges),
        (words.expenses, desk.expenses),
        (words.adjustments, desk.others),
    )
    totals = tuple((name, _total(lines)) for name, lines in sections if lines)
    assert sum((amount for _, amount in totals), Decimal(0)) == desk.body.net, "the sections are the net"
    return totals


def summary_tables(desk: Desk) -> tuple[SheetTable, ...]:
    """What stands on the first page."""
    tables = (_timekeepers(desk), _tasks(desk)) if desk.is_legal else (_projects(desk),)
    return tuple(table for table in tables if table.rows)


def detail_tables(desk: Desk) -> tuple[SheetTable, ...]:
    """What stands on the pages behind it."""
    if desk.paper.details is Details.NONE:
        return ()
    if desk.paper.details is Details.ENTRIES:
        work = _entries(desk)
    else:
        work = _legal_fees(desk) if desk.is_legal else _agency_fees(desk)
    tables = (work, _charges(desk), _expenses(desk), _others(desk))
    return tuple(table for table in tables if table.rows)


def _total(lines: Iterable[DraftLine]) -> Decimal:
    return sum((line.amount for line in lines), Decimal(0))


def _subtotal(
    desk: Desk, columns: Sequence[Column], label: str, seconds: int | None, lines: Iterable[DraftLine]
) -> Row:
    """A row with a label, the hours where the column of quantities is, and the amount at the end."""
    cells = [""] * len(columns)
    cells[next(index for index, column in enumerate(columns) if column.width_mm == FILL)] = label
    if seconds is not None:
        heads = (desk.words.hours, desk.words.quantity)
        cells[next(index for index, column in enumerate(columns) if column.head in heads)] = desk.duration(seconds)
    cells[-1] = desk.numbers.amount(_total(lines))
    return Row(tuple(cells), RowStyle.SUBTOTAL)


# ------------------------------------------------------------------------------------------------- agency: by project


@dataclass(frozen=True)
class _Project:
    """Lines of one project in the document's order, under a name."""

    name: str
    is_named: bool
    lines: tuple[DraftLine, ...]
    texts: tuple[str, ...]

    @property
    def seconds(self) -> int:
        return sum(line.seconds for line in self.lines)


def _by_project(desk: Desk) -> list[_Project]:
    groups: dict[str, list[DraftLine]] = {}
    for line in desk.fees:
        groups.setdefault(line.project_id, []).append(line)
    projects = [_project(desk, project_id, tuple(lines)) for project_id, lines in groups.items()]
    return sorted(projects, key=lambda project: not project.lines[0].project_id)


def _project(desk: Desk, project_id: str, lines: tuple[DraftLine, ...]) -> _Project:
    """A project under the name that billing put before its texts; else under its id, with the texts as they are."""
    named = [_named_project(line) for line in lines]
    names = {name for name, _ in named}
    is_named = bool(project_id) and len(names) == 1 and "" not in names
    if is_named:
        texts, name = [rest for _, rest in named], names.pop()
    else:
        texts, name = [line.text for line in lines], project_id or desk.words.other_work
    shown = tuple(desk.text(line, text) for line, text in zip(lines, texts, strict=True))
    return _Project(desk.printer.line(name), is_named, lines, shown)


def _named_project(line: DraftLine) -> tuple[str, str]:
    """Project and rest of a text that billing composed as `project, service, ...`; an empty name for any other."""
    first, _, rest = line.text.partition(", ")
    is_composed = rest.split(", ")[0] == (line.service_item or "Services")
    return (first, rest) if is_composed else ("", line.text)


def _title(desk: Desk, project: _Project, projects: Sequence[_Project]) -> str:
    """The project's name; for the only one a plain word rather than its id, which tells a client nothing."""
    return project.name if project.is_named or len(projects) > 1 else desk.words.services


def _projects(desk: Desk) -> SheetTable:
    words = desk.words
    columns = (Column(words.project, FILL), Column(words.hours, right=True), Column(desk.amount_head, right=True))
    projects = _by_project(desk)
    rows = [
        Row(
            (
                _title(desk, project, projects),
                desk.duration(project.seconds),
                desk.numbers.amount(_total(project.lines)),
            )
        )
        for project in projects
    ]
    if len(rows) > 1:
        seconds = sum(line.seconds for line in desk.fees)
        rows.append(_subtotal(desk, columns, words.subtotal, seconds, desk.fees))
    return SheetTable(words.summary, columns, tuple(rows))


def _line_columns(desk: Desk, lines: Sequence[DraftLine], *first: Column) -> tuple[Column, ...]:
    words = desk.words
    is_time = all(line.unit == "hour" for line in lines)
    adjustment = (Column(words.adjustment, right=True),) if any(line.adjustment for line in lines) else ()
    return (
        *first,
        Column(words.description, FILL),
        Column(words.hours if is_time else words.quantity, right=True),
        Column(words.rate if is_time else words.price, right=True),
        *adjustment,
        Column(desk.amount_head, right=True),
    )


def _figures(desk: Desk, line: DraftLine, columns: Sequence[Column]) -> tuple[str, ...]:
    shown = any(column.head == desk.words.adjustment for column in columns)
    adjustment = (desk.numbers.amount(line.adjustment) if line.adjustment else "",) if shown else ()
    is_time = any(column.head == desk.words.hours for column in columns)
    quantity = desk.quantity(line) + ("" if is_time or line.unit != "hour" else f"{NO_BREAK}h")
    return (quantity, desk.price(line), *adjustment, desk.numbers.amount(line.amount))


def _agency_fees(desk: Desk) -> SheetTable:
    columns = _line_columns(desk, desk.fees)
    projects = _by_project(desk)
    rows: list[Row] = []
    for project in projects:
        if len(projects) > 1:
            rows.append(Row((project.name,), RowStyle.GROUP))
        rows += [
            Row((text, *_figures(desk, line, columns))) for line, text in zip(project.lines, project.texts, strict=True)
        ]
        rows.append(_subtotal(desk, columns, desk.words.subtotal, project.seconds, project.lines))
    title = _title(desk, projects[0], projects) if len(projects) == 1 else desk.words.services
    return SheetTable(title, columns, tuple(rows))


# ------------------------------------------------------------------------------------- legal: by matter and timekeeper


def _timekeepers(desk: Desk) -> SheetTable:
    words = desk.words
    columns = (
        Column(words.timekeeper),
        Column(words.person, FILL),
        Column(words.role, 32),
        Column(words.hours, right=True),
        Column(words.rate, right=True),
        Column(desk.amount_head, right=True),
    )
    rows = [
        Row(
            (
                desk.printer.line(desk.initials[one.person_id]),
                desk.printer.line(one.person_name),
                desk.printer.line(one.role),
                desk.duration(one.seconds),
                _one_rate(desk, one.person_id, one.role),
                desk.numbers.amount(one.amount),
            )
        )
        for one in desk.body.timekeepers
        if one.seconds or one.amount
    ]
    if not rows:
        return SheetTable(words.timekeepers, columns, ())
    rest = _total(desk.worked) - sum((one.amount for one in desk.body.timekeepers), Decimal(0))
    if rest:
        rows.append(Row(("", words.time_not_billed, "", "", "", desk.numbers.amount(rest))))
    seconds = sum(one.seconds for one in desk.body.timekeepers)
    is_mixed = 0 < len(desk.fees) < len(desk.worked)
    label = words.total_corrected if is_mixed else words.total
    return SheetTable(words.timekeepers, columns, (*rows, _subtotal(desk, columns, label, seconds, desk.worked)))


def _one_rate(desk: Desk, person_id: str, role: str) -> str:
    """The rate of a person when there is one only; several have no average here."""
    own = [line for line in desk.worked if line.person_id == person_id and line.role == role and line.unit == "hour"]
    rates = {line.unit_price for line in own}
    return desk.numbers.price(rates.pop()) if len(rates) == 1 else NOTHING


def _tasks(desk: Desk) -> SheetTable:
    words = desk.words
    columns = (
        Column(words.code),
        Column(words.task, FILL),
        Column(words.hours, right=True),
        Column(desk.amount_head, right=True),
    )
    coded = sorted(desk.worked, key=lambda line: (not line.utbms_task, line.utbms_task))
    if not any(line.utbms_task for line in coded):
        return SheetTable(words.task_summary, columns, ())
    rows = []
    for code, group in groupby(coded, key=lambda line: line.utbms_task):
        lines = tuple(group)
        name = CODES[code].name if code in CODES else "" if code else words.uncoded
        seconds = sum(line.seconds for line in lines)
        amount = desk.numbers.amount(_total(lines))
        rows.append(Row((desk.printer.line(code), name, desk.duration(seconds), amount)))
    return SheetTable(words.task_summary, columns, tuple(rows))


def _legal_fees(desk: Desk) -> SheetTable:
    words = desk.words
    has_codes = any(line.utbms_task or line.utbms_activity for line in desk.fees)
    codes = (Column(words.code, 20),) if has_codes else ()
    columns = _line_columns(desk, desk.fees, Column(words.date, 21), Column(words.timekeeper, 12), *codes)
    rows = []
    for line in desk.fees:
        code = (" ".join(one for one in (line.utbms_task, line.utbms_activity) if one),) if has_codes else ()
        first = (desk.numbers.day(line.date), _who(desk, line), *map(desk.printer.line, code))
        rows.append(Row((*first, desk.text(line), *_figures(desk, line, columns))))
    if rows:
        seconds = sum(line.seconds for line in desk.fees)
        rows.append(_subtotal(desk, columns, words.subtotal, seconds, desk.fees))
    return SheetTable(words.services, columns, tuple(rows))


def _who(desk: Desk, line: DraftLine) -> str:
    people = [line.person_id] if line.person_id else sorted({source.person_id for source in line.sources})
    return desk.printer.line(", ".join(desk.initials.get(one, one) for one in people if one) or NOTHING)


# -------------------------------------------------------------------------------------------------- both: what is left


def _entries(desk: Desk) -> SheetTable:
    """The entries behind each line, with the texts of those who worked."""
    words, numbers, printer = desk.words, desk.numbers, desk.printer
    columns = (
        Column(words.date, 23),
        Column(words.person, 32),
        Column(words.description, FILL),
        Column(words.hours, right=True),
        Column(desk.amount_head, right=True),
    )
    names = {one.person_id: one.person_name for one in desk.body.timekeepers}
    rows: list[Row] = []
    for line in desk.fees:
        rows.append(Row((desk.text(line), numbers.amount(line.amount)), RowStyle.GROUP))
        for source in sorted(line.sources, key=lambda one: (one.work_date, one.entry_id)):
            who = printer.line(names.get(source.person_id, source.person_id))
            seconds = source.worked_seconds + source.delta_seconds
            text = printer.line(source.description)
            rows.append(
                Row((numbers.day(source.work_date), who, text, desk.duration(seconds), numbers.amount(source.amount)))
            )
    if rows:
        seconds = sum(line.seconds for line in desk.fees)
        rows.append(_subtotal(desk, columns, words.total, seconds, desk.fees))
    return SheetTable(words.entries, columns, tuple(rows))


def _expenses(desk: Desk) -> SheetTable:
    words = desk.words
    has_codes = any(line.expense_code for line in desk.expenses)
    codes = (Column(words.code),) if has_codes else ()
    first = (Column(words.date, 23), *codes)
    columns = _line_columns(desk, desk.expenses, *first)
    rows = [
        Row(
            (
                desk.numbers.day(line.date),
                *((desk.printer.line(line.expense_code),) if has_codes else ()),
                desk.text(line),
                *_figures(desk, line, columns),
            )
        )
        for line in desk.expenses
    ]
    if rows:
        rows.append(_subtotal(desk, columns, words.subtotal, None, desk.expenses))
    return SheetTable(words.expenses, columns, tuple(rows))


def _charges(desk: Desk) -> SheetTable:
    words = desk.words
    columns = _line_columns(desk, desk.charges)
    rows = [Row((desk.text(line), *_figures(desk, line, columns))) for line in desk.charges]
    if rows:
        rows.append(_subtotal(desk, columns, words.subtotal, None, desk.charges))
    return SheetTable(words.charges, columns, tuple(rows))


def _others(desk: Desk) -> SheetTable:
    """Discounts, rounding and corrections; a correction names the document it changes, its hours and their price."""
    words = desk.words
    corrects = any(line.corrects for line in desk.others)
    has_hours = any(line.corrects and line.unit == "hour" for line in desk.others)
    named = (Column(words.corrected, 22),) if corrects else ()
    measured = (Column(words.hours, right=True), Column(words.rate, right=True)) if has_hours else ()
    columns = (Column(words.description, FILL), *named, *measured, Column(desk.amount_head, right=True))
    rows = []
    for line in desk.others:
        numbers = dict.fromkeys(one.number or one.document_id[:12] for one in line.corrects)
        name = (desk.printer.line(", ".join(numbers)),) if corrects else ()
        is_time = bool(line.corrects) and line.unit == "hour"
        figures = (desk.quantity(line), desk.price(line)) if is_time else ("", "")
        rows.append(Row((desk.text(line), *name, *(figures if has_hours else ()), desk.numbers.amount(line.amount))))
    if rows:
        rows.append(_subtotal(desk, columns, words.subtotal, None, desk.others))
    return SheetTable(words.adjustments, columns, tuple(rows))
