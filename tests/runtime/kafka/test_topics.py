"""Topics are made with their settings before use, and a wrong one is reported, never altered."""

import asyncio

import pytest
from aiokafka import AIOKafkaProducer

from runtime.errors import Misconfigured, Unavailable
from runtime.kafka import (
    KafkaConnection,
    Span,
    TopicSeen,
    TopicSpec,
    describe_topics,
    end_offsets,
    ensure_topics,
    spans,
)
from runtime.kafka.topics import compare, unserved

FOR_EVER = {"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"}


@pytest.fixture
def connection(kafka: str) -> KafkaConnection:
    """The way to the test run's broker."""
    return KafkaConnection(bootstrap_servers=kafka)


def seen(**changes: int) -> TopicSeen:
    """A topic as a cluster shows it."""
    return TopicSeen("journal", changes.get("partitions", 12), changes.get("copies", 1), FOR_EVER | {"flush.ms": "9"})


@pytest.mark.parametrize(
    ("spec", "topic", "differences"),
    [
        (TopicSpec("journal", 12, settings=FOR_EVER), seen(), ()),
        (TopicSpec("journal", 12), seen(partitions=13), ("journal has 13 partitions, not 12",)),
        (TopicSpec("work", 12, fixed=False), seen(partitions=13), ()),
        (TopicSpec("work", 12, fixed=False), seen(partitions=11), ("work has 11 partitions, not 12",)),
        (TopicSpec("journal", 12, 3), seen(), ("journal has 1 copies, not 3",)),
        (TopicSpec("journal", 12), seen(copies=3), ()),
        (
            TopicSpec("journal", 12, settings={"retention.ms": "5", "flush.ms": "1", "no.such": "x"}),
            seen(),
            (
                "journal has flush.ms=9, not 1",
                "journal has no.such=unknown, not x",
                "journal has retention.ms=-1, not 5",
            ),
        ),
    ],
)
def test_every_difference_is_named(spec: TopicSpec, topic: TopicSeen, differences: tuple[str, ...]) -> None:
    """A person who mends a topic wants the whole list at once."""
    assert compare(spec, topic) == differences


def test_a_topic_is_served_once_each_partition_has_a_leader() -> None:
    """A topic in election, or not there at all, is still waited for."""
    present = {"whole": [(1, 3), (2, 3)], "electing": [(1, 3), (-1, 3)]}
    assert unserved(present, ["whole", "electing", "absent"]) == ["electing", "absent"]


@pytest.mark.broker
async def test_missing_topics_are_made_with_their_settings_and_can_be_used_at_once(connection: KafkaConnection) -> None:
    """After ensure_topics a producer may send without meeting an unknown topic."""
    specs = [TopicSpec("made.one", 3, settings=FOR_EVER), TopicSpec("made.two", 1, settings={"flush.messages": "1"})]
    assert await ensure_topics(connection, specs) == ("made.one", "made.two")
    assert await ensure_topics(connection, specs) == ()
    async with AIOKafkaProducer(**connection.client_arguments()) as producer:
        await producer.send_and_wait("made.one", b"x", partition=2)
    topics = await describe_topics(connection, ["made.one", "made.none"])
    assert list(topics) == ["made.one"]
    assert topics["made.one"].partitions == 3
    assert topics["made.one"].settings.items() >= FOR_EVER.items()
    assert await end_offsets(connection, ["made.one"]) == {("made.one", 0): 0, ("made.one", 1): 0, ("made.one", 2): 1}
    assert (await spans(connection, ["made.one"]))["made.one", 2] == Span(beginning=0, end=1)


@pytest.mark.broker
async def test_a_preferred_setting_is_given_to_a_new_topic_and_never_asked_of_an_old_one(
    connection: KafkaConnection,
) -> None:
    """An installation that is older than the wish starts as before."""
    await ensure_topics(connection, [TopicSpec("wish.old", 1)])
    specs = [TopicSpec(name, 1, preferred={"segment.bytes": "1048576"}) for name in ("wish.old", "wish.new")]
    assert await ensure_topics(connection, specs) == ("wish.new",)
    topics = await describe_topics(connection, ["wish.old", "wish.new"])
    found = {name: topic.settings["segment.bytes"] for name, topic in topics.items()}
    assert found == {"wish.old": "1073741824", "wish.new": "1048576"}


@pytest.mark.broker
async def test_a_wrong_topic_stops_the_start_and_stays_as_it_is(connection: KafkaConnection) -> None:
    """All differences of all topics stand in one error; nothing is altered on the way."""
    await ensure_topics(connection, [TopicSpec("wrong.a", 2), TopicSpec("wrong.b", 1, settings={"retention.ms": "7"})])
    wanted = [TopicSpec("wrong.a", 4), TopicSpec("wrong.b", 1, settings=FOR_EVER)]
    with pytest.raises(Misconfigured) as caught:
        await ensure_topics(connection, wanted)
    assert "wrong.a has 2 partitions, not 4" in caught.value.message
    assert "wrong.b has retention.ms=7, not -1" in caught.value.message
    assert (await describe_topics(connection, ["wrong.b"]))["wrong.b"].settings["retention.ms"] == "7"


@pytest.mark.broker
async def test_many_workers_may_start_at_the_same_moment(connection: KafkaConnection) -> None:
    """Each of them ensures the same topics; none of them fails because another was faster."""
    specs = [TopicSpec(f"race.{number}", 2, settings=FOR_EVER) for number in range(4)]
    await asyncio.gather(*(ensure_topics(connection, specs) for _ in range(4)))
    assert len(await describe_topics(connection, [spec.name for spec in specs])) == 4


@pytest.mark.broker
async def test_a_setting_that_kafka_refuses_is_reported_with_its_reason(connection: KafkaConnection) -> None:
    """A typing error in a topic setting is a sentence with the broker's own words."""
    with pytest.raises(Misconfigured, match=r"retention\.ms"):
        await ensure_topics(connection, [TopicSpec("refused", 1, settings={"retention.ms": "soon"})])


@pytest.mark.broker
async def test_asking_for_offsets_of_a_missing_topic_says_so(connection: KafkaConnection) -> None:
    """A topic that is not there is no empty topic."""
    with pytest.raises(Misconfigured, match="no-such-topic"):
        await end_offsets(connection, ["no-such-topic"])


async def test_a_cluster_that_is_not_there_is_a_sentence(unused_port: int) -> None:
    """Nobody listens: the error names the address, and no stack trace is needed to understand it."""
    connection = KafkaConnection(bootstrap_servers=f"127.0.0.1:{unused_port}")
    with pytest.raises(Unavailable, match=f":{unused_port} does not answer"):
        await ensure_topics(connection, [TopicSpec("x", 1)])
