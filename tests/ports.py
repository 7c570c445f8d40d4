"""Ports that tests give to programs which are only about to start."""

import secrets
import socket
from contextlib import suppress

# Below those that systems hand out to whoever connects: another test's connection never takes one of these.
RANGE = range(20_000, 32_000)


def free(number: int = 1) -> list[int]:
    """Free now, and picked at random: two runs at once hardly ever pick the same one."""
    found: list[int] = []
    while len(found) < number:
        port = secrets.choice(RANGE)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            if port not in found:
                found.append(port)
    return found
