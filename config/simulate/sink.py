"""What arrived by SMTP, with the instant of the moved clock."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime

from crm.kernel import clock


@dataclass(frozen=True)
class Arrival:
    """One copy of one message."""

    to: str
    delivery: str
    raw: bytes
    at: datetime = field(default_factory=clock.now)


class Sink:
    def __init__(self) -> None:
        self.port = 0
        self._lock = threading.Lock()
        self._arrivals: list[Arrival] = []

    def keep(self, arrival: Arrival) -> None:
        with self._lock:
            self._arrivals.append(arrival)

    @property
    def arrivals(self) -> list[Arrival]:
        with self._lock:
            return list(self._arrivals)
