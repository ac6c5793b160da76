"""The partition of a key is a promise to everything already stored."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.kafka import partition_for


@pytest.mark.parametrize(
    ("key", "count", "partition"),
    [("", 12, 4), ("main", 12, 3), ("main", 1, 0), ("acme", 12, 0), ("Müller & Söhne", 12, 0), ("acme", 1000, 872)],
)
def test_known_keys_keep_their_partition_for_ever(key: str, count: int, partition: int) -> None:
    """Changing the function would split every book in two; these values are golden."""
    assert partition_for(key, count) == partition


@given(st.text(), st.integers(min_value=1, max_value=10_000))
def test_a_partition_is_always_one_of_the_topic(key: str, count: int) -> None:
    """No key may fall outside of the topic."""
    assert 0 <= partition_for(key, count) < count


def test_a_thousand_books_spread_over_all_partitions() -> None:
    """No partition of twelve gets more than twice its share."""
    shares = [0] * 12
    for number in range(1000):
        shares[partition_for(f"firm-{number}", 12)] += 1
    assert max(shares) < 2 * 1000 / 12
    assert min(shares) > 1000 / 12 / 2


def test_a_topic_without_partitions_is_our_bug() -> None:
    """Zero partitions must not become a division error somewhere else."""
    with pytest.raises(ValueError, match="at least one"):
        partition_for("x", 0)
