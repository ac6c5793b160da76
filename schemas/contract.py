"""The contract language: what a client and a firm agreed, as one validated document that is dated inside.

Every setting of the billing rules has its place here. What this version does not bill is refused where it stands
("not yet: ..."), never ignored. A cap without a pool is accepted, and its contract's entries are held.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Literal, Self, TypeVar

from pydantic import ConfigDict, Field, ValidationInfo, field_validator, model_validator

from schemas.charges import (
    Deposit,
    DepositDeduction,
    Discount,
    FixedFee,
    HeldMoney,
    MilestoneDue,
    MilestonePlan,
    Minimum,
    RecurringFee,
    Shortfall,
    UsageFee,
    UsageReset,
    check_money,
    check_plans,
)
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
from schemas.corrections import Correction, LatePolicy
from schemas.dated import Currency, Identifier, ZoneName, refuse_overlaps
from schemas.engagement import (
    FixedCover,
    PrepaidBlock,
    Prorate,
    Retainer,
    RetainerOrder,
    Tier,
    TierMode,
    WorkScope,
    refuse_unclear,
    scopes_meet,
)
from schemas.values import LocalDate, Value
from schemas.worked import WorkedExample

FeeT = TypeVar("FeeT", RecurringFee, UsageFee, Minimum, Discount)


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
    holidays: tuple[LocalDate, ...] = ()
    date_from: LocalDate | None = Field(default=None, alias="from")
    date_to: LocalDate | None = Field(default=None, alias="to")

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
    correction: Correction = Correction.ADJUST_NEXT
    late_policy: LatePolicy = LatePolicy.RECOMPUTE_DELTA
    retainers: tuple[Retainer, ...] = ()
    prepaid_blocks: tuple[PrepaidBlock, ...] = ()
    retainer_order: RetainerOrder = RetainerOrder.FIRST_EXPIRING
    prorate: Prorate = Prorate.NONE
    tiers: tuple[Tier, ...] = ()
    fixed_cover: tuple[FixedCover, ...] = ()
    clauses: Mapping[str, str] = {}
    examples: tuple[WorkedExample, ...] = Field(default=(), max_length=100)

    discounts: tuple[Discount, ...] = ()
    fixed_fees: tuple[FixedFee, ...] = ()
    milestones: tuple[MilestonePlan, ...] = ()
    deposits: tuple[Deposit, ...] = ()
    recurring_fees: tuple[RecurringFee, ...] = ()
    usage_fees: tuple[UsageFee, ...] = ()
    minimum: tuple[Minimum, ...] = ()
    money_retainer: HeldMoney | None = None
    trust: HeldMoney | None = None

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
        _refuse_changed_caps(caps, lambda cap: (cap.window, cap.counts, cap.includes_tax))
        return caps

    @field_validator("recurring_fees", "usage_fees", "minimum", "discounts")
    @classmethod
    def _one_row_per_date(cls, rows: tuple[FeeT, ...], info: ValidationInfo) -> tuple[FeeT, ...]:
        refuse_overlaps(rows, lambda row: (row.id,), str(info.field_name).replace("_", " "))
        return rows

    @field_validator("taxes")
    @classmethod
    def _every_line_is_taxed(cls, taxes: tuple[TaxRule, ...]) -> tuple[TaxRule, ...]:
        for kind in ("fee", "expense"):
            general = [rule for rule in taxes if _is_general(rule) and (not rule.kinds or kind in rule.kinds)]
            if taxes and not general:
                raise ValueError(f"no tax rule says what a line of kind '{kind}' without special rule is taxed with")
        return taxes

    @field_validator(
        "retainers",
        "prepaid_blocks",
        "tiers",
        "discounts",
        "fixed_fees",
        "milestones",
        "deposits",
        "recurring_fees",
        "usage_fees",
        "minimum",
        mode="before",
    )
    @classmethod
    def _none_is_stated(cls, value: object) -> object:
        return () if value is None else value

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

    @model_validator(mode="after")
    def _charges_fit_together(self) -> Self:
        check_plans(self.milestones, self.deposits)
        if len({one.id for one in self.fixed_fees}) != len(self.fixed_fees):
            raise ValueError("two fixed fees have one id")
        check_money(self.currency, self._agreed_amounts())
        meters = [(row.id, row.meter) for row in self.usage_fees]
        if len({meter for _, meter in set(meters)}) != len(set(meters)):
            raise ValueError("two usage fees count one meter: to which of them does an entry belong?")
        if any(row.every.value != self.close.every.value for row in self.minimum):
            raise ValueError(f"invoices are made each {self.close.every.value}; a minimum is agreed for the same span")
        if any(row.includes_tax is None for row in self.amount_caps) and any(tax.percent for tax in self.taxes):
            raise ValueError("the contract has taxes: does the limit of each amount cap include them (includes_tax)?")
        if self.money_retainer is not None and self.trust is not None and self.money_retainer.id == self.trust.id:
            raise ValueError("the money retainer and the trust money have one id")
        if self.date_from is None and self.counts_from_start:
            raise ValueError(
                "carried shortfalls, deposits for next invoices, usage for the contract and held money are counted "
                "from the contract's start, so it needs 'from'"
            )
        return self

    def _agreed_amounts(self) -> dict[str, Decimal | None]:
        found: dict[str, Decimal | None] = {f"milestones of {one.id}": one.total for one in self.milestones}
        found |= {f"milestone {part.id}": part.amount for one in self.milestones for part in one.parts}
        found |= {f"fixed fee {one.id}": one.amount for one in self.fixed_fees}
        found |= {f"deposit {one.id}": one.amount for one in self.deposits}
        found |= {f"discount {one.id}": one.amount for one in self.discounts}
        found |= {f"minimum {one.id}": one.amount for one in self.minimum}
        held = [one for one in (self.money_retainer, self.trust) if one is not None]
        found |= {f"money received for {one.id}": row.amount for one in held for row in one.received}
        found |= {f"threshold of {one.id}": one.threshold for one in held}
        return found | {f"target of {one.id}": one.target for one in held}

    @property
    def counts_from_start(self) -> bool:
        """Whether money of a period depends on everything that happened since the contract's start."""
        return (
            any(row.shortfall is Shortfall.CARRY for row in self.minimum)
            or any(row.deduct_from is DepositDeduction.NEXT_INVOICES for row in self.deposits)
            or any(row.reset is UsageReset.CONTRACT for row in self.usage_fees)
            or any(one.due is MilestoneDue.ACCEPTANCE for plan in self.milestones for one in plan.parts)
            or self.money_retainer is not None
            or self.trust is not None
        )

    @model_validator(mode="after")
    def _engagements_are_clear(self) -> Self:
        refuse_unclear(self.retainers, self.prepaid_blocks, self.tiers, self.fixed_cover, self.date_from)
        premiums = {premium.id for premium in self.premiums}
        weights = [weight for row in self.retainers for weight in row.weights]
        weights += [weight for block in self.prepaid_blocks for weight in block.weights]
        if unknown := {weight.premium for weight in weights} - premiums - {""}:
            raise ValueError(f"a weight names the premium {min(unknown)!r}, which the contract does not have")
        for tier in self.tiers:
            if self.premiums and tier.premiums_apply is None:
                raise ValueError(f"tier {tier.id} must say whether premiums multiply its prices (premiums_apply)")
            if tier.mode is TierMode.BLOCK and self.amount_caps:
                raise ValueError(f"tier {tier.id} sells packages, which an amount cap cannot cut by the hour")
            if any(scopes_meet(tier, WorkScope(roles=blended.roles)) for blended in self.blended):
                raise ValueError(f"which price counts, the blended rate or that of tier {tier.id}?")
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
