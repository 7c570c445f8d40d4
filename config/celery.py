"""The Celery application: finds every app's `tasks` module, takes its settings from Django's."""

import os
import sys
from pathlib import Path

from celery import Celery
from celery.signals import beat_init, setup_logging, worker_init, worker_ready, worker_shutting_down

from crm.kernel import work

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

# Threads that compute (people moved on) and threads that talk (mail to a server) share one interpreter. With
# Python's usual turns of five milliseconds a conversation waits that long, and longer, for every line that it
# reads: beside three who compute, a sender sends a third of what it does with turns as short as these.
TURN_SECONDS = 0.0005

app = Celery("rekindle")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def _keep_our_logs(**_kwargs: object) -> None:
    """Being connected is enough: Celery then leaves logging to Django's settings."""


@worker_init.connect
def _take_short_turns(**_kwargs: object) -> None:
    """So that whoever computes does not keep the senders waiting."""
    sys.setswitchinterval(TURN_SECONDS)


@worker_shutting_down.connect
def _finish_soon(**_kwargs: object) -> None:
    """Ticks end after the batch (a sender after the messages) in hand, not when their time is up."""
    work.stop()


@worker_ready.connect
@beat_init.connect
def _say_ready(**_kwargs: object) -> None:
    """Tell the supervisor, if one started us: neither the worker nor beat has a port to knock at."""
    if file := os.environ.get("REKINDLE_READY_FILE"):
        Path(file).touch()
