"""The Celery application: finds every app's `tasks` module, takes its settings from Django's."""

import os
from pathlib import Path

from celery import Celery
from celery.signals import beat_init, setup_logging, worker_ready

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("rekindle")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def _keep_our_logs(**_kwargs: object) -> None:
    """Being connected is enough: Celery then leaves logging to Django's settings."""


@worker_ready.connect
@beat_init.connect
def _say_ready(**_kwargs: object) -> None:
    """Tell the supervisor, if one started us: neither the worker nor beat has a port to knock at."""
    if file := os.environ.get("REKINDLE_READY_FILE"):
        Path(file).touch()
