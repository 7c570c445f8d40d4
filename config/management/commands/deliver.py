"""`manage.py deliver`: sends what is due, for ever, without a broker."""

import logging
import signal
from collections.abc import Callable
from threading import Thread
from time import monotonic
from traceback import format_exc
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import connection

from campaigns.delivery import outbox
from campaigns.delivery.statements import LOST, forget_connection
from campaigns.delivery.turns import MOST_RUNS
from crm.kernel import clock, work
from crm.models import Heartbeat

logger = logging.getLogger(__name__)

_REAP_SECONDS = 15.0
_RUN_SECONDS = 60.0


class Command(BaseCommand):
    help = (
        "Sends what is due until it is told to stop (SIGTERM or Ctrl-C), then finishes the messages in hand. "
        "Any number of these may run, beside workers or instead of them."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--poll", type=float, default=0.5, help="Seconds between looks at an empty queue."
        )

    def handle(self, *args: Any, poll: float, **options: Any) -> None:
        work.install_sigterm()
        signal.signal(signal.SIGINT, lambda *_: work.stop())
        # One feeds at a time; another takes over while that one waits for a receiver that is slow to answer.
        threads = [Thread(target=_feed, args=(poll,), name=f"sender-{number}") for number in range(MOST_RUNS)]
        for thread in threads:
            thread.start()
        while not work.stopping():
            _unless_lost(_keep_house)
            work.pause(_REAP_SECONDS)
        for thread in threads:
            thread.join()


def _feed(poll: float) -> None:
    try:
        while not work.stopping():
            began = monotonic()
            sent = _unless_lost(lambda: outbox.deliver(clock.now, work.Budget(_RUN_SECONDS))["claimed"])
            if not sent:
                work.pause(poll - (monotonic() - began))
    finally:
        connection.close()


def _keep_house() -> int:
    Heartbeat.objects.update_or_create(name="deliver", defaults={"beat_at": clock.now()})
    return outbox.reap()


def _unless_lost(step: Callable[[], int]) -> int:
    """Do it; with the database away, wait and say nothing was done."""
    try:
        return step()
    except LOST as error:
        logger.warning("No database, trying again: %s", str(error).strip())
        forget_connection()
        work.pause(1.0)
        return 0
    except Exception:
        # A thread that ended here would leave a sender that looks alive and sends nothing.
        logger.exception("Sending stumbled and goes on")
        _unless_lost(_note_trouble)
        work.pause(1.0)
        return 0


def _note_trouble() -> int:
    now = clock.now()
    return Heartbeat.objects.filter(name="deliver").update(error=format_exc(limit=-3)[-2000:], error_at=now)
