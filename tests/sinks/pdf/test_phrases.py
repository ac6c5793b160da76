"""What billing says on lines is said in the language of the paper; what people wrote is not touched."""

import pytest

from billing.testing import open_desk
from schemas.draft import DraftLine, LineKind
from sinks.pdf.numbers import Numbers
from sinks.pdf.phrases import own_words
from sinks.pdf.words import LANGUAGES
from sinks.testing import example_fee

FRAMES = (
    (LineKind.FEE, "Portal, Services, Dana (senior)", "Portal, Leistungen, Dana (senior)"),
    (LineKind.FEE, "Services", "Leistungen"),
    (LineKind.FEE, "Portal, Dana (above retainer Care (plus) x 1.5)", "Portal, Dana (über Care (plus) x 1.5 hinaus)"),
    (LineKind.FEE, "Portal, Dana (above cap week)", "Portal, Dana (über der Grenze week)"),
    (LineKind.RETAINER_FEE, "Care: 12.50 h used, 0.00 h left", "Care: 12,50 h verbraucht, 0,00 h übrig"),
    (LineKind.MARKUP, "Mark-up on expenses", "Aufschlag auf Auslagen"),
    (LineKind.DEPOSIT, "Deposit of 2026-02-01, deducted", "Deposit vom 01.02.2026, abgezogen"),
    (LineKind.MINIMUM_TRUE_UP, "Minimum commitment, shortfall", "Mindestumsatz, Fehlbetrag"),
    (LineKind.MINIMUM_TRUE_UP, "Base, shortfall of 2026-01", "Base, Fehlbetrag aus 2026-01"),
)


def said(kind: LineKind, text: str, locale: str) -> str:
    line = example_fee(1).model_copy(update={"kind": kind, "text": text, "service_item": ""})
    return own_words(line, text, LANGUAGES[locale[:2]], Numbers(locale, "EUR"))


@pytest.mark.parametrize(("kind", "text", "german"), FRAMES)
def test_a_frame_of_billing_is_said_in_the_papers_language(kind: LineKind, text: str, german: str) -> None:
    """In German it is another text, in English the same but for the form of dates; names inside it stay."""
    assert said(kind, text, "de-DE") == german
    assert said(kind, text, "en-GB") == text.replace("2026-02-01", "1 Feb 2026")
    for locale in ("fr-FR", "es-ES"):
        assert said(kind, text, locale) not in (text, german)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (LineKind.FEE, "Financial Services review"),
        (LineKind.FEE, "call, above all"),
        (LineKind.EXPENSE, "Mark-up on expenses"),
        (LineKind.RECURRING_FEE, "Care: 12.50 h used, 0.00 h left"),
        (LineKind.MARKUP, "Mark-up on expenses of May"),
    ],
)
def test_other_texts_stay_as_they_are(kind: LineKind, text: str) -> None:
    """Only a whole frame of the kind of line that has it is put into other words."""
    assert said(kind, text, "de-DE") == text


def test_what_somebody_typed_is_never_translated() -> None:
    """A narrative that reads like our words, and a service item that is called so."""
    line = example_fee(1).model_copy(update={"text": "Call, Services", "service_item": ""})
    typed = line.model_copy(update={"sources": (line.sources[0].model_copy(update={"description": "Call, Services"}),)})
    named = line.model_copy(update={"service_item": "Services"})
    numbers, words = Numbers("de-DE", "EUR"), LANGUAGES["de"]
    assert [own_words(one, one.text, words, numbers) for one in (line, typed, named)] == [
        "Call, Leistungen",
        "Call, Services",
        "Call, Services",
    ]


def test_the_frames_are_those_that_billing_writes() -> None:
    """A month with all of them: nothing of billing's own English is left on German paper."""
    retainer = {"id": "care", "name": "Paket", "hours": "2", "fee": "200.00", "overage_rate": "120.00"}
    minimum = {"amount": "5000.00", "every": "month", "counts": "fees", "shortfall": "bill"}
    markup = {"percent": "10"}
    desk = open_desk(
        rates=[{"rate": "100.00"}],
        retainers=[retainer],
        minimum=[minimum],
        expenses={"markups": [markup], "show_markup": "separate"},
        deposits=[
            {"id": "d", "name": "Anzahlung", "amount": "50.00", "on": "2024-02-01", "deduct_from": "next_invoices"}
        ],
    )
    work = "kind  date  worked  amount\ntime  2025-03-03  5.00  -\nexpense  2025-03-04  -  80.00"
    lines: tuple[DraftLine, ...] = desk.bill(work).body.lines
    numbers, words = Numbers("de-DE", "USD"), LANGUAGES["de"]
    german = {line.kind: own_words(line, line.text, words, numbers) for line in lines}
    assert german[LineKind.FEE].endswith("(über Paket hinaus)")
    assert german[LineKind.FEE].startswith("Leistungen, ")
    assert german[LineKind.MARKUP] == "Aufschlag auf Auslagen"
    assert german[LineKind.MINIMUM_TRUE_UP] == "Mindestumsatz, Fehlbetrag"
    assert "Paket: 2,00 h verbraucht, 0,00 h übrig" in [own_words(line, line.text, words, numbers) for line in lines]
