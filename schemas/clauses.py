"""The clauses a contract is made of: increments, premiums, caps, lines, expenses, taxes, exchange, close, decisions."""

import re
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from schemas.charges import Counts
from schemas.dated import (
    Agreed,
    AmountNotNegative,
    Currency,
    DatedRate,
    DatedRow,
    Identifier,
)
from schemas.inputs import Category
from schemas.money import MoneyRounding
from schemas.values import DecimalText, LocalDate, Value


class IncrementMode(StrEnum):
    """Which way worked time goes to a whole increment; a tie of `nearest` goes up."""

    UP = "up"
    NEAREST = "nearest"
    DOWN = "down"


class IncrementScope(StrEnum):
    """What is rounded as a whole (BD-03, BD-75)."""

    ENTRY = "entry"
    DAY = "day"
    LINE = "line"
    PERIOD = "period"


class IncrementRule(DatedRow):
    """Rounding of worked time; `minimum_minutes` comes after the rounding and is not rounded itself (BD-05)."""

    minutes: Literal[0, 1, 5, 6, 10, 15, 30, 60] = 0
    mode: IncrementMode = IncrementMode.UP
    scope: IncrementScope = IncrementScope.ENTRY
    minimum_minutes: int = Field(default=0, ge=0, le=1440)
    tolerance_minutes: int = Field(default=0, ge=0, le=59)
    ignore_seconds: bool = False

    @model_validator(mode="after")
    def _tolerance_fits(self) -> Self:
        if self.tolerance_minutes and (self.mode is not IncrementMode.UP or self.tolerance_minutes >= self.minutes):
            raise ValueError("a tolerance needs mode 'up' and must be shorter than the increment")
        return self


class ContractRate(DatedRate):
    """A price of an hour in the contract: of a person, of a role on a service item, of a role, or of everybody."""

    person: str = ""
    role: str = ""
    service_item: str = ""

    @model_validator(mode="after")
    def _one_level(self) -> Self:
        if self.person and (self.role or self.service_item):
            raise ValueError("a rate of a person names neither role nor service item")
        if self.service_item and not self.role:
            raise ValueError("a rate for a service item also names the role")
        return self


class BlendedRate(DatedRate):
    """One price for all roles, or for the named ones; it replaces their standard rates, which stay visible (BD-17).

    Whether premiums multiply it must be stated when the contract has premiums.
    """

    roles: tuple[str, ...] = ()
    premiums_apply: bool | None = None


_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")


def clock_span(text: str) -> tuple[int, int]:
    """Read `09:00-18:00` as seconds of the local day `[from, to)`; ValueError when it is no such span."""
    match = _HOURS.fullmatch(text)
    first, last = (0, 0) if match is None else (_seconds(match[1], match[2]), _seconds(match[3], match[4]))
    if not first < last <= 86_400:
        raise ValueError(f"not a span of a day: {text!r} (for example 09:00-18:00)")
    return first, last


def _seconds(hour: str, minute: str) -> int:
    return int(hour) * 3600 + int(minute) * 60


def _is_clock_span(text: str) -> str:
    if text:
        clock_span(text)
    return text


ClockSpan = Annotated[str, AfterValidator(_is_clock_span)]


class Weekday(StrEnum):
    """A day of the local week."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


class Premium(DatedRow):
    """A multiplier of the rate for time that meets every stated condition; below 1 it is a reduction (BD-18).

    `outside` and `inside` are spans of the local day, `weekdays` and `holidays` choose local dates; tags, service items
    and tasks are met when the entry has one of those named.
    """

    id: Identifier
    name: str = ""
    factor: Annotated[DecimalText, Field(gt=0)]
    outside: ClockSpan = ""
    inside: ClockSpan = ""
    weekdays: tuple[Weekday, ...] = ()
    holidays: bool = False
    tags: tuple[str, ...] = ()
    service_items: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _has_a_condition(self) -> Self:
        if self.outside and self.inside:
            raise ValueError("a premium names 'outside' or 'inside', not both")
        if not (self.is_timed or self.weekdays or self.holidays or self.tags or self.service_items or self.tasks):
            raise ValueError("a premium needs a condition; for all time, change the rate")
        return self

    @property
    def is_timed(self) -> bool:
        """Whether the premium asks for the time of day."""
        return bool(self.outside or self.inside)


class PremiumStacking(StrEnum):
    """What happens when several premiums meet the same time."""

    HIGHEST = "highest"
    COMPOUND = "compound"


class DayAttribution(StrEnum):
    """Whether an entry across midnight belongs to its first day or to both."""

    START = "start"
    SPLIT = "split"


class CapPool(StrEnum):
    """Who shares the hours of a cap."""

    PERSON = "person"
    ROLE = "role"
    ALL = "all"


class CapWindow(StrEnum):
    """The span in which a cap counts, from narrow to wide."""

    ENTRY = "entry"
    TASK = "task"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    DATES = "dates"
    PROJECT = "project"
    CONTRACT = "contract"


class CapBasis(StrEnum):
    """Whether a cap counts rounded or worked time (BD-34)."""

    BILLABLE = "billable"
    WORKED = "worked"


class Overflow(StrEnum):
    """Where time above a cap goes."""

    WRITE_DOWN = "write_down"
    CARRY_FORWARD = "carry_forward"
    OVERAGE_RATE = "overage_rate"
    HOLD_FOR_APPROVAL = "hold_for_approval"


class WeekAtMonthEnd(StrEnum):
    """Whether a week that crosses a month end is one window or two with their share of the workdays (BD-30, BD-31)."""

    WHOLE_WEEK = "whole_week"
    PRORATE_BY_WORKDAY = "prorate_by_workday"


class CapScope(DatedRow):
    """The time a cap speaks about; an empty list means all."""

    id: Identifier
    name: str = ""
    roles: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    service_items: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    window: CapWindow
    window_from: LocalDate | None = None
    window_to: LocalDate | None = None

    @model_validator(mode="after")
    def _dates_are_given(self) -> Self:
        if self.window is CapWindow.DATES:
            if self.window_from is None or self.window_to is None or self.window_to <= self.window_from:
                raise ValueError("the window 'dates' needs window_from and a later window_to (not included)")
        elif self.window_from is not None or self.window_to is not None:
            raise ValueError("window_from and window_to belong to the window 'dates'")
        return self


class Cap(CapScope):
    """A limit of hours. Without a stated pool the contract is incomplete and its entries are held (BD-33).

    Several dated rows of one id are one cap whose limit changes: at each moment the limit of the work date counts.
    """

    hours: AmountNotNegative
    pool: CapPool | None = None
    overflow: Overflow = Overflow.HOLD_FOR_APPROVAL
    overage_rate: AmountNotNegative | None = None
    basis: CapBasis = CapBasis.BILLABLE
    thresholds: tuple[int, ...] = (50, 80, 100)
    rearm: bool = False
    week_cap_at_month_end: WeekAtMonthEnd = WeekAtMonthEnd.WHOLE_WEEK

    @field_validator("hours")
    @classmethod
    def _whole_seconds(cls, hours: Decimal) -> Decimal:
        if hours * 3600 % 1:
            raise ValueError(f"a limit must be a whole number of seconds: {hours} h")
        return hours

    @field_validator("thresholds")
    @classmethod
    def _rising(cls, thresholds: tuple[int, ...]) -> tuple[int, ...]:
        if list(thresholds) != sorted(set(thresholds)) or any(not 0 < one <= 1000 for one in thresholds):
            raise ValueError("thresholds are rising percentages between 1 and 1000")
        return thresholds

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.overflow is Overflow.OVERAGE_RATE) != (self.overage_rate is not None):
            raise ValueError("overflow 'overage_rate' and an overage_rate belong together")
        if self.overflow is Overflow.CARRY_FORWARD and self.window not in _REPEATING:
            raise ValueError("carry_forward needs a window that comes again: day, week or month")
        if self.week_cap_at_month_end is WeekAtMonthEnd.PRORATE_BY_WORKDAY and self.window is not CapWindow.WEEK:
            raise ValueError("prorate_by_workday belongs to the window 'week'")
        if self.window is CapWindow.ENTRY and self.pool is not CapPool.ALL:
            raise ValueError("a cap per entry has the pool 'all'")
        return self


_REPEATING = frozenset({CapWindow.DAY, CapWindow.WEEK, CapWindow.MONTH})


class AmountCap(CapScope):
    """A limit of money ("not to exceed"). It reduces the price of the latest work first, never the time (BD-27, BD-28).

    What counts must be stated, and in a contract with taxes whether the limit includes them. Agreed fees that count
    take their room first and are not reduced. People, roles, service items and tasks select fees for time only.
    """

    amount: AmountNotNegative
    counts: Counts
    includes_tax: bool | None = None
    overflow: Literal["write_down"] = "write_down"

    @model_validator(mode="after")
    def _covers_what_it_selects(self) -> Self:
        selects_time = bool(self.people or self.roles or self.service_items or self.tasks)
        if self.counts.agreed_fees and selects_time:
            raise ValueError("an amount cap on all fees cannot be limited to people, roles, service items or tasks")
        if self.counts.expenses and (self.roles or self.service_items or self.tasks):
            raise ValueError("an amount cap that counts expenses cannot be limited to roles, service items or tasks")
        return self


class AmountBasis(StrEnum):
    """Whether the amount is made from exact seconds or from the quantity as shown (BD-08)."""

    EXACT = "exact"
    DISPLAYED = "displayed"


class Rounding(Agreed):
    """From time to money: the basis, the shown decimals of a quantity, and ties."""

    amount_basis: AmountBasis = AmountBasis.EXACT
    quantity_decimals: int | None = Field(default=None, ge=0, le=6)
    money_rounding: MoneyRounding = MoneyRounding.HALF_UP

    @model_validator(mode="after")
    def _decimals_are_stated(self) -> Self:
        if self.amount_basis is AmountBasis.DISPLAYED and self.quantity_decimals is None:
            raise ValueError("amount_basis 'displayed' needs quantity_decimals")
        return self


class GroupBy(StrEnum):
    """What separates one line from the next; price, tax and task codes always do."""

    PROJECT = "project"
    SERVICE_ITEM = "service_item"
    TASK = "task"
    PERSON = "person"
    ROLE = "role"
    DATE = "date"
    ENTRY = "entry"


class RollupRates(StrEnum):
    """How a roll-up shows several prices (BD-50)."""

    PRESERVE = "preserve"
    AVERAGE = "average"
    LUMP = "lump"


class Rollup(Agreed):
    """Time with one of these tags, items, tasks, projects or words appears under one text; the first match wins."""

    id: Identifier
    text: str = Field(min_length=1)
    tags: tuple[str, ...] = ()
    service_items: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    rates: RollupRates = RollupRates.PRESERVE

    @model_validator(mode="after")
    def _matches_something(self) -> Self:
        if not (self.tags or self.service_items or self.tasks or self.projects or self.words):
            raise ValueError("a roll-up needs something to match")
        return self


class InvoiceLines(Agreed):
    """How time becomes lines."""

    group_by: tuple[GroupBy, ...] = (GroupBy.PROJECT, GroupBy.SERVICE_ITEM, GroupBy.PERSON, GroupBy.ROLE)
    rollups: tuple[Rollup, ...] = ()

    @model_validator(mode="after")
    def _ids_once(self) -> Self:
        ids = [rollup.id for rollup in self.rollups]
        if len(set(ids)) != len(ids):
            raise ValueError("two roll-ups have one id")
        return self


class Markup(DatedRow):
    """Percent on the cost of one category of expenses; an empty category is all that no other row names."""

    category: str = ""
    percent: AmountNotNegative
    utbms_code: str = ""


class ShowMarkup(StrEnum):
    """Whether mark-up is inside the expense lines or a line of its own (BD-45)."""

    INCLUDED = "included"
    SEPARATE = "separate"


class ExpenseTerms(Agreed):
    """Expenses: mark-up by category and expense date, and the categories the contract does not pay."""

    markups: tuple[Markup, ...] = ()
    show_markup: ShowMarkup = ShowMarkup.INCLUDED
    not_billable: tuple[str, ...] = ()


class TaxedKind(StrEnum):
    """The kinds of lines a tax rule can name."""

    FEE = "fee"
    EXPENSE = "expense"


class TaxRule(DatedRow):
    """A tax category and percentage. The first rule that matches a line counts; mark-up is taxed as its expense.

    Dates are compared with the last day of the period. A rate of zero needs a reason text.
    """

    kinds: tuple[TaxedKind, ...] = ()
    service_items: tuple[str, ...] = ()
    expense_categories: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()
    category: str = Field(min_length=1)
    percent: AmountNotNegative
    reason: str = ""

    @model_validator(mode="after")
    def _zero_has_a_reason(self) -> Self:
        if self.percent == 0 and not self.reason:
            raise ValueError("a tax of 0 % needs a reason text, for example 'Reverse charge'")
        return self


class TaxRounding(StrEnum):
    """Tax on the sum of the lines, or on each line (BD-53)."""

    DOCUMENT = "document"
    LINE = "line"


class FxDate(StrEnum):
    """The day whose exchange rate converts fees; an expense always uses its own day (BD-46, BD-55, BD-79)."""

    INVOICE = "invoice"
    WORK = "work"
    PERIOD_END = "period_end"
    CONTRACT_RATE = "contract_rate"


class AgreedRate(DatedRow):
    """An exchange rate written into the contract: one unit of `base` costs `rate` units of the contract's currency."""

    base: Currency
    rate: Annotated[DecimalText, Field(gt=0)]


class ExchangeTerms(Agreed):
    """Conversion of rates in another currency.

    `fallback_days` allows the newest rate of that many days before, for weekends; by default none.
    """

    fx_date: FxDate = FxDate.INVOICE
    contract_rates: tuple[AgreedRate, ...] = ()
    rate_source: str = ""
    fallback_days: int = Field(default=0, ge=0, le=10)

    @model_validator(mode="after")
    def _agreed_rate_is_given(self) -> Self:
        if self.fx_date is FxDate.CONTRACT_RATE and not self.contract_rates:
            raise ValueError("fx_date 'contract_rate' needs contract_rates")
        return self


class ClosePeriod(StrEnum):
    """How long a billing period is."""

    WEEK = "week"
    MONTH = "month"


class CloseSchedule(Agreed):
    """When a period is closed by itself, what is waited for, and how long a missing decision is waited for.

    `close_grace_days` are calendar days in the contract's zone after the period's end (BD-80).
    """

    every: ClosePeriod = ClosePeriod.MONTH
    automatic: bool = False
    close_grace_days: int = Field(default=3, ge=0, le=60)
    wait_for: tuple[str, ...] = ()
    decision_wait_hours: int = Field(default=24, ge=0, le=720)


class UtbmsSet(StrEnum):
    """A set of UTBMS task codes: litigation, project, counselling."""

    LITIGATION = "L"
    PROJECT = "P"
    COUNSELLING = "C"


class MatterFacts(Value):
    """What e-billing needs to know about the matter."""

    id: str = Field(min_length=1, max_length=20)
    client_matter_id: str = Field(default="", max_length=20)
    name: str = ""
    code_sets: tuple[UtbmsSet, ...] = ()
    codes_required: bool = False


class NamedProject(Value):
    """A project as people call it in their notes."""

    name: str = Field(min_length=1)
    aliases: tuple[str, ...] = ()


class ContractRule(Value):
    """An entry that meets every stated condition is what the contract says it is; `review` sends it to a person."""

    id: Identifier
    tags: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    service_items: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    source_billable: bool | None = None
    category: Category | None = None
    service_item: str = ""
    utbms_task: str = ""
    utbms_activity: str = ""
    review: bool = False
    clause: str = ""

    @field_validator("category")
    @classmethod
    def _known(cls, category: Category | None) -> Category | None:
        if category is Category.UNKNOWN:
            raise ValueError("a category is billable, non_billable, retainer or project")
        return category

    @model_validator(mode="after")
    def _matches_something(self) -> Self:
        named = self.tags or self.projects or self.tasks or self.service_items or self.words
        if not named and self.source_billable is None:
            raise ValueError("a contract rule needs something to match")
        return self


class DeciderFacts(Value):
    """What decides the category of an entry besides its text: covered work, excluded work, projects, rules.

    `hourly` says that work which nothing else claims is billed by the hour; `confidence_min` is what a decision needs.
    """

    covers: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    non_billable: tuple[str, ...] = ()
    review: tuple[str, ...] = ()
    projects: tuple[NamedProject, ...] = ()
    rules: tuple[ContractRule, ...] = ()
    guidelines: tuple[str, ...] = ()
    service_items: tuple[str, ...] = ()
    hourly: bool = True
    confidence_min: Annotated[DecimalText, Field(ge=0, le=1)] = Decimal("0.80")


class Leave(StrEnum):
    """What may leave the house by itself."""

    DRAFT = "draft"
    APPROVED = "approved"


class DeliveryPolicy(Agreed):
    """A sink of this client, and from which state on a document goes there: as a draft at once, or after approval."""

    sink: Identifier
    leave: Leave = Leave.APPROVED
