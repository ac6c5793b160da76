"""The envelope every record carries: who it is about, what caused it, where it came from, when it was recorded."""

from schemas.values import Instant, Value


class Envelope(Value):
    """`event_id` is deterministic; `causation` is the event that led to this one, `correlation` the story both belong to.

    `origin` says who wrote it (`connector:toggl-csv`, `cli`, `fold@4711`), `producer` names the program and version.
    """

    event_id: str
    tenant: str
    book: str
    causation: str = ""
    correlation: str = ""
    origin: str
    recorded_at: Instant
    producer: str
