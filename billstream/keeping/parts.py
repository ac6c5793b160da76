"""Which topics a backup holds, in which order their ends are taken, and why.

A backup is taken while everything goes on. It is one state all the same, because of the order: for each record that is
in it, the record that caused it is in it, too, or is not needed again.

1. stores, which reflect journals that only grow;
2. offsets of groups: what they say is done has arrived before the ends that follow are taken;
3. what the journal causes (documents, alerts, hours, their table, outbox, answers, dead letters, cursors);
4. the journal: everything that caused (3) is in it;
5. the inputs, last, so that as much as possible of them is kept. What of them is not in the journal yet is sequenced
   after a restore; what is, twice, which is harmless.

`work` is not kept: rows know what is open, and the fold asks for it anew when it has caught up.
"""

from collections.abc import Sequence

from runtime.kafka.topics import TopicSpec
from streams.agents import hours
from streams.installation import group_of
from streams.slots import Role
from streams.topics import (
    ALERTS,
    COMMANDS,
    DEAD_LETTERS,
    DOCUMENTS,
    HOURS,
    JOURNAL,
    OUTBOX,
    RESULTS,
    SOURCE_PROGRESS,
    TIME_ENTRIES,
    WORK,
    topic_specs,
)

CAUSED = (DOCUMENTS, ALERTS, HOURS, OUTBOX, RESULTS, DEAD_LETTERS, SOURCE_PROGRESS)
INPUTS = (COMMANDS, TIME_ENTRIES)
FOR_EVER = frozenset({JOURNAL, COMMANDS, DOCUMENTS, DEAD_LETTERS})
"""Of these the broker deletes nothing: records that are missing at their beginning were lost."""
NOT_KEPT = frozenset({WORK})


def groups(application_id: str) -> list[str]:
    """The groups of all roles."""
    return [group_of(application_id, role) for role in Role]


def table_topic(application_id: str) -> str:
    """The topic that keeps the table of hours."""
    return changelog(application_id, 1, 1).name


def changelog(application_id: str, partitions: int, replication_factor: int) -> TopicSpec:
    """As a worker makes it."""
    return hours.changelog_spec(group_of(application_id, Role.SLOW), partitions, replication_factor)


def all_specs(application_id: str, partitions: int, replication_factor: int) -> tuple[TopicSpec, ...]:
    """Every topic of an installation."""
    return (
        *topic_specs(partitions, replication_factor),
        changelog(application_id, partitions, replication_factor),
    )


def steps(application_id: str) -> Sequence[Sequence[str]]:
    """The topics that are kept, in the order in which their ends are taken."""
    return ((*CAUSED, table_topic(application_id)), (JOURNAL,), INPUTS)
