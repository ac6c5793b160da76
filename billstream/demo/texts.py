"""What the people of the sample firm write into their timers; all invented, in the tone of real ones."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Job:
    """A task of a project: its name at the source, its tags and the notes people leave on it."""

    task: str
    tags: tuple[str, ...]
    notes: tuple[str, ...]
    billable: bool = True


NORTHWIND_SHOP = (
    Job(
        "Development",
        ("frontend",),
        (
            "[NOR-212] product page: size picker keeps its choice when the colour changes",
            "NOR-231 lazy images on the category page, measured again on 3G",
            "checkout: guest address form, field errors next to the field",
            "NOR-240 search suggestions, keyboard handling",
            "pairing with Jonas on the basket drawer",
            "moved the store finder to the new map component",
            "review of Ira's branch, two rounds",
            "NOR-255 gift wrapping as its own line in the basket",
            "price badge for members, incl. the odd rounding at 3 for 2",
        ),
    ),
    Job(
        "Development",
        ("backend",),
        (
            "NOR-219 stock feed: retry when the warehouse answers 503",
            "import of the winter catalogue, 4,100 articles, 37 broken pictures",
            "order export for the new carrier, label format B",
            "NOR-247 newsletter opt-in stored with time and text",
            "query plan for the category filter: 1.8 s down to 90 ms",
            "webhooks of the payment provider, signature check",
        ),
    ),
    Job(
        "Design",
        ("design",),
        (
            "Homepage hero, 2nd round of changes after the call with Birte",
            "icons for delivery and returns",
            "Winter campaign landing page, wireframe",
            "contrast fixes from the accessibility report",
            "e-mail templates: order confirmation + shipping",
        ),
    ),
    Job(
        "Meetings",
        (),
        ("weekly with Northwind", "standup", "planning sprint 21", "retro", "call w/ Birte re: relaunch date"),
    ),
)

KESTREL_APP = (
    Job(
        "Bugs",
        ("bugfix",),
        (
            "Bugfix: KM-88 rental does not end when the phone loses signal",
            "KM-91 wrong VAT on the receipt for Austria",
            "crash on start with Android 14, old Mali GPUs",
            "KM-97 map pins jump after zooming out",
            "double charge on retry, found the missing key, wrote a test first",
            "KM-102 translations of the damage report cut off",
            "reproduced the login loop (third try...)",
        ),
    ),
    Job(
        "Upkeep",
        ("upkeep",),
        (
            "dependencies, monthly round",
            "certificate for the partner API renewed",
            "rotated logs, disk at 91 %",
            "moved the nightly job away from 02:30",
            "restore test of the backup: ok, 14 min",
        ),
    ),
    Job(
        "Features",
        ("feature",),
        (
            "KM-70 group rentals: one payer, several scooters",
            "KM-74 parking photo before the end of a ride",
            "geofence editor for city teams, first version",
            "KM-83 student price, proof upload",
            "API for the city dashboard: rides per hour and zone",
        ),
    ),
    Job("Meetings", (), ("Kestrel weekly", "triage with support", "demo for the product owner")),
)

MERIDIAN_CLAIM = (
    Job(
        "L120 Analysis/Strategy",
        (),
        (
            "Review loss adjuster's second report; note on causation",
            "Analyse policy wording, exclusion 4(c), storm surge versus flood",
            "Strategy memorandum on reserve and settlement range",
            "Research recent decisions on late notification",
        ),
    ),
    Job(
        "L210 Pleadings",
        (),
        (
            "Draft statement of defence, sections 1 to 3",
            "Revise statement of defence after comments of HS",
            "Draft reply to the claimant's request for further particulars",
        ),
    ),
    Job(
        "L310 Written Discovery",
        (),
        (
            "Prepare list of documents, tranche 2 (invoices of the contractor)",
            "Review claimant's disclosure, bundles C and D",
            "Index and number 340 documents",
        ),
    ),
    Job(
        "L160 Settlement/Non-Binding ADR",
        (),
        (
            "Telephone conference with client's claims team on mediation",
            "Draft position paper for the mediation",
            "Correspondence with opposing counsel on the mediation date",
        ),
    ),
    Job(
        "L110 Fact Investigation/Development",
        (),
        ("Interview of the harbour master (by video)", "Site visit, photographs of the quay wall"),
    ),
)

QUILLON_ADVICE = (
    Job(
        "Advisory",
        ("strategy",),
        (
            "Operating model: decision rights between Austin and Berlin",
            "Steering committee, prepared and held",
            "Pricing workshop, readout",
            "Interviews with three plant managers",
            "Board paper, third version",
        ),
    ),
    Job(
        "Analysis",
        ("analysis",),
        (
            "Cost-to-serve model, freight by region",
            "cleaned the ERP extract: 212 articles without weight",
            "sensitivity on the dollar, three scenarios",
            "benchmarks of five competitors from annual reports",
            "charts for the board paper",
        ),
    ),
    Job("Project office", ("pmo",), ("status report", "risk log with PR", "minutes of the steering committee")),
)

TIDEWELL_ROLLOUT = (
    Job(
        "On site",
        ("onsite",),
        (
            "Go-live support in the Kiel clinic, early shift",
            "Training of ward 3 and 4 (11 people)",
            "Walk-through of the admission process with Sister Agnes",
            "barcode scanners: 6 of 40 do not pair, replaced",
        ),
    ),
    Job(
        "Configuration",
        ("configuration",),
        (
            "Rosters: night shift over midnight shows on the wrong day",
            "roles and rights for locum doctors",
            "interface to the laboratory, HL7 messages of type ORU",
            "letter templates, discharge summary",
        ),
    ),
    Job(
        "Travel time",
        ("travel",),
        ("Train Berlin-Kiel", "Train Kiel-Berlin, delayed by 70 min, worked offline"),
        billable=False,
    ),
)

BREWERY_SUPPORT = (
    Job(
        "Support",
        ("support",),
        (
            "Till at the Biergarten offline, restarted the switch by phone",
            "printer in the office prints only the upper half",
            "new mailbox for the apprentice",
            "backup warning, old disk replaced",
            "password reset x3 (Oktoberfest temps)",
            "ticket 4471: VPN from the cellar",
            "label printer: wrong umlauts again",
            "ordered and set up two tablets for the tap room",
        ),
    ),
    Job("Administration", ("admin",), ("monthly patch round", "user review with Herr Pavlik", "inventory of licences")),
)

INTERNAL = (
    "internal: hiring interview",
    "all hands",
    "expenses, finally",
    "lunch & learn: SQL windows",
    "invoice questions with Leonie",
)
VAGUE = ("", "stuff", "WIP", "misc", "call", "various", "emails", "t.b.d.", "catch-up", "asdf")
