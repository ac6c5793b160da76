"""What the publisher promises: order, whole acknowledgement, size limits, and silence after it was cancelled."""

import asyncio
from typing import TYPE_CHECKING

import pytest

from streams.engine.errors import OwnershipLost, PublishUnknown, RecordTooLarge
from streams.engine.membership import Membership
from streams.engine.publisher import Outgoing, Publisher, PublisherLimits

if TYPE_CHECKING:
    from tests.streams.engine.conftest import Rig


def publisher_for(rig: "Rig", membership: Membership | None = None, limits: PublisherLimits | None = None) -> Publisher:
    """A publisher to the rig's broker."""
    return Publisher({"bootstrap_servers": rig.servers}, membership=membership, limits=limits)


@pytest.mark.broker
async def test_order_is_kept_over_many_batches_and_sizes(rig: "Rig") -> None:
    """Small and large records of one call stand in their partition in the order they were given."""
    publisher = publisher_for(rig, limits=PublisherLimits(batch_bytes=2_000))
    rows = [Outgoing(rig.first, index % 2, b"%d" % index, b"x" * (index * 37 % 5_000)) for index in range(2_000)]
    await publisher.publish(rows)
    await publisher.stop()
    for partition, records in (await rig.read(rig.first)).items():
        assert [record.key for record in records] == [row.key for row in rows if row.partition == partition]


@pytest.mark.broker
async def test_headers_and_empty_keys_arrive(rig: "Rig") -> None:
    """A record arrives with all its parts."""
    publisher = publisher_for(rig)
    await publisher.publish([Outgoing(rig.first, 1, None, b"v", (("a", b"1"), ("b", b"")))])
    await publisher.stop()
    (record,) = (await rig.read(rig.first))[1]
    assert record.key is None
    assert (record.value, record.headers) == (b"v", {"a": b"1", "b": b""})


@pytest.mark.broker
async def test_nothing_is_sent_when_one_record_is_too_large(rig: "Rig") -> None:
    """The whole call is refused before its first record leaves."""
    publisher = publisher_for(rig, limits=PublisherLimits(record_bytes=10_000))
    with pytest.raises(RecordTooLarge):
        await publisher.publish([Outgoing(rig.first, 0, b"a", b"x"), Outgoing(rig.first, 0, b"b", b"x" * 10_000)])
    await publisher.stop()
    assert await rig.count(rig.first) == 0


@pytest.mark.broker
async def test_a_missing_acknowledgement_is_an_error_and_the_publisher_can_go_on(rig: "Rig") -> None:
    """A topic refuses the record: PublishUnknown is raised, and a later call starts a fresh producer."""
    publisher = publisher_for(rig, limits=PublisherLimits(record_bytes=20_000_000))
    with pytest.raises(PublishUnknown):
        await publisher.publish([Outgoing(rig.first, 0, b"a", b"x" * 17_000_000)])
    await publisher.publish([Outgoing(rig.first, 0, b"b", b"x")])
    await publisher.stop()
    assert [record.key for record in (await rig.read(rig.first))[0]] == [b"b"]


@pytest.mark.broker
async def test_a_cancelled_call_leaves_nothing_behind_that_is_sent_later(rig: "Rig") -> None:
    """The partition was taken away while the coordinator was silent: what was queued is never written."""
    clock = [0.0]
    membership = Membership(lease_seconds=5, clock=lambda: clock[0])
    membership.renew(0.0)
    publisher = publisher_for(rig, membership)
    await publisher.publish([Outgoing(rig.first, 0, b"before", b"x")])
    clock[0] = 6.0
    hanging = asyncio.create_task(publisher.publish([Outgoing(rig.first, 0, b"late", b"x")]))
    await asyncio.wait({hanging}, timeout=0.3)
    hanging.cancel()
    await asyncio.wait({hanging})
    membership.renew(6.0)
    await publisher.publish([Outgoing(rig.first, 0, b"after", b"x")])
    await publisher.stop()
    assert [record.key for record in (await rig.read(rig.first))[0]] == [b"before", b"after"]


@pytest.mark.broker
async def test_what_waits_behind_a_failed_call_is_not_written_in_its_place(rig: "Rig") -> None:
    """A call that waited while the one before it failed fails, too: its records would stand where those should."""
    clock = [0.0]
    membership = Membership(lease_seconds=5, clock=lambda: clock[0])
    membership.renew(0.0)
    publisher = publisher_for(rig, membership)
    await publisher.publish([Outgoing(rig.first, 0, b"before", b"x")])
    first = await publisher.post([Outgoing(rig.first, 0, b"first", b"x" * 100)])
    clock[0] = 6.0
    second = asyncio.create_task(publisher.post([Outgoing(rig.first, 0, b"second", b"x")]))
    await asyncio.wait({second}, timeout=0.1)
    first.cancel()
    await asyncio.wait({first}, timeout=5)
    assert first.done(), "giving up may not wait for the word of the coordinator"
    membership.renew(6.0)
    with pytest.raises(PublishUnknown) as raised:
        await (await second)
    assert "while this one waited" in raised.value.detail
    await publisher.publish([Outgoing(rig.first, 0, b"after", b"x")])
    await publisher.stop()
    assert b"second" not in [record.key for record in (await rig.read(rig.first))[0]]


@pytest.mark.broker
async def test_giving_up_among_many_is_told_to_each_of_them_as_what_it_is(rig: "Rig") -> None:
    """One call is cancelled in full flow: it is cancelled and nothing else, and the others hear PublishUnknown.

    A client that fell over its own failed batches made a bug out of it, and a rebalance stopped the worker.
    """
    publisher = publisher_for(rig, limits=PublisherLimits(batch_bytes=1_000))
    for number in range(6):
        rows = [Outgoing(rig.first, index % 2, b"%d" % index, b"x" * 700) for index in range(100)]
        calls = [asyncio.create_task(publisher.publish(rows)) for _ in range(4)]
        await asyncio.wait(calls, timeout=0.008 * number)
        calls[0].cancel()
        ended = await asyncio.gather(*calls, return_exceptions=True)
        assert isinstance(ended[0], asyncio.CancelledError | None), repr(ended[0])
        assert all(isinstance(one, PublishUnknown | None) for one in ended[1:]), ended[1:]
    await publisher.stop()


@pytest.mark.broker
async def test_what_is_given_up_before_anybody_waited_for_it_is_not_written(rig: "Rig") -> None:
    """The call is cancelled in the moment it was posted, before its own first step."""
    publisher = publisher_for(rig)
    await publisher.publish([Outgoing(rig.first, 0, b"before", b"x")])
    late = await publisher.post([Outgoing(rig.first, 0, b"late", b"x")])
    late.cancel()
    await asyncio.wait({late})
    await publisher.publish([Outgoing(rig.first, 0, b"after", b"x")])
    await publisher.stop()
    assert [record.key for record in (await rig.read(rig.first))[0]] == [b"before", b"after"]


async def test_a_worker_that_was_put_out_publishes_nothing() -> None:
    """The group does not know us any more: refused before a connection is even made."""
    publisher = Publisher({"bootstrap_servers": "127.0.0.1:1"}, membership=Membership(lease_seconds=5))
    with pytest.raises(OwnershipLost):
        await publisher.publish([Outgoing("t", 0, None, b"v")])


def test_membership_ends_with_the_lease_and_with_the_word_of_the_group() -> None:
    """Held while the last answer is young; uncertain, but still a member, when it is old; lost when we are told."""
    clock = [100.0]
    membership = Membership(lease_seconds=7, clock=lambda: clock[0])
    seen = [(membership.member, membership.held)]
    membership.renew(100.0)
    seen.append((membership.member, membership.held))
    clock[0] = 107.0
    seen.append((membership.member, membership.held))
    membership.renew(107.0)
    seen.append((membership.member, membership.held))
    membership.lose()
    seen.append((membership.member, membership.held))
    assert seen == [(False, False), (True, True), (True, False), (True, True), (False, False)]
