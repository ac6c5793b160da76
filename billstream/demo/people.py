"""Who works at the sample firm, for whom, and how much; the plan that the generator turns into exports."""

from dataclasses import dataclass

from billstream.demo.texts import (
    BREWERY_SUPPORT,
    KESTREL_APP,
    MERIDIAN_CLAIM,
    NORTHWIND_SHOP,
    QUILLON_ADVICE,
    TIDEWELL_ROLLOUT,
    Job,
)


@dataclass(frozen=True)
class Engagement:
    """A project as the time trackers know it."""

    client: str
    project: str
    jobs: tuple[Job, ...]


NORTHWIND = Engagement("Northwind Outdoor GmbH", "Shop relaunch", NORTHWIND_SHOP)
KESTREL = Engagement("Kestrel Mobility AG", "Rider app", KESTREL_APP)
MERIDIAN = Engagement("Meridian Mutual Insurance", "Quay Wall Claim", MERIDIAN_CLAIM)
QUILLON = Engagement("Quillon Robotics Inc.", "Operating model", QUILLON_ADVICE)
TIDEWELL = Engagement("Tidewell Kliniken", "Ward system roll-out", TIDEWELL_ROLLOUT)
BREWERY = Engagement("Brauerei Pavlik", "Support desk", BREWERY_SUPPORT)


@dataclass(frozen=True)
class Worker:
    """A person: shares of a day by engagement (in percent), usual minutes and entries a day, and working weekdays.

    `jobs` limits the person to jobs by position; empty means all.
    """

    name: str
    email: str
    group: str
    shares: tuple[tuple[Engagement, int], ...]
    minutes_a_day: int
    entries_a_day: int
    weekdays: str = "01234"
    jobs: tuple[int, ...] = ()


def _email(name: str) -> str:
    plain = name.lower().translate(str.maketrans("áíıöé", "aiioe"))
    first, last = plain.replace("dr. ", "").split(" ", 1)
    return f"{first}.{last}@hafenstein.example"


def _worker(
    name: str,
    group: str,
    shares: tuple[tuple[Engagement, int], ...],
    day: tuple[int, int],
    *,
    weekdays: str = "01234",
    jobs: tuple[int, ...] = (),
) -> Worker:
    return Worker(name, _email(name), group, shares, day[0], day[1], weekdays, jobs)


STUDIO = (
    _worker("Mara Lindqvist", "Studio", ((NORTHWIND, 100),), (508, 3), jobs=(0, 1, 3)),
    _worker("Jonas Okafor", "Studio", ((NORTHWIND, 70), (KESTREL, 30)), (480, 3), jobs=(0, 1)),
    _worker("Ira Petrenko", "Studio", ((KESTREL, 60), (NORTHWIND, 40)), (455, 3), jobs=(0, 1)),
    _worker("Noor Haddad", "Studio", ((KESTREL, 100),), (430, 3)),
    _worker("Felix Brandt", "Studio", ((NORTHWIND, 100),), (300, 2), weekdays="0123", jobs=(2,)),
    _worker("Yuki Tanabe", "Studio", ((NORTHWIND, 50), (KESTREL, 50)), (150, 2), weekdays="0134", jobs=(3,)),
)
LEGAL = (
    _worker("Dr. Helene Sommerfeld", "Legal", ((MERIDIAN, 100),), (160, 2), weekdays="024", jobs=(0, 1, 3)),
    _worker("Casper Bruun", "Legal", ((MERIDIAN, 100),), (290, 2), weekdays="01234"),
    _worker("Aoife Brennan", "Legal", ((MERIDIAN, 100),), (240, 2), weekdays="0134"),
    _worker("Leonie Fuchs", "Legal", ((MERIDIAN, 100),), (200, 1), weekdays="124", jobs=(2,)),
)
CONSULTING = (
    _worker("Priya Raman", "Consulting", ((QUILLON, 70), (TIDEWELL, 30)), (330, 2), weekdays="0123", jobs=(0,)),
    _worker("Tomás Echeverría", "Consulting", ((QUILLON, 100),), (420, 2)),
    _worker("Wanda Kowalczyk", "Consulting", ((TIDEWELL, 100),), (460, 2)),
    _worker("Deniz Aydın", "Consulting", ((QUILLON, 60), (TIDEWELL, 40)), (400, 2), jobs=(1,)),
    _worker("Hugo Marchetti", "Operations", ((BREWERY, 100),), (235, 5)),
)
