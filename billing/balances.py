"""The account of one retainer or block over a period: what came in, what it paid for, and what became of the rest."""

from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction

from billing.contract import Contract
from billing.engagements import BURN_UNITS, Engagement
from billing.exact import decimal_of, units_of
from billing.results import RetainerAccount
from schemas.engagement import PrepaidBlock, Retainer
from schemas.money import MoneyRounding
from schemas.period import Period


@dataclass(slots=True, eq=False)
class Account:
    """What moved in the period, in balance units (hundredths of a second); filled by `billing.retainers`.

    `used_before` counts all use before the period, which a block's price per hour needs (BD-37). `credits` are the rows
    and units that are credited at the end, `owed_at_end` the deficit that is billed there.
    """

    engagement: Engagement
    rolled_in: int = 0
    granted: int = 0
    used_rolled_in: int = 0
    used_granted: int = 0
    used_deficit: int = 0
    used_before: int = 0
    lapsed: int = 0
    credited: int = 0
    rolled_out: int = 0
    deficit_in: int = 0
    deficit_out: int = 0
    owed_at_end: int = 0
    beyond: int = 0
    credits: list[tuple[Retainer | PrepaidBlock, int]] = field(default_factory=list)

    @property
    def used(self) -> int:
        """All that was drawn in the period."""
        return self.used_rolled_in + self.used_granted + self.used_deficit

    def after_the_same(self, before: "Account", after: "Account") -> "Account":
        """This account after work that made `after` of `before`; such work only uses, or goes beyond."""
        return replace(
            self,
            used_rolled_in=self.used_rolled_in + after.used_rolled_in - before.used_rolled_in,
            used_granted=self.used_granted + after.used_granted - before.used_granted,
            used_deficit=self.used_deficit + after.used_deficit - before.used_deficit,
            used_before=self.used_before + after.used_before - before.used_before,
            beyond=self.beyond + after.beyond - before.beyond,
            credits=list(self.credits),
        )

    @property
    def is_touched(self) -> bool:
        """Whether the period has anything to say about it."""
        return bool(self.rolled_in or self.granted or self.used or self.deficit_in or self.beyond)

    def assert_balanced(self) -> None:
        """The law of a balance: nothing is drawn that was not there, and nothing disappears."""
        came = self.rolled_in + self.granted - self.deficit_in
        went = self.used + self.lapsed + self.credited + self.rolled_out - self.deficit_out
        assert came == went, f"the balance of {self.engagement.id} does not add up: {came} and {went}"


def seconds_of(units: int) -> Decimal:
    """Balance units as seconds, without zeros at the end."""
    whole, rest = divmod(units, BURN_UNITS)
    return Decimal(whole) if not rest else (Decimal(units) / BURN_UNITS).normalize()


def reported(contract: Contract, period: Period, account: Account) -> RetainerAccount:
    """The account as an invoice shows it."""
    return RetainerAccount(
        engagement_id=account.engagement.id,
        name=account.engagement.name,
        date_from=period.start,
        date_to=period.end,
        rolled_in_seconds=seconds_of(account.rolled_in),
        granted_seconds=seconds_of(account.granted),
        used_rolled_in_seconds=seconds_of(account.used_rolled_in),
        used_granted_seconds=seconds_of(account.used_granted),
        used_deficit_seconds=seconds_of(account.used_deficit),
        lapsed_seconds=seconds_of(account.lapsed),
        credited_seconds=seconds_of(account.credited),
        rolled_out_seconds=seconds_of(account.rolled_out),
        deficit_in_seconds=seconds_of(account.deficit_in),
        deficit_out_seconds=seconds_of(account.deficit_out),
        beyond_seconds=seconds_of(account.beyond),
        earned=_earned(contract, account),
    )


def _earned(contract: Contract, account: Account) -> Decimal | None:
    """What the use of a block earned of its price: rounded in sum, so that all periods together earn no cent more."""
    block = account.engagement.block
    if block is None or block.price is None:
        return None
    per_unit = Fraction(block.price) / (Fraction(block.hours) * 3600 * BURN_UNITS)
    before, after = (
        units_of(per_unit * units, contract.places, MoneyRounding.HALF_UP)
        for units in (account.used_before, account.used_before + account.used)
    )
    return decimal_of(after - before, contract.places)
