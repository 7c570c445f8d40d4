"""Data folders for the tests. Each run has one for itself, and so has each worker of `pytest -n 2`.

Servers of its own, not only a database: what a transaction sees as settled depends on all transactions of its
server, also those in other databases. Folders are kept, because making one takes seconds; whoever has the
lock of a folder has the folder, and the dead have no locks.
"""

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path

from tests import leftovers

MOST = 30
GROUND = "the ground"


@dataclass
class Slot:
    home: Path
    lock: int

    @property
    def ground(self) -> Path:
        """For installations that tests make. The servers' account may enter it; its path has a space."""
        return self.home / GROUND

    def give_back(self) -> None:
        os.close(self.lock)


def take(base: Path) -> Slot:
    """The first free one. In all that are free, what a killed run left is ended and cleared away."""
    base.mkdir(parents=True, exist_ok=True)
    taken: Slot | None = None
    with (base / "slots.lock").open("w") as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)
        for number in range(1, MOST + 1):
            home = base / f"{number}"
            if taken and not home.exists():
                break
            home.mkdir(exist_ok=True)
            lock = os.open(base / f"{number}.lock", os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(lock)
                continue
            leftovers.kill(home)
            leftovers.clear(home / GROUND)
            if taken:
                os.close(lock)
            else:
                taken = Slot(home, lock)
    if not taken:
        raise RuntimeError("too many test runs at once")
    return taken
