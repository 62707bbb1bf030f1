"""Ports for the workers of tests, which may be killed: nobody else gets one of these by chance.

A server that asks for any free port gets one that the system gives to connections, too. Once its
worker is dead, the server of another test may have it, and answers in its place.
"""

import socket
from contextlib import suppress
from random import SystemRandom

PORTS = range(20_000, 32_000)
"""Below those that a system gives away."""


def free_ports(count: int = 1) -> list[int]:
    """So many ports of this host that nobody has now."""
    held: list[socket.socket] = []
    while len(held) < count:
        with suppress(OSError):  # somebody has it
            held.append(socket.create_server(("127.0.0.1", SystemRandom().choice(PORTS))))
    ports = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return ports
