"""What an entry is and why it waits for a person, at an offset, in the words of the product."""

from dataclasses import dataclass
from decimal import Decimal

from billing.entries import Hold
from billstream.simulating.oracle.entries import Resolved, group, said
from schemas import commands
from schemas.entry import EntryKind
from schemas.inputs import RANK_ORDER, Category, Decision


@dataclass(frozen=True)
class Verdict:
    """What counts for an entry: a person's correction, else the best answer."""

    category: Category
    service_item: str
    utbms_task: str
    utbms_activity: str
    confidence: Decimal
    held_reason: str
    evidence: tuple[str, ...]


def rank(decision: Decision) -> tuple[int, int]:
    """Which of two answers is better."""
    return RANK_ORDER[decision.rank], decision.decider_version


def word_of(corrected: commands.CorrectEntry) -> Verdict:
    """A person's correction as a verdict."""
    text = f"{corrected.person}: {corrected.reason}"
    codes = (corrected.service_item, corrected.utbms_task, corrected.utbms_activity)
    return Verdict(corrected.category, *codes, Decimal(1), "", (text,))


def verdict_of(one: Resolved, answers: dict[tuple[str, str], Decision]) -> Verdict | None:
    """A person's correction of this text, else the best answer for these inputs, else nothing."""
    corrected = one.told.corrections.get(said(one.version))
    if corrected is not None:
        return word_of(corrected)
    found = answers.get((one.version.entry_id, one.input_hash))
    if found is None:
        return None
    codes = (found.service_item, found.utbms_task, found.utbms_activity)
    return Verdict(found.category, *codes, found.confidence, found.held_reason, found.evidence)


def holds_of(one: Resolved, verdict: Verdict | None) -> tuple[Hold, ...]:
    """Why an entry waits for a person, in the words of the product."""
    version, told = one.version, one.told
    is_time = version.kind is EntryKind.TIME
    reasons = [
        (told.conflict(), "conflicting_version", "the source gave two contents for one revision"),
        (version.running, "running", "the timer still runs"),
        (bool(version.problem), version.problem, "the connector was unsure"),
        (bool(told.held_by), "held_by_person", told.held_by),
        (bool(told.missing_from), "deletion_proposed", f"missing from import {told.missing_from}"),
        (bool(one.duplicate_of), "possible_duplicate", f"same time as entry {one.duplicate_of}"),
        (version.invoiced_at_source, "invoiced_at_source", "the source says it was invoiced there"),
        (is_time and not one.person_id, "person_unknown", f"nobody in the directory is called {version.person_ref!r}"),
    ]
    if verdict is not None:
        reasons.append((bool(verdict.held_reason), verdict.held_reason, "; ".join(verdict.evidence)))
    return tuple(Hold(word, text) for holds, word, text in reasons if holds and word not in settled(one))


def looked_at(one: Resolved, word: str) -> str:
    """What a person who releases an entry has looked at; when it is another, the release is not about it."""
    version = one.version
    if word == "possible_duplicate":
        return one.duplicate_of
    if word == "conflicting_version":
        return f"{group(version)} {version.content} {sorted(one.told.contents())}"
    if word == "person_unknown":
        return version.person_ref
    if word.startswith("cap:"):
        return f"{one.contract_id} {version.content}"
    return version.content if word in (version.problem, "invoiced_at_source") else one.input_hash


def settled(one: Resolved) -> frozenset[str]:
    """The words that a person released for what is still so."""
    return frozenset(word for word, seen in one.told.released if seen == looked_at(one, word))
