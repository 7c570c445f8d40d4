"""PostgreSQL and Valkey for one test run, in the data folder that the run has for itself."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

import redis

from config.embedded import places
from config.embedded.services import HELD, Services
from tests.slots import Slot

DATABASE = "test_rekindle"


@dataclass
class Run:
    services: Services
    slot: Slot

    @property
    def broker_url(self) -> str:
        return f"redis+socket://{self.services.places.valkey_socket}?virtual_host=0"

    @property
    def cache_url(self) -> str:
        return f"unix://{self.services.places.valkey_socket}?db=1"

    def environment(self) -> dict[str, str]:
        """For a process started by a test, so that it works on this run's database and broker."""
        kept = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
        sockets = self.services.places.sockets
        return kept | {
            "DATABASE_URL": f"postgresql://rekindle@/{DATABASE}?host={sockets}&port=5432",
            "BROKER_URL": self.broker_url,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            HELD: "1",
        }

    def empty(self) -> None:
        """Nothing waits in the broker, nothing is kept in the cache."""
        with redis.Redis(unix_socket_path=str(self.services.places.valkey_socket)) as connection:
            connection.flushall()

    def end(self) -> None:
        self.services.release()
        self.slot.give_back()


def begin(slot: Slot) -> Run:
    services = Services(places.Places(slot.home), durable=False)
    services.acquire()
    run = Run(services, slot)
    run.empty()
    return run


def bound(command: Sequence[str]) -> list[str]:
    """The same Python command, as a process that ends when this one ends, however that happens."""
    return [command[0], "-m", "config.embedded.child", str(os.getpid()), *command]
