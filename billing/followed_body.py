"""The body of an invoice that follows its entries: what is said of single entries is said anew only where it changed.

Lines are computed by the steps of `billing.invoice` from bundles of work instead of single portions; then sources,
placements and certificate are put together from what is remembered of each day and charge.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from operator import attrgetter
from typing import NamedTuple

from billing.allocate import WindowId
from billing.body import (
    Shown,
    TimekeeperKey,
    body_of,
    draft_charge,
    draft_line,
    draft_source,
    id_of_line,
    placement_of,
    scope_of,
    timekeepers_of,
)
from billing.bundles import Bundle, price_by_tiers
from billing.carried import Carried
from billing.certificate import hash_of_statement
from billing.contract import Contract
from billing.currency import Exchange
from billing.directory import Directory
from billing.discounts import applies
from billing.exact import spread_units
from billing.exchange import exchange
from billing.explain import cap_texts, charge_steps
from billing.followed_buckets import FollowedBucket
from billing.followed_days import Days
from billing.invoice import Lined, exchange_for, fee_units_of, hash_of_versions, put_on_lines, summed_up
from billing.ledger import BUCKET_RANK, Reason, Tally, by_reason, ledger_from, singles_of, tally_of
from billing.money_items import ItemKind, Parts, money_items
from billing.portions import Placed, Portion, SetPrice, portion_order
from billing.rating import Price, RatedPart, rate_portions
from billing.results import Invoice, InvoiceRequest, LineCharge, Note, SourceShare, Unbilled
from billing.settled import SettledCharge, SettledLine
from schemas.draft import (
    Bucket,
    DocumentScope,
    DraftBody,
    DraftLine,
    LineKind,
    LineSource,
    MinutesCertificate,
    Placement,
)
from schemas.period import Period

_ON_LINES: Reason = (Bucket.BILLED, "")
_DAY = attrgetter("day")
_CHARGED = attrgetter("seconds", "quantity", "unit_price", "units", "lost")
_WORDS = attrgetter(
    "kind", "text", "date", "project_id", "service_item", "person_id", "role", "seconds", "quantity", "unit",
    "unit_price", "units", "adjustment_units", "discount_units", "utbms_task", "utbms_activity", "expense_code",
)  # fmt: skip


@dataclass(slots=True, eq=False)
class _Row:
    """A placement, and what it is sorted by: entry id, rank of the bucket, reason."""

    key: tuple[str, int, str]
    placement: Placement


_KEY = attrgetter("key")
_SaidApart = dict[str, tuple[Unbilled, _Row]]
"""What is said of one bucket and reason, by entry id."""


@dataclass(slots=True, eq=False)
class _Apart:
    """What is said of time, expenses and events that are on no line."""

    tallies: dict[Reason, Tally] = field(default_factory=dict)
    singles: dict[Reason, _SaidApart] = field(default_factory=dict)
    seconds: dict[Reason, dict[str, int]] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class _Said:
    """The sources of a charge, for as long as its bundles and its units are the same."""

    bundles: list[Bundle]
    sources: tuple[LineSource, ...]
    totals: dict[TimekeeperKey, tuple[int, int]]
    windows: frozenset[WindowId]


_SaidKey = tuple[int, tuple[int, ...]]
"""Units of a charge, and its bundles by identity: what is remembered keeps them."""


class _Priced(NamedTuple):
    """Bundles of one kind that share a price, as one part."""

    part: RatedPart
    bundles: list[Bundle]


class _Grouped(NamedTuple):
    """The bundles of a period by kind and price in work order, what has no price, and what tiers say."""

    parts: list[_Priced]
    placed: list[Placed]
    notes: list[Note]


class FollowedBody:
    """Makes the body of the invoice of some days again and again."""

    def __init__(self, days: Days) -> None:
        self._days = days
        self._aparts: dict[date, tuple[int, _Apart]] = {}
        self._rows: list[_Row] = []
        self._billed = FollowedBucket(_ON_LINES)
        self._buckets: dict[Reason, FollowedBucket] = {}
        self._said: dict[_SaidKey, _Said] = {}
        self._lines: dict[str, tuple[tuple[object, ...], DraftLine]] = {}
        self._ids: dict[tuple[str, ...], str] = {}
        self._scope: DocumentScope | None = None
        self._keepers: dict[tuple[str, date], TimekeeperKey] = {}

    def body(self, request: InvoiceRequest) -> DraftBody | None:
        """The body of a request whose entries the days have taken, as `to_body` makes it.

        None where a discount tells the work of one line apart, so that it must be shared by single portions.
        """
        days, contract, period = self._days, request.contract, request.period
        days.allot()
        exchange, drawn = exchange_for(request), days.drawn()
        grouped = self._grouped(contract, period, exchange)
        texts, parts = cap_texts(contract, days.windows), [one.part for one in grouped.parts]
        lined = put_on_lines(request, Carried(), list(days.others.values()), exchange, (parts, drawn.charges, texts))
        if contract.document.discounts and not _are_discounted_whole(contract, period, lined):
            return None
        on_lines, rounded_away = _off_lines(lined, grouped.parts)
        aparts = self._all_aparts(
            contract, period, [*grouped.placed, *lined.expenses.placed, *lined.agreed.placed, *rounded_away]
        )
        self._billed.become([bundle.seconds for one in on_lines for bundle in one.bundles], days.ids)
        tallies: dict[Reason, Tally] = {}
        for apart in aparts:
            for reason, tally in apart.tallies.items():
                tallies.setdefault(reason, Tally()).add(tally)
        delta_seconds = sum([one.part.portion.delta_seconds for one in on_lines])
        on_all = Tally(self._billed.seconds, len(self._billed.ids), delta_seconds)
        ledger = ledger_from(exchange, on_all, fee_units_of(lined.lines), tallies, ())
        notes = [*drawn.notes, *grouped.notes]
        known = [one.part for one in on_lines], days.worked_seconds, drawn.accounts, notes
        invoice = summed_up(request, Carried(), lined, ledger, known)
        invoice = replace(invoice, entries_hash=hash_of_versions(days.versions))
        totals: dict[TimekeeperKey, list[int]] = {}
        lines = self._draft_lines(invoice, lined, grouped, texts, totals)
        rows, further = self._rows, _rows_without(aparts[-1], _Apart())
        if further:
            rows = sorted([*rows, *further], key=_KEY)
        people = timekeepers_of(invoice, {key: (seconds, units) for key, (seconds, units) in totals.items()})
        body = body_of(invoice, Shown(lines, [row.placement for row in rows], people))
        return body.model_copy(update={"certificate": self._certificate(body, aparts)})

    def _grouped(self, contract: Contract, period: Period, exchange: Exchange) -> _Grouped:
        """Step 9 for all bundles of the period."""
        days = self._days.in_order()
        # What no tier prices has one price for all of its kind.
        by_kind: dict[int, list[Bundle]] = {}
        for day, one in days:
            for bundle in one.bundles if day in period else ():
                members = by_kind.get(bundle.kind)
                if members is None:
                    members = by_kind[bundle.kind] = []
                members.append(bundle)
        found: dict[tuple[int, int], tuple[SetPrice | None, list[Bundle]]]
        found = {(kind, 0): (members[0].price, members) for kind, members in by_kind.items()}
        notes: list[Note] = []
        if contract.document.tiers:
            runs = [run for _, one in days for run in one.runs]
            by_tiers, notes = price_by_tiers(contract, period, self._days.kinds, runs)
            for bundle, price in by_tiers:
                if bundle.day in period:
                    found.setdefault((bundle.kind, id(price)), (price, []))[1].append(bundle)
        parts: list[_Priced] = []
        placed: list[Placed] = []
        prices = _Prices(contract, exchange)
        for price_set, members in found.values():
            rated = prices.of(members[0], price_set)
            if isinstance(rated, Placed):
                for bundle in members:
                    placed += _placed_like(bundle, rated.bucket, rated.reason, rated.detail)
            else:
                parts.append(_Priced(_part(rated, price_set, members), members))
        parts.sort(key=lambda one: portion_order(one.part.portion))
        return _Grouped(parts, placed, notes)

    def _all_aparts(self, contract: Contract, period: Period, placed: Sequence[Placed]) -> list[_Apart]:
        """What is on no line, day by day, and at last what no day knows; `_rows` become those of the days."""
        known, days = self._aparts, [(day, one) for day, one in self._days.in_order() if day in period]
        changed = [(day, one) for day, one in days if day not in known or known[day][0] != one.version]
        gone: list[_Row] = []
        came: list[_Row] = []
        for day, one in changed:
            old = known[day][1] if day in known else _Apart()
            new = _apart(contract, period, one.placed, old)
            known[day] = (one.version, new)
            gone += _rows_without(old, new)
            came += _rows_without(new, old)
        exchange(self._rows, gone, came, _KEY)
        return [*(known[day][1] for day, _ in days), _apart(contract, period, placed)]

    def _draft_lines(
        self,
        invoice: Invoice,
        lined: Lined,
        grouped: _Grouped,
        texts: Mapping[WindowId, str],
        totals: dict[TimekeeperKey, list[int]],
    ) -> list[DraftLine]:
        """The lines as the body says them; `totals` of people are added to."""
        request = invoice.request
        places, scope = request.contract.places, scope_of(invoice)
        ids = self._ids if request.scope == self._scope else {}
        self._scope, self._ids = request.scope, {}
        said, lines = self._said, self._lines
        self._said, self._lines = {}, {}
        drafts: list[DraftLine] = []
        known_of_all = [one.part for one in grouped.parts], texts, said, totals
        for position, (line, settled, tax) in enumerate(
            zip(lined.lines, lined.in_order, invoice.line_taxes, strict=True), start=1
        ):
            line_id = self._ids[line.key] = ids.get(line.key) or id_of_line(scope, line)
            if line.kind is LineKind.FEE:
                steps, sources = self._of_time(request, settled, grouped, known_of_all)
            else:
                steps = [charge.steps for charge in line.charges]
                sources = tuple([draft_source(places, one) for charge in line.charges for one in charge.sources])
            words = (tax, *_WORDS(line), [_CHARGED(charge) for charge in line.charges])
            known = lines.get(line_id)
            if known is None or known[0] != words:
                made = [
                    draft_charge(places, line_id, number, *one)
                    for number, one in enumerate(zip(line.charges, steps, strict=True))
                ]
                known = words, draft_line(invoice, line_id, position, (line, tax), (tuple(made), sources))
            else:
                known = words, _with(known[1], position, list(zip(line.charges, steps, strict=True)), sources)
            self._lines[line_id] = known
            drafts.append(known[1])
        return drafts

    def _of_time(
        self,
        request: InvoiceRequest,
        settled: SettledLine,
        grouped: _Grouped,
        known: tuple[
            Sequence[RatedPart], Mapping[WindowId, str], Mapping[_SaidKey, _Said], dict[TimekeeperKey, list[int]]
        ],
    ) -> tuple[list[tuple[str, ...]], tuple[LineSource, ...]]:
        """Steps and sources of a line of time; `known` are the parts, texts of windows, what was said, and totals."""
        parts, texts, said, totals = known
        steps: list[tuple[str, ...]] = []
        sources: list[tuple[LineSource, ...]] = []
        for charge in settled.charges:
            opened = charge.charge
            bundles = grouped.parts[opened.positions[0]].bundles
            if len(opened.positions) > 1:
                bundles = [bundle for position in opened.positions for bundle in grouped.parts[position].bundles]
                bundles.sort(key=_DAY)
            key = (charge.units, tuple(map(id, bundles)))
            one = said.get(key)
            if one is None:
                one = self._say(request, charge, bundles)
            self._said[key] = one
            sources.append(one.sources)
            for keeper, (seconds, units) in one.totals.items():
                total = totals.setdefault(keeper, [0, 0])
                total[0] += seconds
                total[1] += units
            touched = one.windows if texts else ()
            steps.append(charge_steps(request.contract, settled.line, charge, parts, texts, touched))
        return steps, sources[0] if len(sources) == 1 else tuple([one for some in sources for one in some])

    def _say(self, request: InvoiceRequest, charge: SettledCharge, bundles: list[Bundle]) -> _Said:
        """Share the units of a charge by the seconds of its members, and say each of them that is not as it was."""
        ranked = [
            (bundle.day, member[0], number, place)
            for number, bundle in enumerate(bundles)
            for place, member in enumerate(bundle.members)
        ]
        if len(charge.charge.positions) > 1:
            ranked.sort()
        weights = [0] * len(ranked)
        for at, (_, _, number, place) in enumerate(ranked):
            _, _, worked, delta = bundles[number].members[place]
            weights[at] = worked + delta
        shares = [[0] * len(bundle.members) for bundle in bundles]
        for units, (_, _, number, place) in zip(spread_units(charge.units, weights), ranked, strict=True):
            shares[number][place] = units
        totals: dict[TimekeeperKey, list[int]] = {}
        for bundle, own in zip(bundles, shares, strict=True):
            _say_anew(request.contract.places, bundle, own)
            total = totals.setdefault(self._keeper(request.directory, bundle), [0, 0])
            total[0] += bundle.worked_seconds + bundle.delta_seconds
            total[1] += sum(own)
        return _Said(
            bundles,
            tuple([bundles[number].sources[place] for _, _, number, place in ranked]),
            {key: (seconds, units) for key, (seconds, units) in totals.items()},
            frozenset[WindowId]().union(*[bundle.windows for bundle in bundles]),
        )

    def _keeper(self, directory: Directory, bundle: Bundle) -> TimekeeperKey:
        person_id, day = bundle.first.entry.person_id, bundle.day
        found = self._keepers.get((person_id, day))
        if found is None:
            name, role = directory.person_name(person_id), directory.role_on(person_id, day)
            found = self._keepers[person_id, day] = (name, person_id, role)
        return found

    def _certificate(self, body: DraftBody, aparts: Sequence[_Apart]) -> MinutesCertificate:
        """The certificate of the body, from what is known of its buckets."""
        there: dict[Reason, list[dict[str, int]]] = {}
        for apart in aparts:
            for key, seconds in apart.seconds.items():
                there.setdefault(key, []).append(seconds)
        self._buckets = {key: self._buckets.get(key) or FollowedBucket(key) for key in there}
        for key, parts in there.items():
            self._buckets[key].become(parts, self._days.ids)
        certified = {key: bucket.certified() for key, bucket in self._buckets.items()}
        if self._billed.ids:
            certified[_ON_LINES] = self._billed.certified()
        buckets = [certified[key] for key in sorted(certified, key=lambda one: (BUCKET_RANK[one[0]], one[1]))]
        return MinutesCertificate(
            worked_seconds=body.worked_seconds,
            carried_in_seconds=body.carried_in_seconds,
            buckets=tuple([bucket for bucket, _ in buckets]),
            statement=hash_of_statement(
                body.entries_hash,
                body.contract_revision,
                [bucket for bucket, _ in buckets],
                [(text,) for _, text in buckets],
            ),
        )


class _Prices:
    """Prices of an hour, one object for each; or why there is none."""

    def __init__(self, contract: Contract, exchange: Exchange) -> None:
        self._contract, self._exchange = contract, exchange
        self._known: dict[tuple[int, date | None, int], Price | Placed] = {}
        self._same: dict[Price, Price] = {}

    def of(self, bundle: Bundle, price: SetPrice | None) -> Price | Placed:
        """The price of a bundle, as a rule set it or by its rate."""
        terms = bundle.first.terms
        rate = terms.rate
        day = None if rate is None or price is not None or rate.currency == self._contract.currency else bundle.day
        key = (id(terms) if price is None else 0, day, id(price))
        found = self._known.get(key)
        if found is None:
            first = bundle.first if price is None else bundle.first.at(price)
            rated = rate_portions(self._contract, self._exchange, [first])
            found = self._known[key] = rated.placed[0] if rated.placed else rated.parts[0].price
            if isinstance(found, Price):
                found = self._known[key] = self._same.setdefault(found, found)
        return found


def _part(rated: Price, price: SetPrice | None, bundles: Sequence[Bundle]) -> RatedPart:
    """Bundles as one part: from the first day, up to the last one."""
    order, entry, terms, day, _, offset, *_ = bundles[0].first
    worked, delta = sum([one.worked_seconds for one in bundles]), sum([one.delta_seconds for one in bundles])
    return RatedPart(Portion(order, entry, terms, day, bundles[-1].day, offset, worked, delta, price), rated)


def _placed_like(bundle: Bundle, bucket: Bucket, reason: str, detail: str = "") -> list[Placed]:
    """The members of a bundle that is on no line."""
    day, terms = bundle.day, bundle.first.terms
    return [
        Placed(entry, day, day, bucket, reason, detail, worked, delta, terms)
        for _, entry, worked, delta in bundle.members
    ]


def _are_discounted_whole(contract: Contract, period: Period, lined: Lined) -> bool:
    """Whether each discount reduces all time of a line or none, and no line that it reduces has several charges.

    Then units are shared as seconds are, whether by bundles or by single portions.
    """
    rows, lines = contract.document.discounts, [one.line for one in lined.settled]
    reduced: dict[int, set[tuple[bool, ...]]] = {}
    for item in money_items(
        Parts(contract, period, lined.rated, lined.expenses.parts, lined.agreed.parts), lines
    ).items:
        if item.line is not None and item.subject.kind is ItemKind.TIME:
            reduced.setdefault(item.line, set()).add(tuple([applies(row, item.subject) for row in rows]))
    return all(
        len(found) == 1 and (len(lines[number].charges) == 1 or not any(*found)) for number, found in reduced.items()
    )


def _off_lines(lined: Lined, parts: Sequence[_Priced]) -> tuple[list[_Priced], list[Placed]]:
    """The parts that are on a line, and the placements of those whose whole line was rounded away (BD-75)."""
    empty = {
        position
        for line in lined.opened
        if not line.seconds
        for charge in line.charges.values()
        for position in charge.positions
    }
    away = [bundle for position in sorted(empty) for bundle in parts[position].bundles]
    placed = [one for bundle in away for one in _placed_like(bundle, Bucket.BILLED, "rounded_to_zero")]
    return [one for position, one in enumerate(parts) if position not in empty], placed


def _apart(contract: Contract, period: Period, placed: Sequence[Placed], old: _Apart | None = None) -> _Apart:
    """What is said of some placements of a period; no entry is in another such part for the same reason.

    What is as in `old` stays the same objects. A row stays where only its words or seconds are others, as that is what
    most of a balance's draws become behind an earlier one.
    """
    found, old = _Apart(), old or _Apart()
    for key, members in by_reason(period, placed).items():
        singles = singles_of(key, members)
        found.tallies[key] = tally_of(contract.currency, period.start, members, len(singles))
        before, said = old.singles.get(key, {}), dict[str, tuple[Unbilled, _Row]]()
        for one in singles:
            entry_id = one.entry.entry_id
            known = before.get(entry_id)
            if known is None:
                known = one, _Row((entry_id, BUCKET_RANK[key[0]], key[1]), placement_of(one))
            elif known[0] != one:
                known[1].placement = placement_of(one)
                known = one, known[1]
            said[entry_id] = known
        found.singles[key] = said
        seconds = {entry_id: one.seconds for entry_id, (one, _) in said.items()}
        found.seconds[key] = old.seconds[key] if old.seconds.get(key) == seconds else seconds
    return found


def _rows_without(one: _Apart, other: _Apart) -> list[_Row]:
    """The rows that stand in one part and not in the other."""
    found: list[_Row] = []
    for key, said in one.singles.items():
        others = other.singles.get(key, {})
        found += [said[entry_id][1] for entry_id in said.keys() - others.keys()]
    return found


def _with(
    draft: DraftLine,
    position: int,
    charges: Sequence[tuple[LineCharge, tuple[str, ...]]],
    sources: tuple[LineSource, ...],
) -> DraftLine:
    """A line of the same words whose place, reasons and sources may be others."""
    changes: dict[str, object] = {}
    if draft.position != position:
        changes["position"] = position
    if draft.sources != sources:
        changes["sources"] = sources
    said = [(one.rate_origin, one.steps) for one in draft.charges]
    if said != [(charge.rate_origin, steps) for charge, steps in charges]:
        changes["charges"] = tuple(
            [
                one.model_copy(update={"rate_origin": charge.rate_origin, "steps": steps})
                for one, (charge, steps) in zip(draft.charges, charges, strict=True)
            ]
        )
    return draft.model_copy(update=changes) if changes else draft


def _say_anew(places: int, bundle: Bundle, shares: list[int]) -> None:
    """The sources of a bundle's members with these units; those that are as they were stay the same objects."""
    if bundle.shares == shares:
        return
    before: Sequence[int | None] = bundle.shares or [None] * len(shares)
    old: Sequence[LineSource | None] = bundle.sources or [None] * len(shares)
    day = bundle.day
    bundle.sources = [
        source
        if source is not None and known == units
        else draft_source(places, SourceShare(entry, day, day, worked, delta, units, ()))
        for (_, entry, worked, delta), known, source, units in zip(bundle.members, before, old, shares, strict=True)
    ]
    bundle.shares = shares
