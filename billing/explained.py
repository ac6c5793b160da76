"""Why an amount is what it is, and why another is absent, as a tree (billing-domain section 6).

Built when somebody asks, from an invoice that is computed once more with everything on its way kept: line, charges,
allocations, entry versions, and beside each the rate and what lost, caps, balances and tiers before and after, what
discounts and limits took, the share of the rounding, and the clause of the contract in its own words.
"""

from collections.abc import Iterator, Mapping
from fractions import Fraction

from billing.body import line_id_of
from billing.cap_states import CapState, Position, cap_histories, position_of, window_of
from billing.entries import BillingEntry
from billing.exact import decimal_of, shown
from billing.explain import clock_text, hours_text, signed_clock
from billing.increments import rule_text
from billing.invoice import Traced
from billing.nodes import Named, Node, NodeKind, clause_facts, clause_node, clause_of
from billing.portions import Placed, Portion
from billing.premiums import label_of
from billing.rating import RatedPart
from billing.results import SourceShare
from billing.settled import SettledCharge, SettledLine
from schemas.draft import Bucket, LineKind

EXACT_PLACES = 6


class Explanations:
    """Answers about one traced invoice; histories of caps and tiers are made once, at the first question."""

    def __init__(self, traced: Traced) -> None:
        self._traced = traced
        self._contract = traced.invoice.request.contract
        self._caps = cap_histories(traced)
        self._tiers = _tier_positions(traced)

    def lines(self) -> Iterator[Node]:
        """All lines in order."""
        for index in range(len(self._traced.lines)):
            yield self.line(index)

    def line_of(self, line_id: str) -> Node | None:
        """The line of an id, or the beginning of one."""
        for index, line in enumerate(self._traced.invoice.lines):
            if line_id_of(self._traced.invoice, line).startswith(line_id):
                return self.line(index)
        return None

    def line(self, index: int) -> Node:
        """The tree of one line."""
        text, facts = self._line_head(index)
        settled = self._traced.lines[index]
        return Node(
            NodeKind.LINE, text, facts, (self._terms(), *(self._charge(settled, one) for one in settled.charges))
        )

    def _line_head(self, index: int) -> tuple[str, dict[str, str | int]]:
        """What a line says by itself."""
        line = self._traced.invoice.lines[index]
        price = f"{line.quantity:f} {line.unit} x {line.unit_price:f} {self._contract.currency}"
        less = f", adjusted by {self._money(line.adjustment_units)}" if line.adjustment_units else ""
        return f"Line {index + 1} '{line.text}': {price}{less} = {self._money(line.units)}", {
            "line_id": line_id_of(self._traced.invoice, line),
            "position": index + 1,
            "kind": line.kind.value,
            "quantity": f"{line.quantity:f}",
            "unit_price": f"{line.unit_price:f}",
            "seconds": line.seconds,
            "adjustment": self._decimal(line.adjustment_units),
            "amount": self._decimal(line.units),
            "currency": self._contract.currency,
        }

    def _terms(self) -> Node:
        request, document = self._traced.invoice.request, self._contract.document
        text = f"Contract {self._contract.id}, revision {request.contract_revision[:12]}"
        clauses = tuple(
            Node(NodeKind.CLAUSE, f"{key}: {words}", {"setting": key, "clause": words})
            for key, words in sorted(document.clauses.items())
        )
        facts = {"contract_id": self._contract.id, "contract_revision": request.contract_revision}
        return Node(NodeKind.CONTRACT, text, facts, clauses)

    def _charge(self, settled: SettledLine, one: SettledCharge) -> Node:
        key, agreed = one.charge.key, settled.line.agreed
        seconds = f"{clock_text(one.charge.seconds)} x " if one.charge.seconds else ""
        below: list[Node] = [] if settled.line.key.kind is not LineKind.FEE else list(self._rates(one))
        below += [Node(NodeKind.STEP, step) for step in (() if agreed is None else agreed.steps)]
        if agreed is None and not below:
            below.append(Node(NodeKind.RATE, key.origin, {"unit_price": f"{key.unit_price:f}"}))
        below += self._taken(one)
        below += [self._allocation(settled, one, source) for source in one.sources]
        return Node(
            NodeKind.CHARGE,
            f"Charge: {seconds}{key.unit_price:f} = {self._money(one.units)}",
            {
                "seconds": one.charge.seconds,
                "unit_price": f"{key.unit_price:f}",
                "exact": self._exact(one.charge.gross),
                "amount": self._decimal(one.units),
            },
            tuple(below),
        )

    def _rates(self, one: SettledCharge) -> Iterator[Node]:
        """Where the unit price comes from and which candidates lost; one node for each different answer."""
        seen: set[tuple[str, tuple[str, ...]]] = set()
        for position in one.charge.positions:
            part = self._traced.rated.parts[position]
            rate = part.portion.terms.rate
            lost = () if rate is None else rate.lost
            if (part.price.origin, lost) in seen:
                continue
            seen.add((part.price.origin, lost))
            clause = "" if rate is None or part.portion.price is not None else rate.row.clause
            facts: dict[str, str | int] = {"unit_price": f"{part.price.unit_price:f}", "origin": part.price.origin}
            below = [Node(NodeKind.LOST, text, {"candidate": text}) for text in lost]
            text = f"Rate: {part.price.origin}"
            yield Node(NodeKind.RATE, text, facts | clause_facts(clause), (*clause_node(clause), *below))

    def _taken(self, one: SettledCharge) -> Iterator[Node]:
        """What discounts and amount caps took from the charge, and what rounding the line gave or took."""
        for discount_id, amount in sorted(one.discounts.items()):
            clause = clause_of(self._contract.document.discounts, discount_id)
            text = f"Discount {discount_id} takes {self._exact(amount)} {self._contract.currency}"
            facts: dict[str, str | int] = {"discount": discount_id, "amount": self._exact(amount)}
            yield Node(NodeKind.DISCOUNT, text, facts | clause_facts(clause), clause_node(clause))
        for cap_id, amount in sorted(one.taken.items()):
            clause = clause_of(self._contract.document.amount_caps, cap_id)
            text = f"Amount cap {cap_id} takes {self._exact(amount)} {self._contract.currency}"
            facts = {"cap": cap_id, "amount": self._exact(amount)}
            yield Node(NodeKind.AMOUNT_CAP, text, facts | clause_facts(clause), clause_node(clause))
        residual = Fraction(one.units, 10**self._contract.places) - one.net
        if residual:
            text = f"Rounded with its line: {self._exact(residual)} {self._contract.currency}"
            yield Node(NodeKind.ROUNDING, text, {"residual": self._exact(residual)})

    def _allocation(self, settled: SettledLine, charge: SettledCharge, source: SourceShare) -> Node:
        """One entry's part of a charge."""
        below: list[Node] = []
        if settled.line.key.kind is LineKind.FEE:
            for position in source.positions:
                below += self._part(self._traced.rated.parts[position])
        below.append(entry_node(source.entry))
        facts: dict[str, str | int] = {
            "entry_id": source.entry.entry_id,
            "bucket": Bucket.BILLED.value,
            "work_date": source.day.isoformat(),
            "worked_seconds": source.worked_seconds,
            "delta_seconds": source.delta_seconds,
            "amount": self._decimal(source.units),
        }
        seconds = charge.charge.seconds
        if seconds and settled.line.package is None:
            part = Fraction(source.worked_seconds + source.delta_seconds, seconds)
            share = charge.net * part
            for name, taken in (("discount_share", charge.discounts), ("amount_cap_share", charge.taken)):
                if taken:
                    facts[name] = self._exact(-part * sum(taken.values(), Fraction(0)))
            facts["rounding_share"] = self._exact(Fraction(source.units, 10**self._contract.places) - share)
        delta = f" {signed_clock(source.delta_seconds)} rounding" if source.delta_seconds else ""
        text = f"{source.day}: {clock_text(source.worked_seconds)}{delta} = {self._money(source.units)}"
        return Node(NodeKind.ALLOCATION, text, facts, tuple(below))

    def _part(self, part: RatedPart) -> Iterator[Node]:
        """What the rules did to one stretch of an entry's time."""
        portion = part.portion
        yield from increment_nodes(portion)
        yield from (_cap_node(state) for state in self._caps.get(position_of(portion), ()))
        if (tier := self._tiers.get(position_of(portion))) is not None:
            yield tier
        if part.price.variant:
            labels = part.price.variant.split(", ")
            clauses = [one.clause for one in portion.terms.premiums if label_of(one) in labels]
            clause = next((one for one in clauses if one), "")
            facts: dict[str, str | int] = {"variant": part.price.variant}
            yield Node(NodeKind.PREMIUM, part.price.variant, facts | clause_facts(clause), clause_node(clause))
        if part.price.conversion:
            yield Node(NodeKind.CURRENCY, f"Converted: {part.price.conversion}", {"conversion": part.price.conversion})

    def entry(self, entry_id: str) -> Node | None:
        """Where all seconds of an entry went, on lines or not; None when it is not in this invoice."""
        found = [*self._on_lines(entry_id), *self._off_lines(entry_id)]
        entries = (one for one in self._traced.invoice.request.entries if one.entry_id == entry_id)
        entry = next(entries, None)
        if entry is None or not found:
            return None
        node = entry_node(entry)
        return Node(node.kind, node.text, node.facts, (self._terms(), *node.below, *found))

    def _on_lines(self, entry_id: str) -> Iterator[Node]:
        for index, settled in enumerate(self._traced.lines):
            for charge in settled.charges:
                for source in charge.sources:
                    if source.entry.entry_id == entry_id:
                        text, line = self._line_head(index)
                        rates = self._rates(charge) if settled.line.key.kind is LineKind.FEE else ()
                        one = self._allocation(settled, charge, source)
                        kept = tuple(node for node in one.below if node.kind is not NodeKind.ENTRY)
                        facts = {**one.facts, "line_id": line["line_id"]}
                        below = (*rates, *kept, *self._taken(charge))
                        yield Node(one.kind, f"On {text}: {one.text}", facts, below)

    def _off_lines(self, entry_id: str) -> Iterator[Node]:
        period = self._traced.invoice.request.period
        for one in self._traced.placed:
            if one.entry.entry_id == entry_id and one.counted_day in period:
                yield self._placement(one)

    def _placement(self, one: Placed) -> Node:
        """Time that is not billed on this invoice, and why."""
        name = f"{one.bucket.value} {one.reason}".strip()
        detail = f" ({one.detail})" if one.detail else ""
        facts: dict[str, str | int] = {
            "bucket": one.bucket.value,
            "reason": one.reason,
            "detail": one.detail,
            "worked_seconds": one.worked_seconds,
            "delta_seconds": one.delta_seconds,
            "work_date": one.day.isoformat(),
        }
        below: list[Node] = []
        if one.reason.startswith("cap:") and one.terms is not None:
            below += [_cap_node(state) for state in self._full(one)]
        if one.bucket in (Bucket.RETAINER, Bucket.FIXED_FEE):
            clause = self._engagement_clause(one.reason.partition(":")[2])
            facts_of = {"engagement": one.reason, "change": one.detail, **clause_facts(clause)}
            below.append(
                Node(NodeKind.BALANCE, f"Balance {one.reason} {one.detail}".strip(), facts_of, clause_node(clause))
            )
        return Node(
            NodeKind.PLACEMENT, f"{one.day}: {clock_text(one.worked_seconds)} {name}{detail}", facts, tuple(below)
        )

    def _full(self, one: Placed) -> Iterator[CapState]:
        """The cap that took the time: it was full."""
        assert one.terms is not None, "the caller looked"
        applied = one.terms.caps.get(one.reason.removeprefix("cap:"))
        if applied is not None:
            window = window_of(applied.cap, applied.pool_key, one)
            state = self._traced.allocated.windows.get(window)
            if state is not None:
                full = state.limit_seconds
                yield CapState(applied.cap, window, full, full, full, applied.row.clause)

    def _engagement_clause(self, engagement_id: str) -> str:
        document = self._contract.document
        rows: tuple[Named, ...] = (*document.retainers, *document.prepaid_blocks, *document.fixed_cover)
        return clause_of(rows, engagement_id)

    def _money(self, units: int) -> str:
        return f"{decimal_of(units, self._contract.places):,f} {self._contract.currency}"

    def _decimal(self, units: int) -> str:
        return f"{decimal_of(units, self._contract.places):f}"

    def _exact(self, amount: Fraction) -> str:
        return f"{shown(amount, EXACT_PLACES):f}"


def entry_node(entry: BillingEntry) -> Node:
    """An entry version as the source gave it, and what it was decided to be."""
    said = entry.description or "(no text)"
    category = "undecided" if entry.category is None else entry.category.value
    sure = "" if entry.confidence is None else f", confidence {entry.confidence:f}"
    return Node(
        NodeKind.ENTRY,
        f"Entry {entry.entry_id[:12]} of {entry.person_id or '?'}: {clock_text(entry.worked_seconds)}, '{said}'",
        {
            "entry_id": entry.entry_id,
            "version": entry.content,
            "source": entry.source,
            "source_entry_id": entry.source_entry_id,
            "person_id": entry.person_id,
            "worked_seconds": entry.worked_seconds,
        },
        (
            Node(
                NodeKind.DECISION,
                f"Decided {category}{sure}",
                {"category": category, "confidence": "" if entry.confidence is None else f"{entry.confidence:f}"},
            ),
        ),
    )


def increment_nodes(portion: Portion) -> Iterator[Node]:
    """How the worked time was rounded."""
    rule = portion.terms.increment
    if rule.minutes or portion.delta_seconds:
        worked, delta = clock_text(portion.worked_seconds), signed_clock(portion.delta_seconds)
        text = f"Increments {rule_text(rule)}: {worked} worked, {delta} rounding"
        facts: dict[str, str | int] = {"rule": rule_text(rule), "delta_seconds": portion.delta_seconds}
        yield Node(NodeKind.INCREMENT, text, facts | clause_facts(rule.clause), clause_node(rule.clause))


def _cap_node(state: CapState) -> Node:
    _, pool, key = state.window
    text = (
        f"Cap {state.cap.id} ({pool}, {key}): {hours_text(state.before_seconds)} -> "
        f"{hours_text(state.after_seconds)} of {hours_text(state.limit_seconds)}"
    )
    facts: dict[str, str | int] = {
        "cap": state.cap.id,
        "pool": pool,
        "window": key,
        "before_seconds": state.before_seconds,
        "after_seconds": state.after_seconds,
        "limit_seconds": state.limit_seconds,
    }
    return Node(NodeKind.CAP, text, facts | clause_facts(state.clause), clause_node(state.clause))


def _tier_positions(traced: Traced) -> Mapping[Position, Node]:
    """The position of each tier before and after each stretch that it prices."""
    contract = traced.invoice.request.contract
    used: dict[tuple[str, str], int] = {}
    found: dict[Position, Node] = {}
    # Priced parts are the stretches that a line is made of: a premium may have cut what a tier priced as one.
    for portion, _ in traced.rated.parts:
        tier = portion.terms.tier
        if tier is None or portion.price is None or not portion.price.origin.startswith(f"tier {tier.id}"):
            continue
        whole = tier.reset.value == "contract"
        window = (tier.id, "" if whole else contract.period_of(portion.counted_day).text)
        before = used.get(window, 0)
        used[window] = after = before + portion.billable_seconds
        facts: dict[str, str | int] = {"tier": tier.id, "before_seconds": before, "after_seconds": after}
        text = f"Tier {tier.id}: position {hours_text(before)} -> {hours_text(after)}"
        found[position_of(portion)] = Node(
            NodeKind.TIER, text, facts | clause_facts(tier.clause), clause_node(tier.clause)
        )
    return found
