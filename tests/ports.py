"""Ports that tests give to programs which are only about to start."""

import os
import secrets
import socket
from contextlib import suppress

# Below those that systems hand out to whoever connects: another test's connection never takes one of these.
# The processes of `pytest -n 2` have each its own share.
PROCESS = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
RANGE = range(20_000 + PROCESS, 32_000, int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))


def free(number: int = 1) -> list[int]:
    """Free now, and picked at random: two runs at once hardly ever pick the same one."""
    found: list[int] = []
    while len(found) < number:
        port = secrets.choice(RANGE)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            if port not in found:
                found.append(port)
    return found
