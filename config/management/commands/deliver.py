"""`manage.py deliver`: sends what is due, for ever, without a broker."""

import logging
import signal
from time import monotonic
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from campaigns.delivery import outbox
from campaigns.delivery.statements import LOST, forget_connection
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
        reaped = -_REAP_SECONDS
        while not work.stopping():
            try:
                if monotonic() - reaped >= _REAP_SECONDS:
                    reaped = monotonic()
                    outbox.reap()
                    Heartbeat.objects.update_or_create(name="deliver", defaults={"beat_at": clock.now()})
                counts = outbox.deliver(clock.now, work.Budget(_RUN_SECONDS))
            except LOST as error:
                logger.warning("No database, trying again: %s", str(error).strip())
                forget_connection()
                work.pause(1.0)
                continue
            if not counts["claimed"]:
                work.pause(poll)
