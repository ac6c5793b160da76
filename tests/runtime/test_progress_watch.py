"""Work that waits and does not move is unhealthy; idleness is not."""

import pytest

from runtime.progress_watch import ProgressWatch


@pytest.fixture
def watch() -> ProgressWatch:
    """Ten seconds without movement are too long."""
    return ProgressWatch(stall_limit_seconds=10)


def test_lag_that_shrinks_is_healthy_however_large(watch: ProgressWatch) -> None:
    """A million records behind and moving: only slow."""
    for second in range(100):
        watch.report("journal-0", position=second, end=1_000_000, now_seconds=second)
        assert watch.stalls(second) == ()
    assert watch.waiting() == 999_901


def test_lag_without_movement_is_unhealthy_after_the_limit(watch: ProgressWatch) -> None:
    """One record that is not taken is enough."""
    for second in range(11):
        watch.report("journal-0", position=5, end=6, now_seconds=second)
        assert watch.stalls(second) == ()
    watch.report("journal-0", position=5, end=6, now_seconds=10.5)
    (stall,) = watch.stalls(10.5)
    assert str(stall) == "journal-0 has 1 waiting and did not move for 10 s"


def test_idleness_does_not_count_against_the_first_record(watch: ProgressWatch) -> None:
    """After an hour without work a new record has the full time."""
    for second in range(0, 3600, 5):
        watch.report("journal-0", position=7, end=7, now_seconds=second)
    watch.report("journal-0", position=7, end=8, now_seconds=3600)
    assert watch.stalls(3600) == ()
    watch.report("journal-0", position=7, end=8, now_seconds=3609)
    assert watch.stalls(3609) == ()
    watch.report("journal-0", position=7, end=8, now_seconds=3611)
    assert len(watch.stalls(3611)) == 1


def test_nobody_reporting_is_unhealthy_too(watch: ProgressWatch) -> None:
    """A consumer that died in silence has no lag to show."""
    watch.report("journal-0", position=7, end=7, now_seconds=0)
    assert watch.stalls(10) == ()
    (stall,) = watch.stalls(11)
    assert stall.silent
    assert "not been reported" in str(stall)


def test_a_partition_that_was_taken_away_is_forgotten(watch: ProgressWatch) -> None:
    """Its new owner answers for it."""
    watch.report("journal-0", position=0, end=9, now_seconds=0)
    watch.forget("journal-0")
    watch.forget("never known")
    assert watch.stalls(1000) == ()
    assert watch.waiting() == 0


def test_going_back_after_a_rebalance_counts_as_movement(watch: ProgressWatch) -> None:
    """Resuming from an older offset is work, and the stall clock starts again."""
    watch.report("journal-0", position=50, end=60, now_seconds=0)
    watch.report("journal-0", position=40, end=60, now_seconds=9)
    watch.report("journal-0", position=40, end=60, now_seconds=18)
    assert watch.stalls(18) == ()
