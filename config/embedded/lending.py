"""Who uses a local server, counted by locks of the kernel: a killed process gives its lock back by itself.

Every user holds a shared lock on `<name>.users`. Starts and stops are decided while holding `<name>.gate`.
Whoever can lock the users' file for itself was the last and stops the server.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol


class Server(Protocol):
    @property
    def name(self) -> str: ...

    def is_up(self) -> bool: ...

    def start(self) -> None: ...

    def stop(self) -> None: ...


class Loan:
    """One process's share of one server."""

    def __init__(self, server: Server, locks: Path) -> None:
        self.server = server
        self.locks = locks
        self._users: int | None = None

    def take(self) -> None:
        with self._gate():
            users = os.open(self.locks / f"{self.server.name}.users", os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(users, fcntl.LOCK_SH)
            self._users = users
            try:
                if not self.server.is_up():
                    self.server.start()
            except BaseException:
                self._leave()
                raise

    def ensure(self) -> None:
        """Start it again if it has died under us."""
        with self._gate():
            if not self.server.is_up():
                self.server.start()

    def give_back(self) -> None:
        if self._users is None:
            return
        with self._gate():
            self._leave()

    def _leave(self) -> None:
        users, self._users = self._users, None
        if users is None:
            return
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pass
        else:
            self.server.stop()
        finally:
            os.close(users)

    @contextmanager
    def _gate(self) -> Iterator[None]:
        gate = os.open(self.locks / f"{self.server.name}.gate", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(gate, fcntl.LOCK_EX)
            yield
        finally:
            os.close(gate)
