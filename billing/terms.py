"""What a contract says about one kind of work on one date: role, rate with the candidates that lost, caps, increments.

Implements the look-ups of billing-domain section 3, steps 3, 5, 7 and 9. Nothing changes between two dates at which a
row begins or ends, so the answer is kept for person, project, item, task and that span.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from billing.contract import Contract, HourCap, MoneyCap, boundaries_of
from billing.directory import Directory
from billing.engagements import Engaged
from billing.entries import Hold
from billing.increments import NO_INCREMENT, Rounding, rounding_of
from billing.rates import ChosenRate, Work, resolve_rate
from schemas.clauses import (
    AmountCap,
    BlendedRate,
    Cap,
    CapPool,
    CapScope,
    IncrementRule,
    IncrementScope,
    Overflow,
    Premium,
)
from schemas.dated import DatedRow
from schemas.engagement import FixedCover, Takes, Tier, WorkScope

_RULEBOOKS_KEPT = 512
_TERMS_KEPT = 100_000


@dataclass(frozen=True, slots=True, eq=False)
class AppliedCap:
    """A cap as it meets this work: the row of the date, its limit, who shares it (`person`, role or everybody), and
    where goes what does not fit.
    """

    cap: HourCap
    row: Cap
    pool_key: str
    limit_seconds: int
    overflow: Overflow


@dataclass(frozen=True, slots=True, eq=False)
class Terms:
    """The answer for one kind of work in a span of dates; `hold` says why it cannot be billed.

    `covers`, `engaged` and `tier` are the engagements whose scope has this work, before its tags are looked at. Where
    there is one of them, a missing rate is no hold of the whole entry: `unpriced` holds what nothing else prices.
    With `engaged_whole` all billable work draws, whatever its tags; with `is_plain` nothing stands between billable
    work and its bill: no hold, no fixed fee, no premium. `burning` are the timed premiums that a balance asks for.
    `rounding` is the increment where each entry is rounded by itself, None where nothing is or a group is.
    """

    role: str
    rate: ChosenRate | None
    caps: Mapping[str, AppliedCap]
    money_caps: tuple[MoneyCap, ...]
    increment: IncrementRule
    premiums: tuple[Premium, ...]
    hold: Hold | None
    unpriced: Hold | None = None
    covers: tuple[FixedCover, ...] = ()
    engaged: tuple[Engaged, ...] = ()
    tier: Tier | None = None
    engaged_whole: bool = False
    is_plain: bool = True
    burning: tuple[Premium, ...] = ()
    rounding: Rounding | None = None


WorkKey = tuple[str, str, str, str]
"""Person, project, service item, task."""


@dataclass(frozen=True, slots=True, eq=False)
class _Valid:
    """The rows of a contract that are valid in one span of dates: looked for once, then asked for each kind of work.

    `caps` have their limits in seconds, and whether they meet all work; `applied` are those that were met, by cap and
    pool. With `engages_all` all engagements have all work in their scope, with `engaged_whole` whatever its tags are;
    with `tiers_all` the first tier has.
    """

    covers: tuple[FixedCover, ...]
    engaged: tuple[Engaged, ...]
    tiers: tuple[Tier, ...]
    premiums: tuple[Premium, ...]
    increment: IncrementRule
    rounding: Rounding | None
    caps: tuple[tuple[HourCap, Cap, int, bool], ...]
    money_caps: tuple[tuple[MoneyCap, AmountCap], ...]
    applied: dict[tuple[str, str], AppliedCap]
    engages_all: bool
    engaged_whole: bool
    tiers_all: bool


class KnownTerms(NamedTuple):
    """The terms of one kind of work: they begin anew on each of the `starts`; None for a span nobody asked for."""

    starts: tuple[date, ...]
    found: list[Terms | None]


@dataclass(frozen=True, slots=True, eq=False)
class Rulebook:
    """A contract and a directory together; `known` only remembers what `terms_of` would compute again."""

    contract: Contract
    directory: Directory
    boundaries: tuple[date, ...]
    asks_for_task: bool
    confidence_min: Decimal
    known: dict[WorkKey, KnownTerms] = field(default_factory=dict)
    valid: dict[int, _Valid] = field(default_factory=dict)

    def terms(self, person_id: str, project_id: str, service_item: str, task: str, day: date) -> Terms:
        """The terms of work on a local date: one object for all days of a span, and of one kind of work only."""
        # Tasks are free text of sources; they are looked at only where a clause names one.
        work = (person_id, project_id, service_item, task if self.asks_for_task else "")
        known = self.known.get(work)
        if known is None:
            known = self._begin(work)
        span = bisect_right(known.starts, day)
        found = known.found[span]
        if found is None:
            role = self.directory.role_on(person_id, day)
            asked = Work(person_id, role, project_id, service_item, work[3], day)
            found = known.found[span] = terms_of(self, asked)
        return found

    def valid_on(self, day: date) -> _Valid:
        """The contract's rows of a local date; one object for all days of a span."""
        span = bisect_right(self.boundaries, day)
        found = self.valid.get(span)
        if found is None:
            found = self.valid[span] = _valid_on(self.contract, day)
        return found

    def _begin(self, work: WorkKey) -> KnownTerms:
        if len(self.known) >= _TERMS_KEPT:
            self.known.clear()
        changes = self.directory.changes_of.get(work[0])
        starts = tuple(sorted({*self.boundaries, *changes})) if changes else self.boundaries
        begun = self.known[work] = KnownTerms(starts, [None] * (len(starts) + 1))
        return begun


@lru_cache(maxsize=_RULEBOOKS_KEPT)
def rulebook(contract: Contract, directory: Directory) -> Rulebook:
    """The rulebook of a compiled contract and directory."""
    rows: list[DatedRow] = list(directory.document.firm.rates)
    client = directory.clients.get(contract.client_id)
    rows += [] if client is None else client.rates
    for project in directory.projects_of.get(contract.client_id, ()):
        rows += project.rates
    document = contract.document
    caps: list[CapScope] = [*document.caps, *document.amount_caps]
    scopes: list[WorkScope] = [*document.retainers, *document.prepaid_blocks, *document.tiers, *document.fixed_cover]
    windows = [bound for row in caps for bound in (row.window_from, row.window_to)]
    return Rulebook(
        contract=contract,
        directory=directory,
        boundaries=tuple(sorted({*boundaries_of(rows, *windows), *contract.boundaries})),
        asks_for_task=any(row.tasks for row in caps)
        or any(row.tasks for row in scopes)
        or any(row.tasks for row in document.premiums),
        confidence_min=document.decide.confidence_min,
    )


def terms_of(book: Rulebook, work: Work) -> Terms:
    """Look everything up for work of a person on a local date."""
    contract, directory, valid = book.contract, book.directory, book.valid_on(work.day)
    rate = resolve_rate(contract, directory, work)
    covers = tuple([row for row in valid.covers if in_scope(row, work)]) if valid.covers else ()
    engaged, engaged_whole = valid.engaged, valid.engaged_whole
    if not valid.engages_all:
        engaged = tuple([one for one in engaged if in_scope(one.row, work)])
        engaged_whole = _draw_whatever_tags(engaged)
    tier = valid.tiers[0] if valid.tiers_all else next((row for row in valid.tiers if in_scope(row, work)), None)
    unpriced = None
    if rate is None:
        name = directory.person_name(work.person_id)
        unpriced = Hold("rate_missing", f"no rate for {name} ({work.role or 'no role'}) on the day of the work")
    is_engaged = bool(covers or engaged or tier is not None)
    hold = _hold(contract, directory, work, None if is_engaged else unpriced)
    premiums = burning = _NO_PREMIUMS
    if valid.premiums:
        premiums = tuple([one for one in valid.premiums if _premium_may_apply(one, work, rate, tier)])
        weighed = {weight.premium for one in engaged for weight in one.row.weights}
        burning = tuple([one for one in valid.premiums if one.is_timed and one.id in weighed and _looks_at(one, work)])
    # A balance or a tier prices the work instead of a rate, where it does so whatever the tags of an entry are.
    is_priced = unpriced is None or (bool(engaged) and engaged_whole) or (tier is not None and not tier.tags)
    return Terms(
        role=work.role,
        rate=rate,
        caps=_caps(valid, work) if valid.caps else _NO_CAPS,
        money_caps=_money_caps(valid, work) if valid.money_caps else (),
        increment=valid.increment,
        premiums=premiums,
        hold=hold,
        unpriced=unpriced,
        covers=covers,
        engaged=engaged,
        tier=tier,
        is_plain=hold is None and is_priced and not covers and not premiums and not burning,
        burning=burning,
        engaged_whole=engaged_whole,
        rounding=valid.rounding,
    )


_NO_CAPS: Mapping[str, AppliedCap] = {}
_NO_PREMIUMS: tuple[Premium, ...] = ()


def _draw_whatever_tags(engaged: Iterable[Engaged]) -> bool:
    """Whether all billable work draws from all of these."""
    return all(one.row.takes is Takes.ALL and not one.row.tags for one in engaged)


def _valid_on(contract: Contract, day: date) -> _Valid:
    """Look for all rows of a contract that are valid on a local date."""
    document = contract.document
    rows = [(engagement, engagement.row_on(day)) for engagement in contract.engagements]
    caps = [(cap, cap.row_on(day)) for cap in contract.caps]
    money_caps = [(cap, cap.row_on(day)) for cap in contract.money_caps]
    increment = next((row for row in document.increments if row.covers(day)), NO_INCREMENT)
    is_rounded_alone = increment is not NO_INCREMENT and increment.scope is IncrementScope.ENTRY
    engaged = tuple([Engaged(engagement, row) for engagement, row in rows if row is not None])
    tiers = tuple([row for row in document.tiers if row.covers(day)])
    return _Valid(
        covers=tuple([row for row in document.fixed_cover if row.covers(day)]),
        engaged=engaged,
        tiers=tiers,
        premiums=tuple([row for row in document.premiums if row.covers(day)]),
        increment=increment,
        rounding=rounding_of(increment) if is_rounded_alone else None,
        caps=tuple([(cap, row, int(row.hours * 3600), _meets_all(row)) for cap, row in caps if row is not None]),
        money_caps=tuple([(cap, row) for cap, row in money_caps if row is not None]),
        applied={},
        engages_all=all(_has_all(one.row) for one in engaged),
        engaged_whole=_draw_whatever_tags(engaged),
        tiers_all=bool(tiers) and _has_all(tiers[0]),
    )


def _has_all(scope: WorkScope) -> bool:
    """Whether all work is in a scope, whoever does it and whatever it is."""
    return not (scope.people or scope.roles or scope.service_items or scope.projects or scope.tasks)


def _meets_all(row: Cap) -> bool:
    """Whether a cap meets all work on all days on which its row is valid."""
    is_dated = row.window_from is not None  # the end of such a window is given with its beginning
    return not (row.people or row.roles or row.service_items or row.projects or row.tasks or is_dated)


def in_scope(scope: WorkScope, work: Work) -> bool:
    """Whether work is in a scope as far as person, role, project, item and task say; tags are the entry's own."""
    return (
        (not scope.people or work.person_id in scope.people)
        and (not scope.roles or work.role in scope.roles)
        and (not scope.service_items or work.service_item in scope.service_items)
        and (not scope.projects or work.project_id in scope.projects)
        and (not scope.tasks or work.task in scope.tasks)
    )


def _hold(contract: Contract, directory: Directory, work: Work, unpriced: Hold | None) -> Hold | None:
    """The first reason why this work cannot be billed, if there is one: nothing is guessed.

    The texts name no date: the terms are kept for a span, and would say the day of whichever entry asked first.
    """
    document = contract.document
    if contract.incomplete_caps:
        return Hold("contract_incomplete", f"cap {', '.join(contract.incomplete_caps)} names no pool")
    if not document.covers(work.day):
        return Hold("contract_missing", f"contract {contract.id} is not valid on the day of the work")
    if document.project and work.project_id != document.project:
        return Hold("contract_missing", f"contract {contract.id} is for project {document.project} only")
    if not work.person_id or work.person_id not in directory.people:
        return Hold("person_unknown", work.person_id)
    if unpriced is not None:
        return unpriced
    if not work.role and _asks_for_role(contract, work):
        return Hold("role_missing", f"{directory.person_name(work.person_id)} has no role on the day of the work")
    return None


def _asks_for_role(contract: Contract, work: Work) -> bool:
    """Whether the role decides about a cap, an engagement, a blended rate or a discount for this work."""
    document = contract.document
    scopes: list[WorkScope] = [*document.retainers, *document.prepaid_blocks, *document.tiers, *document.fixed_cover]
    if any(scope.roles for scope in scopes):
        return True
    caps: list[Cap | CapScope] = [*document.caps, *document.amount_caps]
    for row in caps:
        by_role = row.roles or (isinstance(row, Cap) and row.pool is CapPool.ROLE)
        if by_role and row.covers(work.day) and _scope_matches(row, work):
            return True
    by_role = any(row.roles and row.covers(work.day) for row in document.blended)
    return by_role or any(row.roles and row.covers(work.day) for row in document.discounts)


def _caps(valid: _Valid, work: Work) -> dict[str, AppliedCap]:
    found: dict[str, AppliedCap] = {}
    for cap, row, limit_seconds, meets_all in valid.caps:
        if not meets_all and (not _scope_matches(row, work) or (row.roles and work.role not in row.roles)):
            continue
        match cap.pool:
            case CapPool.PERSON:
                pool_key = work.person_id
            case CapPool.ROLE:
                pool_key = work.role
            case _:
                pool_key = "all"
        applied = valid.applied.get((cap.id, pool_key))
        if applied is None:
            applied = valid.applied[cap.id, pool_key] = AppliedCap(cap, row, pool_key, limit_seconds, row.overflow)
        found[cap.id] = applied
    return found


def _money_caps(valid: _Valid, work: Work) -> tuple[MoneyCap, ...]:
    return tuple(
        [
            cap
            for cap, row in valid.money_caps
            if _scope_matches(row, work) and (not row.roles or work.role in row.roles)
        ]
    )


def _scope_matches(row: CapScope, work: Work) -> bool:
    return (
        (not row.people or work.person_id in row.people)
        and (not row.service_items or work.service_item in row.service_items)
        and (not row.projects or work.project_id in row.projects)
        and (not row.tasks or work.task in row.tasks)
        and (row.window_from is None or row.window_from <= work.day)
        and (row.window_to is None or work.day < row.window_to)
    )


def _premium_may_apply(premium: Premium, work: Work, rate: ChosenRate | None, tier: Tier | None) -> bool:
    """Whether the conditions that this kind of work alone decides are met; tags and times are looked at per entry."""
    if rate is not None and isinstance(rate.row, BlendedRate) and rate.row.premiums_apply is False:
        return False
    if tier is not None and not tier.tags and not tier.premiums_apply:
        return False
    return _looks_at(premium, work)


def _looks_at(premium: Premium, work: Work) -> bool:
    """Whether a premium that is valid on the date is about such work."""
    return (not premium.service_items or work.service_item in premium.service_items) and (
        not premium.tasks or work.task in premium.tasks
    )
