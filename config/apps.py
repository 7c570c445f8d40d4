"""The composition root as a Django app: it brings the commands and makes our Celery the current one."""

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    name = "config"

    def ready(self) -> None:
        from config.celery import app

        app.set_default()
