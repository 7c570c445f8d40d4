"""The local Valkey: Celery's doorbell and the cache, on a private socket. Its queue survives a restart."""

import os
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from . import processes
from .accounts import Account, prepare_folder
from .binaries import Binaries
from .errors import Unavailable
from .places import Places

PATIENCE_SECONDS = 60
DATABASES = 64  # tests take one each; the product uses 0 for the broker and 1 for the cache


@dataclass(frozen=True)
class Valkey:
    places: Places
    binaries: Binaries
    account: Account | None
    name = "valkey"

    @property
    def log(self) -> Path:
        return self.places.logs / "valkey.log"

    def is_up(self) -> bool:
        """Asked over the socket: the server says LOADING for a while after a start with a long queue."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                if self._ask(b"PING") == b"+PONG":
                    return True
            except OSError:
                if not processes.lives(self._pid(), "valkey"):
                    return False
            if time.monotonic() > deadline:
                raise Unavailable(f"Valkey neither starts nor stops; see {self.log}.")
            time.sleep(0.05)

    def start(self) -> None:
        prepare_folder(self.places.sockets, self.account)
        prepare_folder(self.places.valkey, self.account)
        self.places.valkey_socket.unlink(missing_ok=True)
        with self.log.open("ab") as log:
            server = subprocess.Popen(
                [self.binaries.valkey, *self._options()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
                start_new_session=True,
                **(self.account.for_process if self.account else {}) | {"cwd": self.places.valkey},
            )
        deadline = time.monotonic() + PATIENCE_SECONDS
        while server.poll() is None and time.monotonic() < deadline:
            if processes.answers(self.places.valkey_socket) and self.is_up():
                return
            time.sleep(0.02)
        raise Unavailable(f"Valkey did not start. The end of {self.log}:\n{processes.tail(self.log)}")

    def stop(self) -> None:
        processes.stop(self._pid(), "valkey", signal.SIGTERM, signal.SIGKILL, 60)

    def _options(self) -> list[str]:
        """Paths are relative to its folder: the server splits its arguments at spaces."""
        beside = self.places.sockets.parent == self.places.home
        socket_path = "../run/valkey.sock" if beside else str(self.places.valkey_socket)
        options = {
            "port": "0",
            "unixsocket": socket_path,
            "unixsocketperm": "700",
            "dir": ".",
            "pidfile": "valkey.pid",
            "databases": str(DATABASES),
            "appendonly": "yes",
            "maxmemory-policy": "noeviction",
        }
        return [part for name, value in options.items() for part in (f"--{name}", value)] + ["--save", ""]

    def _ask(self, command: bytes) -> bytes:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(5)
            connection.connect(str(self.places.valkey_socket))
            connection.sendall(command + b"\r\n")
            return connection.recv(200).strip()

    def _pid(self) -> int:
        return processes.first_number(self.places.valkey / "valkey.pid")
