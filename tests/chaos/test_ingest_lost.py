"""I5: what the collector has acknowledged is in the table, though it be killed in the middle of anything."""

import os
import signal
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.collecting import Collector, event, message, running, without_limits
from tests.servers import Run
from tracking.models import InboundEvent

pytestmark = pytest.mark.chaos

KILLS = 20
SENDERS = 16


def test_every_acknowledged_event_is_kept_over_twenty_kills(tracked_shop: object, servers_run: Run) -> None:
    acknowledged: list[str] = []
    lock = threading.Lock()

    def send(collector: Collector, killed: threading.Event) -> None:
        while not killed.is_set():
            told = event("page")
            try:
                status = collector.collect(message(uuid.uuid4(), told))
            except OSError:
                continue
            if status == 204:
                with lock:
                    acknowledged.append(told["id"])

    for number in range(KILLS):
        with (
            running(without_limits(servers_run.environment())) as collector,
            ThreadPoolExecutor(SENDERS) as pool,
        ):
            killed = threading.Event()
            for _ in range(SENDERS):
                pool.submit(send, collector, killed)
            killed.wait(0.3 + 0.05 * number)
            for child in _children(collector.process.pid):
                os.kill(child, signal.SIGKILL)
            collector.process.kill()
            killed.set()

    stored = {one["id"] for row in InboundEvent.objects.all() for one in row.body["e"]}
    print(f"{len(acknowledged)} acknowledged, {len(stored)} stored, {KILLS} kills")
    assert len(acknowledged) > KILLS
    assert set(acknowledged) <= stored


def _children(pid: int) -> list[int]:
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(child) for child in file.read().split()]
