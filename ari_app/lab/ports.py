"""Ports of 127.0.0.1 that nobody holds at this moment, for what is started beside other things."""

from __future__ import annotations

import socket


def free_udp_port() -> int:
    """One for SIP or RTP."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def free_tcp_ports(count: int) -> list[int]:
    """So many, all different."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports
