"""What was understood of a file, before anything is published: format and why, totals, problems, and open questions."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path

from connectors.tables.cell_reader import Reading
from connectors.tables.encoding import FileText, examine
from connectors.tables.layout import Layout, recognise
from connectors.tables.mapping import DateOrder
from connectors.tables.options import ImportOptions
from connectors.tables.outcomes import OutcomeStream, ProofAt
from connectors.tables.problems import REASONS, RowProblem, Skipped, Verdict, file_refused
from connectors.tables.rows import ParsedRow
from schemas.canonical import deterministic_id
from schemas.entry import EntryKind
from schemas.values import Value

PROBLEMS_SHOWN = 100
NAMES_SHOWN = 2_000
PEOPLE_MAX = 10_000
_BIDIRECTIONAL = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_WARNINGS = {
    "nul_removed": "lines held NUL characters, which were removed",
    "control_characters": "texts hold control characters; they are kept and never obeyed",
    "bidirectional_marks": "texts hold marks that change the direction of writing; they are kept",
    "formula_like_texts": "texts begin like a formula; they are kept as text",
    "running": "timers are still running; they count in forecasts and are never invoiced",
    "zero": "entries have no duration",
}


class Counts(Value):
    """Every row is in exactly one of accepted, refused and asked; skipped lines are no rows."""

    rows: int
    accepted: int
    refused: int
    asked: int
    skipped: dict[Skipped, int]


class PersonTotal(Value):
    """What the file holds of one person."""

    rows: int
    worked_seconds: int


class Question(Value):
    """What has to be answered, how often it came up, an example, and the flag that answers it."""

    code: str
    sentence: str
    flag: str
    rows: int
    line: int
    value: str
    whole_file: bool


@dataclass(frozen=True)
class Evidence:
    """How the file is read and why: in words for a person."""

    date_order: str = "no date needed it"
    decimal_mark: str = "no number needed it"


@dataclass(frozen=True)
class Preview:
    """One file understood. `read_file` takes it; it holds all that the second pass needs.

    While a question concerns the whole file, no row is accepted: what would have been is counted as asked.
    `scope_declared` says whether people and dates were declared or taken from the rows.
    """

    text: FileText
    layout: Layout
    reading: Reading
    options: ImportOptions
    evidence: Evidence
    counts: Counts
    people: Mapping[str, PersonTotal]
    clients: tuple[str, ...]
    projects: tuple[str, ...]
    scope_people: tuple[str, ...]
    date_from: date | None
    date_to: date | None
    scope_declared: bool
    problems: tuple[RowProblem, ...]
    problem_counts: Mapping[str, int]
    held_counts: Mapping[str, int]
    questions: tuple[Question, ...]
    warnings: tuple[str, ...]
    currencies: tuple[str, ...]
    import_id: str

    @property
    def ready(self) -> bool:
        """Whether the file can be read: no question concerns all of it, and there is a scope."""
        return not any(question.whole_file for question in self.questions) and self.date_from is not None


@dataclass
class _Tally:
    """What one pass counts; its memory does not grow with the rows."""

    skipped: Counter[Skipped] = field(default_factory=Counter)
    verdicts: Counter[Verdict] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    held: Counter[str] = field(default_factory=Counter)
    oddities: Counter[str] = field(default_factory=Counter)
    first_of: dict[str, RowProblem] = field(default_factory=dict)
    problems: list[RowProblem] = field(default_factory=list)
    people: dict[str, list[int]] = field(default_factory=dict)
    clients: dict[str, None] = field(default_factory=dict)
    projects: dict[str, None] = field(default_factory=dict)
    currencies: dict[str, None] = field(default_factory=dict)
    accepted: int = 0
    first_day: date = date.max
    last_day: date = date.min

    def problem(self, problem: RowProblem) -> None:
        """Count a row that is not accepted."""
        self.verdicts[problem.verdict] += 1
        self.codes[problem.code] += 1
        self.first_of.setdefault(problem.code, problem)
        if len(self.problems) < PROBLEMS_SHOWN:
            self.problems.append(problem)

    def row(self, row: ParsedRow) -> None:
        """Count an understood row."""
        fields, day = row
        self.accepted += 1
        total = self.people.get(fields.person_ref)
        if total is None:
            if len(self.people) >= PEOPLE_MAX:
                raise file_refused("too_many_people", f"More than {PEOPLE_MAX} people: is the right column mapped?")
            total = self.people[fields.person_ref] = [0, 0]
        total[0] += 1
        total[1] += fields.worked_seconds
        if day < self.first_day:
            self.first_day = day
        if day > self.last_day:
            self.last_day = day
        _note(self.clients, fields.client_ref)
        _note(self.projects, fields.project_ref)
        if fields.currency or "currency" in fields.attributes:
            _note(self.currencies, fields.currency or fields.attributes["currency"])
        if fields.problem:
            self.held[fields.problem] += 1
        self._odd(row)

    def _odd(self, row: ParsedRow) -> None:
        fields = row.fields
        if fields.running:
            self.oddities["running"] += 1
        elif not fields.worked_seconds and fields.kind is EntryKind.TIME:
            self.oddities["zero"] += 1
        text = fields.description
        if text[:1] in {"=", "+", "-", "@"}:
            self.oddities["formula_like_texts"] += 1
        if not text.isprintable() and (
            strange := {letter for letter in text if not letter.isprintable()} - set("\n\t")
        ):
            self.oddities["bidirectional_marks"] += not strange.isdisjoint(_BIDIRECTIONAL)
            self.oddities["control_characters"] += any(letter < " " or "\x7f" <= letter < "\xa0" for letter in strange)


def preview_file(path: Path, options: ImportOptions) -> Preview:
    """Read a file and say what was understood; nothing is published and nothing is written.

    The file is streamed: once for encoding and hash, once for its rows, and from the start again when a cell settles
    the order of dates or the decimal mark. Raises Rejected when no row can be read at all.
    """
    text = examine(
        path,
        declared=_first(options.encoding, options.mapping.encoding if options.mapping else ""),
        file_bytes_max=options.file_bytes_max,
    )
    layout = recognise(text, options)
    reading, evidence = _declared(options), _declared_evidence(options)
    while True:
        tally = _Tally()
        stream = OutcomeStream(text, layout, reading, options)
        for outcome in stream:
            if isinstance(outcome, ParsedRow):
                tally.row(outcome)
            elif isinstance(outcome, RowProblem):
                tally.problem(outcome)
            else:
                tally.skipped[outcome] += 1
        if stream.proof is None:
            tally.oddities["nul_removed"] = stream.nul_removed
            return _preview(text, layout, reading, options, evidence, tally)
        reading, evidence = _settled(reading, evidence, stream.proof)


def _declared(options: ImportOptions) -> Reading:
    mapping = options.mapping
    return Reading(
        zone=_first(options.zone, mapping.zone if mapping else ""),
        date_order=options.date_order or (mapping.date_order if mapping else None),
        date_format=_first(options.date_format, mapping.date_format if mapping else ""),
        decimal_mark=options.decimal_mark or (mapping.decimal_mark if mapping else None),
        duration_unit=options.duration_unit or (mapping.duration_unit if mapping else None),
        serial_dates=options.serial_dates or (mapping.serial_dates if mapping else None),
        person=options.person,
        currency=mapping.currency if mapping else "",
    )


def _first(*values: str) -> str:
    return next((value for value in values if value), "")


def _declared_evidence(options: ImportOptions) -> Evidence:
    declared = _declared(options)
    order = declared.date_format or (declared.date_order.value if declared.date_order else "")
    mark = declared.decimal_mark.value if declared.decimal_mark else ""
    default = Evidence()
    return Evidence(
        date_order=f"{order}: declared" if order else default.date_order,
        decimal_mark=f"{mark}: declared" if mark else default.decimal_mark,
    )


def _settled(reading: Reading, evidence: Evidence, found: ProofAt) -> tuple[Reading, Evidence]:
    settles = found.proof.settles
    why = f"{settles.value}: proved by line {found.line}, column {found.proof.column}: {found.proof.value[:60]}"
    if isinstance(settles, DateOrder):
        return replace(reading, date_order=settles, proved_order=True), replace(evidence, date_order=why)
    return replace(reading, decimal_mark=settles, proved_mark=True), replace(evidence, decimal_mark=why)


def _preview(
    text: FileText, layout: Layout, reading: Reading, options: ImportOptions, evidence: Evidence, tally: _Tally
) -> Preview:
    questions = _questions(tally)
    blocked = any(question.whole_file for question in questions)
    refused, asked = tally.verdicts[Verdict.REFUSED], tally.verdicts[Verdict.ASKED]
    counts = Counts(
        rows=tally.accepted + refused + asked,
        accepted=0 if blocked else tally.accepted,
        refused=refused,
        asked=asked + (tally.accepted if blocked else 0),
        skipped=dict(tally.skipped),
    )
    has_rows = tally.accepted > 0
    date_from = options.date_from or (tally.first_day if has_rows else None)
    date_to = options.date_to or (tally.last_day + timedelta(days=1) if has_rows else None)
    people = options.people or tuple(sorted(tally.people))
    headers = layout.plan.currencies if layout.plan else ()
    return Preview(
        text=text,
        layout=layout,
        reading=reading,
        options=options,
        evidence=evidence,
        counts=counts,
        people={
            name: PersonTotal(rows=rows, worked_seconds=total) for name, (rows, total) in sorted(tally.people.items())
        },
        clients=tuple(sorted(tally.clients)),
        projects=tuple(sorted(tally.projects)),
        scope_people=people,
        date_from=date_from,
        date_to=date_to,
        scope_declared=bool(options.people) and options.date_from is not None,
        problems=tuple(tally.problems),
        problem_counts=dict(sorted(tally.codes.items())),
        held_counts=dict(sorted(tally.held.items())),
        questions=questions,
        warnings=tuple(f"{count} {_WARNINGS[name]}" for name, count in sorted(tally.oddities.items()) if count),
        currencies=tuple(sorted({*headers, *tally.currencies})),
        import_id=_import_id(text, layout, reading, options, people, date_from, date_to),
    )


def _questions(tally: _Tally) -> tuple[Question, ...]:
    asked = [(code, problem) for code, problem in tally.first_of.items() if problem.verdict is Verdict.ASKED]
    return tuple(
        Question(
            code=code,
            sentence=problem.sentence,
            flag=problem.flag,
            rows=tally.codes[code],
            line=problem.line,
            value=problem.value,
            whole_file=REASONS[code].whole_file,
        )
        for code, problem in asked
    )


def _import_id(
    text: FileText,
    layout: Layout,
    reading: Reading,
    options: ImportOptions,
    people: tuple[str, ...],
    date_from: date | None,
    date_to: date | None,
) -> str:
    """The same bytes read in the same way for the same scope are the same import."""
    return deterministic_id(
        "import",
        {
            "file_hash": text.file_hash,
            "source": layout.source,
            "account": options.account,
            "people": people,
            "date_from": date_from,
            "date_to": date_to,
            "zone": reading.zone,
            "date_order": reading.date_order,
            "date_format": reading.date_format,
            "decimal_mark": reading.decimal_mark,
            "duration_unit": reading.duration_unit,
            "serial_dates": reading.serial_dates,
            "person": reading.person,
            "mapping": options.mapping.model_dump_json() if options.mapping else "",
        },
    )


def _note(names: dict[str, None], name: str) -> None:
    if name and len(names) < NAMES_SHOWN:
        names[name] = None
