"""Clauses about money beside the hour: discounts, milestones, recurring and usage fees, minimum, deposits, held money.

All amounts are in the contract's currency. What a sentence of a contract leaves open must be stated here: a missing
member is an error that asks the question, never a default that somebody would have to know.
"""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from schemas.dated import Agreed, AmountNotNegative, DatedRow, Identifier
from schemas.engagement import AmountAboveZero, Prorate
from schemas.money import exponent
from schemas.values import DecimalText, LocalDate

Percent = Annotated[DecimalText, Field(gt=0, le=100)]


class Counts(StrEnum):
    """Which charges a discount or a minimum looks at.

    `fees` are charges for time; `all_fees` are these and every fee agreed beside them (fixed, retainer, milestone,
    recurring, usage); `everything` is all fees and expenses with their mark-up. Deposits never count: they are an
    advance on what counts already.
    """

    FEES = "fees"
    ALL_FEES = "all_fees"
    EXPENSES = "expenses"
    FEES_AND_EXPENSES = "fees_and_expenses"
    EVERYTHING = "everything"

    @property
    def time(self) -> bool:
        """Whether charges for time count."""
        return self is not Counts.EXPENSES

    @property
    def agreed_fees(self) -> bool:
        """Whether fees beside the hours count."""
        return self in (Counts.ALL_FEES, Counts.EVERYTHING)

    @property
    def expenses(self) -> bool:
        """Whether expenses and their mark-up count."""
        return self in (Counts.EXPENSES, Counts.FEES_AND_EXPENSES, Counts.EVERYTHING)


class DiscountLevel(StrEnum):
    """Whether each line is reduced by itself, or the invoice as a whole and the sum spread over the lines."""

    LINE = "line"
    INVOICE = "invoice"


class DiscountShown(StrEnum):
    """Whether a discount stands in the adjustment of the lines it reduces, or on a line of its own."""

    INCLUDED = "included"
    SEPARATE = "separate"


class Discount(DatedRow):
    """A reduction of the price, before amount caps and tax (BD-48). It is valid when the last day of the period is.

    `counts` must be stated. Lists select charges: service items, projects, tasks, people and roles select time (the
    first two other fees as well), expense categories select expenses; an empty list means all.
    """

    id: Identifier
    name: str = ""
    level: DiscountLevel = DiscountLevel.INVOICE
    percent: Percent | None = None
    amount: AmountAboveZero | None = None
    counts: Counts
    service_items: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    expense_categories: tuple[str, ...] = ()
    show: DiscountShown = DiscountShown.INCLUDED

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.percent is None) == (self.amount is None):
            raise ValueError("a discount has a percent or an amount: which of them?")
        if self.amount is not None and self.level is DiscountLevel.LINE:
            raise ValueError("a fixed discount is given on the invoice and spread over its lines; use level 'invoice'")
        if self.expense_categories and not self.counts.expenses:
            raise ValueError("expense_categories are named, but `counts` leaves expenses out: do they count?")
        if self.counts is Counts.EXPENSES and (self.service_items or self.tasks or self.people or self.roles):
            raise ValueError("service items, tasks, people and roles select fees, and this discount is on expenses")
        return self


class MilestoneDue(StrEnum):
    """What makes a milestone billable: its date, or an entry of kind `milestone` that says it was accepted."""

    DATE = "date"
    ACCEPTANCE = "acceptance"


class Milestone(Agreed):
    """A part of a fixed price: its percent, amount or share, and what makes it due."""

    id: Identifier
    name: str = ""
    percent: Percent | None = None
    amount: AmountAboveZero | None = None
    share: int | None = Field(default=None, ge=1, le=1_000_000)
    due: MilestoneDue
    on: LocalDate | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if sum(one is not None for one in (self.percent, self.amount, self.share)) != 1:
            raise ValueError("a milestone has a percent, an amount or a share: which of them?")
        if (self.due is MilestoneDue.DATE) != (self.on is not None):
            raise ValueError("a milestone that is due at a date says `on`, one that is due by acceptance does not")
        return self

    @property
    def title(self) -> str:
        """The name for people."""
        return self.name or self.id


class MilestonePlan(Agreed):
    """A fixed price in parts (BD-43, BD-44). Each part is its rounded share, the last one what is left of the total.

    An entry of kind `milestone` completes the part whose id or name its task says, or its service item where it has no
    task; with a `project` only entries of that project do. Completed twice is completed once.
    """

    id: Identifier
    name: str = ""
    total: AmountAboveZero
    project: str = ""
    service_item: str = ""
    parts: Annotated[tuple[Milestone, ...], Field(min_length=1, max_length=200)]

    @model_validator(mode="after")
    def _parts_are_the_whole(self) -> Self:
        if len({one.id for one in self.parts}) != len(self.parts):
            raise ValueError("two milestones have one id")
        names = [word.casefold() for one in self.parts for word in {one.id, one.title}]
        if len(set(names)) != len(names):
            raise ValueError("two milestones have one name, so their completion could not be told apart")
        kinds = {(one.percent is None, one.amount is None, one.share is None) for one in self.parts}
        if len(kinds) != 1:
            raise ValueError("the milestones of one plan all have percents, all amounts, or all shares")
        percent = sum((one.percent for one in self.parts if one.percent is not None), Decimal(0))
        if self.parts[0].percent is not None and percent != 100:
            raise ValueError(f"the milestones add up to {percent:f} %: what is the rest of the price for?")
        amount = sum((one.amount for one in self.parts if one.amount is not None), Decimal(0))
        if self.parts[0].amount is not None and amount != self.total:
            raise ValueError(f"the milestones add up to {amount:f}, the price is {self.total:f}: which is right?")
        return self

    @property
    def title(self) -> str:
        """The name for people."""
        return self.name or self.id


class DepositDeduction(StrEnum):
    """Where an invoiced deposit is deducted: from one milestone, or from the next invoices until it is used up."""

    MILESTONE = "milestone"
    NEXT_INVOICES = "next_invoices"


class Deposit(Agreed):
    """An advance that is invoiced on a date and deducted later as a line (BD-43). Money held is `money_retainer`.

    `percent` is one of the plan's total. `deduct_from` must be stated; without `milestone` it is the plan's last one.
    """

    id: Identifier
    name: str = ""
    plan: str = ""
    percent: Percent | None = None
    amount: AmountAboveZero | None = None
    on: LocalDate
    deduct_from: DepositDeduction
    milestone: str = ""
    service_item: str = ""
    project: str = ""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.percent is None) == (self.amount is None):
            raise ValueError("a deposit has a percent or an amount: which of them?")
        if self.percent is not None and not self.plan:
            raise ValueError("a deposit in percent names the plan whose price it is a part of")
        if self.deduct_from is DepositDeduction.MILESTONE and not self.plan:
            raise ValueError("a deposit deducted from a milestone names the plan: which milestones?")
        if self.milestone and self.deduct_from is not DepositDeduction.MILESTONE:
            raise ValueError("a deposit names a milestone and is deducted from the next invoices: which of both?")
        return self

    @property
    def title(self) -> str:
        """The name for people."""
        return self.name or self.id


class FixedFee(Agreed):
    """A fee that is charged once, on the invoice of the period with its date. What it pays for is `fixed_cover`."""

    id: Identifier
    name: str = ""
    amount: AmountNotNegative
    on: LocalDate
    service_item: str = ""
    project: str = ""

    @property
    def title(self) -> str:
        """The name for people."""
        return self.name or self.id


class Every(StrEnum):
    """The calendar span of a recurring fee."""

    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


class BilledAt(StrEnum):
    """Whether a span is on the invoice of the period with its first day (in advance) or its last (in arrears)."""

    START = "start"
    END = "end"


class RecurringFee(DatedRow):
    """A fee for each span of the calendar; dated rows of one id are one fee whose price changes.

    `billed_at` must be stated. A span that is not covered whole is charged by `prorate`, or by the contract's setting;
    without proration it costs what the row valid on its first covered day says.
    """

    id: Identifier
    name: str = ""
    amount: AmountNotNegative
    every: Every
    billed_at: BilledAt
    prorate: Prorate | None = None
    service_item: str = ""
    project: str = ""

    @property
    def title(self) -> str:
        """The name for people."""
        return self.name or self.id


class PartialPackage(StrEnum):
    """Whether a started package costs all of its price or its part."""

    FULL = "full"
    PRO_RATA = "pro_rata"


class UsageReset(StrEnum):
    """Whether the included units are there for each period or once for the contract."""

    PERIOD = "period"
    CONTRACT = "contract"


class UsageFee(DatedRow):
    """A fee for counted units: some included, the rest in packages (BD-47). It is valid by its period's last day.

    Entries of kind `usage` belong to it whose category is the `meter`, or their service item where they have none.
    """

    id: Identifier
    name: str = ""
    meter: str = Field(min_length=1)
    unit: str = "unit"
    included_units: AmountNotNegative = Decimal(0)
    package_units: AmountAboveZero = Decimal(1)
    price: AmountNotNegative
    partial_package: PartialPackage = PartialPackage.FULL
    reset: UsageReset = UsageReset.PERIOD
    service_item: str = ""
    project: str = ""

    @property
    def title(self) -> str:
        """The name for people."""
        return self.name or self.id


class Shortfall(StrEnum):
    """What happens when a minimum is not reached: it is billed at once, or carried to be made up later."""

    BILL = "bill"
    CARRY = "carry"


class Minimum(DatedRow):
    """The least that a billing period costs (BD-49). What counts, and what a shortfall does, must be stated.

    A carried shortfall is made up by what later periods have above their minimum, oldest first; what is still open
    `carry_periods` periods later, or when the contract ends, is billed there.
    """

    id: Identifier = "minimum"
    name: str = ""
    amount: AmountAboveZero
    every: Every
    counts: Counts
    shortfall: Shortfall
    carry_periods: int | None = Field(default=None, ge=1, le=60)
    prorate: Prorate | None = None
    service_item: str = ""

    @field_validator("counts")
    @classmethod
    def _counts_fees(cls, counts: Counts) -> Counts:
        if counts is Counts.EXPENSES:
            raise ValueError("a minimum counts fees: with or without fixed fees and expenses?")
        return counts

    @model_validator(mode="after")
    def _carries_for_a_while(self) -> Self:
        if (self.shortfall is Shortfall.CARRY) != (self.carry_periods is not None):
            raise ValueError("a carried shortfall says for how many periods (carry_periods), a billed one does not")
        return self

    @property
    def title(self) -> str:
        """The name for people."""
        return self.name or "Minimum commitment"


class MoneyReceived(Agreed):
    """Money of the client that arrived and may be used from a date on; `reference` is its mark at the bank."""

    on: LocalDate
    amount: AmountAboveZero
    reference: str = ""


class HeldMoney(Agreed):
    """Money of the client that the firm holds without an invoice: a prepayment, a money retainer or trust (BD-40).

    Invoices are paid from it, never below zero. When an invoice leaves less than `threshold`, a request asks for what
    is missing to `target`; a prepayment has neither and is simply used up.
    """

    id: Identifier
    name: str = ""
    threshold: AmountNotNegative | None = None
    target: AmountAboveZero | None = None
    received: tuple[MoneyReceived, ...] = ()

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.threshold is None) != (self.target is None):
            raise ValueError("a threshold and a target belong together: below what is how much asked for?")
        if self.threshold is not None and self.target is not None and self.target < self.threshold:
            raise ValueError(f"the target {self.target:f} is below the threshold {self.threshold:f}")
        return self


def has_places(amount: Decimal, currency: str) -> bool:
    """Whether an amount can be written in a currency without rounding."""
    return amount == round(amount, exponent(currency))


def check_plans(plans: tuple[MilestonePlan, ...], deposits: tuple[Deposit, ...]) -> None:
    """Raise ValueError when plans and deposits do not fit together: unknown names, or more deducted than there is."""
    by_id = {plan.id: plan for plan in plans}
    if len(by_id) != len(plans) or len({one.id for one in deposits}) != len(deposits):
        raise ValueError("two milestone plans or two deposits have one id")
    if len(plans) > 1 and len({plan.project for plan in plans}) != len(plans):
        raise ValueError("several milestone plans each name another project, so that completions can be told apart")
    for one in deposits:
        plan = by_id.get(one.plan)
        if one.plan and plan is None:
            raise ValueError(f"deposit {one.id!r} names the plan {one.plan!r}, which the contract does not have")
        if one.milestone and plan is not None and one.milestone not in {part.id for part in plan.parts}:
            raise ValueError(f"deposit {one.id!r} names the milestone {one.milestone!r}, which its plan does not have")
    for plan in plans:
        for part in plan.parts:
            _check_deducted(plan, part, deposits)


def _check_deducted(plan: MilestonePlan, part: Milestone, deposits: tuple[Deposit, ...]) -> None:
    """A milestone is worth what is deducted from it, or its invoice would ask the firm to pay."""
    mine = [
        one
        for one in deposits
        if one.deduct_from is DepositDeduction.MILESTONE
        and one.plan == plan.id
        and (one.milestone or plan.parts[-1].id) == part.id
    ]
    deducted = sum((one.amount or (one.percent or Decimal(0)) * plan.total / 100 for one in mine), Decimal(0))
    if mine and deducted > _worth(plan, part):
        names = ", ".join(one.id for one in mine)
        raise ValueError(f"more than milestone {part.id!r} is worth is deducted from it ({names}): where does it go?")


def _worth(plan: MilestonePlan, part: Milestone) -> Decimal:
    """The price of a milestone, near enough to compare it with a deposit."""
    if part.amount is not None:
        return part.amount
    if part.percent is not None:
        return plan.total * part.percent / 100
    return plan.total * (part.share or 0) / sum(one.share or 0 for one in plan.parts)


def check_money(currency: str, amounts: dict[str, Decimal | None]) -> None:
    """Raise ValueError when an agreed amount has more decimals than its currency; it could not be billed as agreed."""
    for name, amount in amounts.items():
        if amount is not None and not has_places(amount, currency):
            raise ValueError(f"{name} of {amount:f} has more decimals than {currency} has")
