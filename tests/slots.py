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
    """The first one that is free, once what killed runs left in any of the free ones is cleared away."""
    base.mkdir(parents=True, exist_ok=True)
    with (base / "slots.lock").open("w") as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)
        _sweep(base)
        for number in range(1, MOST + 1):
            if slot := _locked(base, number):
                slot.home.mkdir(exist_ok=True)
                return slot
    raise RuntimeError("too many test runs at once")


def sweep(base: Path) -> None:
    """End the servers and programs that nobody uses any more, and clear the ground they stood on."""
    with (base / "slots.lock").open("w") as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)
        _sweep(base)


def _sweep(base: Path) -> None:
    for number in range(1, MOST + 1):
        if (base / f"{number}").exists() and (slot := _locked(base, number)):
            leftovers.kill(slot.home)
            leftovers.clear(slot.ground)
            slot.give_back()


def _locked(base: Path, number: int) -> Slot | None:
    lock = os.open(base / f"{number}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return Slot(base / f"{number}", lock)
