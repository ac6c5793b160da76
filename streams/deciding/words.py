"""Words and phrases as people write them in notes: how they are compared, and the small vocabularies of the offline
decider.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

_TOKEN = re.compile(r"[\w']+", re.UNICODE)
_PHRASES_MAX = 4096

VAGUE = frozenset(
    (
        "misc various stuff work working things wip admin call calls email mail review research meeting meetings "
        "task tasks update updates general etc follow up continued cont tbd todo support help regarding same attention "
        "to on matter file and the"
    ).split()
)
"""An entry that holds only such words says nothing that a client would accept."""

OWN_COST = (
    ("own error", "our error", "our mistake", "my own error", "rework our", "free of charge", "courtesy", "no charge"),
    ("agreed not chargeable", "not chargeable", "not billable", "non billable"),
    ("new business", "hiring interview", "internal training", "timesheet", "timesheets", "unpaid invoice"),
)
"""Words that say themselves that no client pays."""

MAYBE_OWN_COST = (
    ("pitch", "proposal", "upsell", "prospect", "renewal", "opportunity", "relationship", "business review"),
    (
        "internal",
        "all hands meeting",
        "recruiting",
        "candidate",
        "onboarding",
        "certification",
        "membership",
        "seminar",
    ),
    ("lunch", "dinner", "coffee", "hack day", "office supplies", "holiday", "sick leave", "vacation"),
    ("invoice", "invoices", "invoicing", "engagement letter", "conflict check", "paperwork", "staffing plan"),
    (
        "our own",
        "own team's",
        "own laptop",
        "agency's own",
        "firm bio",
        "portfolio",
        "case studies",
        "knowledge capture",
    ),
    ("travel", "flight", "train to", "drive to", "courier", "scan and file", "filing", "calendar court"),
    ("redid", "redo", "re ran", "wrong env", "i broke", "our first version", "my mistake"),
)
"""Words after which a careful biller looks twice: often the firm's own work, selling, travel or an own error."""

SERVICE_ITEMS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("QA & Testing", ("test", "tests", "testing", "qa", "regression", "acceptance")),
    ("Maintenance & Support", ("bugfix", "bug", "hotfix", "upkeep", "patch", "incident", "outage", "fix")),
    ("Design", ("design", "mockup", "wireframe", "figma", "layout", "hero", "icons")),
    (
        "Development",
        ("implement", "build", "api", "backend", "frontend", "refactor", "deploy", "migration", "checkout"),
    ),
    ("SEO & Paid Media", ("seo", "keyword", "ads", "campaign")),
    ("Analytics & Reporting", ("report", "reporting", "dashboard", "analytics", "metrics")),
    ("Content & Copy", ("copy", "article", "blog", "newsletter", "paper")),
    ("Training & Workshops", ("workshop", "training", "onboarding")),
    ("Project Management", ("planning", "backlog", "sprint", "standup", "retro", "roadmap")),
    ("Account Management", ("client call", "check-in", "status call", "account")),
    ("Strategy & Consulting", ("strategy", "roadmap", "assessment", "advice", "recommendation")),
)

ACTIVITIES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("A103", ("draft", "drafted", "drafting", "revise", "revised", "redline", "prepare draft", "wrote")),
    ("A102", ("research", "researched", "case law", "authorities")),
    ("A105", ("internal conference", "team call", "in-firm")),
    ("A107", ("opposing counsel", "co-counsel", "outside counsel")),
    ("A109", ("attend", "attended", "hearing", "appear", "appeared", "deposition")),
    ("A106", ("client", "gc")),
    ("A108", ("court clerk", "agency", "expert", "witness", "call with", "negotiated", "correspondence")),
    ("A101", ("plan", "prepare for", "preparation", "outline", "prepped")),
    ("A104", ("review", "reviewed", "analyse", "analyze", "analysed", "read")),
    ("A110", ("organise", "organize", "index", "data room", "production set", "bates")),
)

TASKS: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "L": (
        ("L330", ("deposition", "depose", "deponent")),
        ("L320", ("document production", "production set", "bates", "responsive documents")),
        ("L310", ("interrogatories", "written discovery", "requests for admission", "discovery requests")),
        ("L350", ("motion to compel", "discovery motion")),
        ("L240", ("summary judgment", "motion to dismiss", "dispositive")),
        ("L250", ("motion", "brief", "memorandum")),
        ("L210", ("complaint", "answer", "pleading", "counterclaim")),
        ("L160", ("settlement", "mediation", "mediator")),
        ("L130", ("expert",)),
        ("L440", ("trial prep", "exhibit", "witness outline")),
        ("L450", ("trial", "hearing")),
        ("L510", ("appeal", "appellate")),
        ("L110", ("fact investigation", "interview", "chronology", "facts")),
        ("L120", ("strategy", "case assessment", "analysis", "risk")),
    ),
    "P": (
        ("P210", ("corporate records", "corporate review", "minute book")),
        ("P240", ("lease", "title", "real estate")),
        ("P250", ("employment", "employee", "labor")),
        ("P260", ("trademark", "patent", "licence", "license", "ip ")),
        ("P500", ("negotiat", "redline", "comments on", "turn of")),
        ("P400", ("draft", "agreement", "purchase agreement", "term sheet")),
        ("P600", ("closing", "signing", "completion")),
        ("P300", ("structure", "strategy", "memo")),
        ("P280", ("due diligence", "data room")),
        ("P100", ("kick-off", "checklist", "coordination")),
    ),
    "C": (
        ("C200", ("research", "case law", "statute")),
        ("C100", ("fact", "intake", "interview")),
        ("C400", ("regulator", "counterparty", "third party", "opposing")),
        ("C300", ("advice", "advise", "memo", "opinion", "analysis", "review", "draft", "policy", "call")),
    ),
}


def normal(text: str) -> str:
    """Lower case words with one blank between, blanks at both ends, so that phrases match whole words."""
    return f" {' '.join(_TOKEN.findall(text.casefold()))} "


@lru_cache(maxsize=_PHRASES_MAX)
def _phrase(text: str) -> str:
    return normal(text).rstrip() if text.endswith("-") else normal(text)


def first_match(text: str, phrases: Iterable[str]) -> str:
    """The first of the phrases that the normalised text contains as whole words; empty if none."""
    for phrase in phrases:
        wanted = _phrase(phrase)
        if wanted.strip() and wanted in text:
            return phrase
    return ""


def first_label(text: str, table: Iterable[tuple[str, tuple[str, ...]]]) -> tuple[str, str]:
    """The first label one of whose phrases the text contains, and that phrase; two empty texts if none."""
    for label, phrases in table:
        if found := first_match(text, phrases):
            return label, found
    return "", ""


def is_vague(text: str) -> bool:
    """Whether nothing in the text says what was done."""
    words = _TOKEN.findall(text.casefold())
    return all(word in VAGUE or len(word) < 3 for word in words)  # "qa" alone says too little
