"""Picks free loopback ports and keeps those of the last start where possible."""

import contextlib
import socket

from runtime.broker.properties import LOOPBACK, Ports
from runtime.errors import InUse


def is_free(port: int) -> bool:
    """Whether a listener could be opened on the loopback port right now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def choose(remembered: Ports | None, *, wanted_broker_port: int | None) -> Ports:
    """Ports for the next start: the wanted one, else the remembered ones while they are free, else new ones.

    Raises InUse when the wanted port is taken; somebody asked for exactly that one, so another would be a surprise.
    """
    if wanted_broker_port is not None and not is_free(wanted_broker_port):
        raise InUse(
            "broker-port-taken",
            f"Port {wanted_broker_port} on this machine is taken by another program.",
            "Stop the other program, choose another port, or leave the port out to get a free one.",
        )
    if remembered is not None and wanted_broker_port in {None, remembered.broker} and _both_free(remembered):
        return remembered
    broker, controller = free_ports(2)
    return Ports(broker if wanted_broker_port is None else wanted_broker_port, controller)


def _both_free(ports: Ports) -> bool:
    return is_free(ports.broker) and is_free(ports.controller)


def free_ports(count: int) -> tuple[int, ...]:
    """So many free loopback ports; all sockets are open at the same time, so the ports differ."""
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) for _ in range(count)]
        for probe in probes:
            probe.bind((LOOPBACK, 0))
        return tuple(int(probe.getsockname()[1]) for probe in probes)
