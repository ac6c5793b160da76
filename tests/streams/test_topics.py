"""The topics of an installation: with three replicas a write counts when two brokers have it, in every topic."""

import pytest

from streams.agents.hours import changelog_spec
from streams.topics import topic_specs


@pytest.mark.parametrize(("replication_factor", "wanted"), [(1, None), (2, None), (3, "2"), (5, "2")])
def test_a_write_counts_when_two_brokers_have_it(replication_factor: int, wanted: str | None) -> None:
    """Also in the changelog of running hours, where it is given at creation and not asked of an older topic."""
    specs = [*topic_specs(12, replication_factor), changelog_spec("firm", 12, replication_factor)]
    given = {spec.name: {**spec.settings, **spec.preferred}.get("min.insync.replicas") for spec in specs}
    assert set(given.values()) == {wanted}
