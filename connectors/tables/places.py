"""Where the cells of each meaning stand in a row, as plain numbers: the parser asks a dozen times for each row."""

from dataclasses import dataclass
from typing import Self

from connectors.tables.formats import Plan
from connectors.tables.mapping import Column

EMPTY = -1


@dataclass(frozen=True, slots=True)
class Places:
    """A place for every `Column` of that name; what has no column points to the empty cell at the end of the row."""

    id: int
    revision: int
    updated_at: int
    kind: int
    person: int
    email: int
    first_name: int
    last_name: int
    client: int
    project: int
    task: int
    service_item: int
    tags: int
    description: int
    billable: int
    invoiced: int
    date: int
    start_time: int
    end_date: int
    end_time: int
    start: int
    end: int
    duration: int
    amount: int
    currency: int
    quantity: int
    unit_price: int
    category: int

    @classmethod
    def of(cls, plan: Plan) -> Self:
        """The places of a plan."""
        return cls(**{meaning.value: plan.places.get(meaning, EMPTY) for meaning in Column})

    @property
    def has_end(self) -> bool:
        """Whether an entry could say when it ended, so that an empty end means a running timer."""
        return self.end != EMPTY or self.end_time != EMPTY

    @property
    def has_person(self) -> bool:
        """Whether the table can say whose time it is."""
        return max(self.person, self.email, self.first_name, self.last_name) != EMPTY

    @property
    def names(self) -> tuple[int, ...]:
        """Places of names and ids, which are limited in length."""
        named = (self.id, self.person, self.email, self.first_name, self.last_name, self.client, self.project)
        return tuple(at for at in (*named, self.task, self.service_item, self.category) if at != EMPTY)
