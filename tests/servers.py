"""PostgreSQL and Valkey for one test run. Several runs may go on at once: each takes databases of its own."""

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path

from config.embedded import places
from config.embedded.services import HELD, Services

# Slot n uses PostgreSQL's database test_rekindle_n and Valkey's databases 2n and 2n + 1.
SLOTS = range(1, 30)


@dataclass
class Run:
    services: Services
    slot: int
    lock: int

    @property
    def database(self) -> str:
        return f"test_rekindle_{self.slot}"

    @property
    def broker_url(self) -> str:
        return f"redis+socket://{self.services.places.valkey_socket}?virtual_host={2 * self.slot}"

    @property
    def cache_url(self) -> str:
        return f"unix://{self.services.places.valkey_socket}?db={2 * self.slot + 1}"

    def environment(self) -> dict[str, str]:
        """For a process started by a test, so that it works on this run's database and broker."""
        kept = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
        sockets = self.services.places.sockets
        return kept | {
            "DATABASE_URL": f"postgresql://rekindle@/{self.database}?host={sockets}&port=5432",
            "BROKER_URL": self.broker_url,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            HELD: "1",
        }

    def end(self) -> None:
        self.services.release()
        os.close(self.lock)


def begin() -> Run:
    services = Services(places.chosen(os.environ["REKINDLE_VAR"]), durable=False)
    services.acquire()
    for slot in SLOTS:
        lock = os.open(Path(services.places.locks, f"slot-{slot}"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            continue
        return Run(services, slot, lock)
    services.release()
    raise RuntimeError("too many test runs at once")
