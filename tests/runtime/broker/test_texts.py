"""What the broker is started with, and what its folder remembers."""

import socket
from pathlib import Path

import pytest

from runtime.broker.cluster import EmbeddedCluster
from runtime.broker.ports import choose, is_free
from runtime.broker.properties import Ports, Seat, java_flags, log_properties, server_properties
from runtime.broker.state import STATE_FILE, load, save
from runtime.errors import InUse, Misconfigured


def settings(text: str) -> dict[str, str]:
    """A properties text as names and values."""
    return dict(line.split("=", 1) for line in text.splitlines())


def test_every_listener_is_on_loopback() -> None:
    """A broker without a password must not be reachable from outside."""
    found = settings(server_properties(Ports(1000, 1001)))
    addresses = [found[name] for name in found if "listeners" in name or "voters" in name]
    assert len(addresses) == 3
    assert all("127.0.0.1" in address for text in addresses for address in text.split(","))


def test_topics_are_never_made_by_accident_and_nothing_is_kept_twice() -> None:
    """One broker keeps one copy, and a spelling mistake makes no topic."""
    found = settings(server_properties(Ports(1000, 1001)))
    assert found["auto.create.topics.enable"] == "false"
    assert {value for name, value in found.items() if name.endswith("replication.factor")} == {"1"}


def test_a_cluster_keeps_three_copies_of_which_two_count() -> None:
    """A record that a client believes to be safe survives the loss of any one broker; all addresses are loopback."""
    seat = Seat(2, "cluster", Ports(10, 11), peers_port=12, advertised_port=13, voters=((1, 9), (2, 11), (3, 14)))
    found = settings(server_properties(seat.ports, seat))
    copies = {name: value for name, value in found.items() if name.endswith("replication.factor")}
    assert set(copies.values()) == {"3"}
    assert found["min.insync.replicas"] == found["transaction.state.log.min.isr"] == "2"
    addresses = [found[name] for name in found if "listeners" in name or "voters" in name]
    assert all("127.0.0.1" in address for text in addresses for address in text.split(","))
    assert found["advertised.listeners"].startswith("BROKER://127.0.0.1:13,")


def test_the_nodes_of_a_cluster_know_each_other_and_share_no_port(tmp_path: Path) -> None:
    """Each node has ports of its own; with something in between, clients are told of other ones."""
    cluster = EmbeddedCluster(tmp_path / "cluster", through=True)
    assert len({*cluster.broker_ports, *cluster.advertised_ports}) == 6
    assert len({node.folder for node in cluster.nodes}) == 3
    assert cluster.bootstrap_servers == ",".join(f"127.0.0.1:{port}" for port in cluster.advertised_ports)


def test_the_newest_term_says_who_leads_the_controllers(tmp_path: Path) -> None:
    """A node that was away still names a former leader: the highest epoch counts."""
    cluster = EmbeddedCluster(tmp_path / "cluster")
    assert cluster.controller == 0
    for node, (epoch, leader) in zip(cluster.nodes, [(3, 1), (5, 3), (4, 2)], strict=True):
        folder = node.folder / "records" / "__cluster_metadata-0"
        folder.mkdir(parents=True)
        (folder / "quorum-state").write_text(f'{{"leaderEpoch": {epoch}, "leaderId": {leader}}}')
    assert cluster.controller == 2


def test_records_are_kept_unless_a_topic_says_otherwise() -> None:
    """A topic that forgot its retention loses nothing."""
    assert settings(server_properties(Ports(1000, 1001)))["log.retention.ms"] == "-1"


def test_the_settings_hold_no_path_of_this_machine(tmp_path: Path) -> None:
    """Folders with commas, colons or backslashes cannot break a properties file, and a folder may be moved."""
    assert "/" not in settings(server_properties(Ports(1, 2)))["log.dirs"]
    assert str(tmp_path) not in log_properties()


def test_the_heap_is_a_choice() -> None:
    """A benchmark may give the broker more memory."""
    assert "-Xmx900m" in java_flags(Path("x"), heap_mebibytes=900)


def test_remembered_ports_are_used_again_while_they_are_free() -> None:
    """Addresses in other programs' settings stay right over a restart."""
    first = choose(None, wanted_broker_port=None)
    assert first.broker != first.controller
    assert choose(first, wanted_broker_port=None) == first


def test_a_remembered_port_that_was_taken_is_replaced() -> None:
    """Somebody else's listener is no reason not to start."""
    first = choose(None, wanted_broker_port=None)
    with socket.create_server(("127.0.0.1", first.broker)):
        assert not is_free(first.broker)
        assert choose(first, wanted_broker_port=None).broker != first.broker


def test_a_wanted_port_that_is_taken_is_an_error() -> None:
    """Who asks for a certain port is not given another."""
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(InUse, match="taken"):
        choose(None, wanted_broker_port=taken.getsockname()[1])


def test_the_state_of_a_folder_comes_back(tmp_path: Path) -> None:
    """Cluster id and ports of the first start count for every later one."""
    first = load(tmp_path, "4.3.1")
    assert not first.formatted
    save(tmp_path, first.with_ports(Ports(5, 6)).as_formatted())
    assert load(tmp_path, "4.3.1") == first.with_ports(Ports(5, 6)).as_formatted()


def test_a_folder_of_a_newer_kafka_is_refused(tmp_path: Path) -> None:
    """An older broker must not try its luck on newer records."""
    save(tmp_path, load(tmp_path, "4.10.0"))
    with pytest.raises(Misconfigured, match=r"4\.10\.0"):
        load(tmp_path, "4.9.9")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"ports": 1}', b"\xff"])
def test_a_damaged_state_is_an_error_and_no_new_cluster(tmp_path: Path, content: bytes) -> None:
    """Taking a damaged folder for a new one would hide its records."""
    (tmp_path / STATE_FILE).write_bytes(content)
    with pytest.raises(Misconfigured, match="not what Billstream wrote"):
        load(tmp_path, "4.3.1")
