"""Finds ports of 127.0.0.1 that are free at this moment, for programs that run beside others."""

from __future__ import annotations

import socket


def free_udp_port() -> int:
    """A free UDP port, for SIP or RTP."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def free_tcp_ports(count: int) -> list[int]:
    """This many free TCP ports, all different."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports
