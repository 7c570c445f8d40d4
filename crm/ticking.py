"""Ticks: every scheduled job takes a batch of due rows, works, and stops.

A tick never carries state. Its slot is one row with a unique key, so that a beat started twice runs it
once; a hint from the broker runs it at once besides, and finding nothing to do is harmless.
"""

import logging
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic

from celery import current_app, shared_task
from django.db import connection, transaction
from kombu.exceptions import OperationalError

from crm.kernel import clock
from crm.kernel.work import Budget
from crm.models import Heartbeat, ScheduleSlot

logger = logging.getLogger(__name__)

Work = Callable[[datetime, Budget], int]


@dataclass(frozen=True)
class Tick:
    """A scheduled job: its permanent name, what it does in words, how often it runs by default (seconds)."""

    name: str
    label: str
    every: int
    work: Work
    budget_seconds: float


ticks: dict[str, Tick] = {}


def tick(name: str, *, every: int, budget_seconds: float = 30) -> Callable[[Work], Work]:
    """Register `work(now, budget) -> rows worked on` as the scheduled job `name`."""

    def register(work: Work) -> Work:
        if name in ticks:
            raise ValueError(f"There is a tick named {name} already.")
        label = (work.__doc__ or "").strip().split("\n")[0]
        ticks[name] = Tick(name, label, every, work, budget_seconds)

        @shared_task(name=name, ignore_result=True)
        def task(hint: bool = False) -> None:
            now = clock.now()
            if hint or _take_slot(ticks[name], now):
                run_tick(name, now)

        return work

    return register


def run_tick(name: str, now: datetime) -> int:
    """Run one tick by hand and note its heartbeat. Returns the number of rows it worked on."""
    job = ticks[name]
    started = monotonic()
    try:
        did = job.work(now, Budget(job.budget_seconds))
    except Exception:
        Heartbeat.objects.update_or_create(
            name=name,
            defaults={"error": traceback.format_exc(limit=-3)[-2000:], "error_at": now},
            create_defaults={
                "beat_at": now,
                "error": traceback.format_exc(limit=-3)[-2000:],
                "error_at": now,
            },
        )
        raise
    Heartbeat.objects.update_or_create(
        name=name, defaults={"beat_at": now, "did": did, "seconds": monotonic() - started}
    )
    return did


def ring(name: str) -> None:
    """Once this transaction is committed, hint to a worker that there is something to do.

    Only a hint: with the broker down the next scheduled run finds the same rows.
    """
    transaction.on_commit(lambda: _send_hint(name), robust=True)


def _send_hint(name: str) -> None:
    try:
        current_app.send_task(name, kwargs={"hint": True}, ignore_result=True, retry=False, expires=60)
    except (OperationalError, OSError) as error:
        logger.warning("No hint for %s, the next run will find the work: %s", name, error)


def _take_slot(job: Tick, now: datetime) -> bool:
    epoch = int(now.timestamp())
    slot = datetime.fromtimestamp(epoch - epoch % job.every, tz=UTC)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO crm_scheduleslot (task, slot) VALUES (%s, %s) ON CONFLICT DO NOTHING",
            [job.name, slot],
        )
        return cursor.rowcount == 1


def tidy_slots(now: datetime) -> int:
    """Forget slots older than a day. Returns how many."""
    return ScheduleSlot.objects.filter(slot__lt=now - timedelta(days=1)).delete()[0]
