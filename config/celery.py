"""The Celery application: finds every app's `tasks` module, takes its settings from Django's."""

import os

from celery import Celery
from celery.signals import setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("rekindle")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def _keep_our_logs(**_kwargs: object) -> None:
    """Being connected is enough: Celery then leaves logging to Django's settings."""
