"""The contract language: what a client and a firm agreed, as one validated document that is dated inside.

Every setting of the billing rules has its place here. What this version does not bill is refused where it stands
("not yet: ..."), never ignored. A cap without a pool is accepted, and its contract's entries are held.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Literal, Self, TypeVar

from pydantic import ConfigDict, Field, ValidationInfo, field_validator, model_validator

from schemas.clauses import (
    AmountCap,
    BlendedRate,
    Cap,
    CapScope,
    CloseSchedule,
    ContractRate,
    DayAttribution,
    DeciderFacts,
    DeliveryPolicy,
    ExchangeTerms,
    ExpenseTerms,
    IncrementRule,
    InvoiceLines,
    MatterFacts,
    Premium,
    PremiumStacking,
    Rounding,
    TaxRounding,
    TaxRule,
)
from schemas.dated import Currency, Identifier, ZoneName, not_yet, refuse_overlaps
from schemas.values import Value
from schemas.worked import WorkedExample

_REFUSED = {
    "retainers": "a retainer",
    "prepaid_blocks": "a prepaid block of hours",
    "money_retainer": "a money retainer",
    "tiers": "tiered pricing",
    "fixed_fees": "a fixed fee",
    "milestones": "milestone billing",
    "deposits": "a deposit",
    "recurring_fees": "a recurring fee",
    "usage_fees": "a usage fee",
    "discounts": "a discount",
    "minimum": "a minimum commitment",
    "prorate": "proration of a started period",
    "trust": "trust money",
}


class ContractDocument(Value):
    """A contract of one client, for all its work or for one project, valid on the local work dates `[from, to)`.

    `clauses` keeps the agreement's words for settings that stand here by themselves (`payment_terms_days: § 7`);
    all other parts have a `clause` of their own. `examples` are worked examples that are checked at every load.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    id: Identifier
    client: Identifier
    name: str = ""
    project: str = ""
    matter: MatterFacts | None = None
    currency: Currency
    zone: ZoneName
    week_start: Literal["monday"] = "monday"
    holidays: tuple[date, ...] = ()
    date_from: date | None = Field(default=None, alias="from")
    date_to: date | None = Field(default=None, alias="to")

    rates: tuple[ContractRate, ...] = ()
    blended: tuple[BlendedRate, ...] = ()
    increments: tuple[IncrementRule, ...] = ()
    premiums: tuple[Premium, ...] = ()
    premium_stacking: PremiumStacking = PremiumStacking.HIGHEST
    day_attribution: DayAttribution = DayAttribution.START
    caps: tuple[Cap, ...] = ()
    amount_caps: tuple[AmountCap, ...] = ()
    rounding: Rounding = Rounding()
    lines: InvoiceLines = InvoiceLines()
    expenses: ExpenseTerms = ExpenseTerms()
    taxes: tuple[TaxRule, ...] = ()
    tax_rounding: TaxRounding = TaxRounding.DOCUMENT
    exchange: ExchangeTerms = ExchangeTerms()
    payment_terms_days: int = Field(default=30, ge=0, le=365)
    close: CloseSchedule = CloseSchedule()
    decide: DeciderFacts = DeciderFacts()
    delivery: tuple[DeliveryPolicy, ...] = ()
    correction: Literal["adjust_next"] = "adjust_next"
    late_policy: Literal["recompute_delta"] = "recompute_delta"
    clauses: Mapping[str, str] = {}
    examples: tuple[WorkedExample, ...] = Field(default=(), max_length=100)

    retainers: None = None
    prepaid_blocks: None = None
    money_retainer: None = None
    tiers: None = None
    fixed_fees: None = None
    milestones: None = None
    deposits: None = None
    recurring_fees: None = None
    usage_fees: None = None
    discounts: None = None
    minimum: None = None
    prorate: None = None
    trust: None = None

    @field_validator(*_REFUSED, mode="before")
    @classmethod
    def _refused(cls, value: object, info: ValidationInfo) -> None:
        if value is not None and value != "none":
            raise not_yet(_REFUSED[str(info.field_name)])

    @field_validator("correction", "late_policy", mode="before")
    @classmethod
    def _after_issue(cls, value: object, info: ValidationInfo) -> object:
        known = {"correction": ("credit_and_rebill", "credit_now"), "late_policy": ("remaining_capacity",)}
        if value in known[str(info.field_name)]:
            raise not_yet(f"{info.field_name} '{value}'")
        return value

    @field_validator("rates")
    @classmethod
    def _one_rate_per_date(cls, rates: tuple[ContractRate, ...]) -> tuple[ContractRate, ...]:
        refuse_overlaps(rates, lambda row: (row.person, row.role, row.service_item), "rate")
        return rates

    @field_validator("blended")
    @classmethod
    def _one_blended_per_date(cls, blended: tuple[BlendedRate, ...]) -> tuple[BlendedRate, ...]:
        by_role = [(role, row) for row in blended for role in (row.roles or ("",))]
        for role in {role for role, _ in by_role}:
            refuse_overlaps([row for named, row in by_role if named == role], lambda _: ("blended",), "blended rate")
        return blended

    @field_validator("increments")
    @classmethod
    def _one_increment_per_date(cls, rows: tuple[IncrementRule, ...]) -> tuple[IncrementRule, ...]:
        refuse_overlaps(rows, lambda _: (), "increment")
        return rows

    @field_validator("premiums")
    @classmethod
    def _one_premium_per_date(cls, rows: tuple[Premium, ...]) -> tuple[Premium, ...]:
        refuse_overlaps(rows, lambda row: (row.id,), "premium")
        return rows

    @field_validator("caps")
    @classmethod
    def _one_cap_per_date(cls, caps: tuple[Cap, ...]) -> tuple[Cap, ...]:
        _refuse_changed_caps(caps, lambda cap: (cap.window, cap.pool, cap.basis, cap.week_cap_at_month_end))
        return caps

    @field_validator("amount_caps")
    @classmethod
    def _one_amount_cap_per_date(cls, caps: tuple[AmountCap, ...]) -> tuple[AmountCap, ...]:
        _refuse_changed_caps(caps, lambda cap: (cap.window, cap.counts))
        return caps

    @field_validator("taxes")
    @classmethod
    def _every_line_is_taxed(cls, taxes: tuple[TaxRule, ...]) -> tuple[TaxRule, ...]:
        for kind in ("fee", "expense"):
            general = [rule for rule in taxes if _is_general(rule) and (not rule.kinds or kind in rule.kinds)]
            if taxes and not general:
                raise ValueError(f"no tax rule says what a line of kind '{kind}' without special rule is taxed with")
        return taxes

    @field_validator("clauses")
    @classmethod
    def _clauses_of_settings(cls, clauses: Mapping[str, str]) -> Mapping[str, str]:
        names = {info.alias or name for name, info in cls.model_fields.items()}
        for key in clauses:
            if key not in names:
                raise ValueError(f"clauses names {key!r}, which is no setting of a contract")
        return clauses

    @field_validator("examples")
    @classmethod
    def _one_example_per_id(cls, examples: tuple[WorkedExample, ...]) -> tuple[WorkedExample, ...]:
        if len({one.id for one in examples}) != len(examples):
            raise ValueError("two worked examples have one id")
        return examples

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.date_from is not None and self.date_to is not None and self.date_to <= self.date_from:
            raise ValueError(f"'to' must be after 'from': {self.date_from}..{self.date_to}")
        if self.premiums and any(row.premiums_apply is None for row in self.blended):
            raise ValueError("a blended rate must say whether premiums multiply it (premiums_apply)")
        needs_start = any(cap.overflow == "carry_forward" or cap.window in _LONG for cap in self.caps)
        if self.date_from is None and (needs_start or any(cap.window in _LONG for cap in self.amount_caps)):
            raise ValueError(
                "a cap over the whole contract, a task or project, or one that carries forward, needs 'from'"
            )
        if {cap.id for cap in self.caps} & {cap.id for cap in self.amount_caps}:
            raise ValueError("an hour cap and an amount cap have one id")
        return self

    def covers(self, day: date) -> bool:
        """Whether the contract is valid on a local work date."""
        return (self.date_from is None or self.date_from <= day) and (self.date_to is None or day < self.date_to)


_LONG = frozenset({"task", "project", "contract"})


def _is_general(rule: TaxRule) -> bool:
    special = rule.service_items or rule.expense_categories or rule.projects
    return not special and rule.date_to is None


CapT = TypeVar("CapT", bound=CapScope)


def _refuse_changed_caps(caps: Iterable[CapT], fixed_of: Callable[[CapT], tuple[object, ...]]) -> None:
    """Rows of one cap id may change its limit by date, but not what its windows and pools are."""
    rows = tuple(caps)
    refuse_overlaps(rows, lambda cap: (cap.id,), "cap")
    shapes: dict[str, tuple[object, ...]] = {}
    for cap in rows:
        if shapes.setdefault(cap.id, fixed_of(cap)) != fixed_of(cap):
            raise ValueError(f"the rows of cap {cap.id!r} differ in more than their limit; use another id")
