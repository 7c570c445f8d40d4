"""The composition root as a Django app: it brings the commands, makes our Celery the current one, and
sees to it that every tick is on the schedule."""

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate
from django.utils.module_loading import autodiscover_modules


class ConfigConfig(AppConfig):
    name = "config"

    def ready(self) -> None:
        from config.celery import app

        app.set_default()
        autodiscover_modules("tasks")
        # An app without models, such as this one, is told of no migrate; the schedule's own app is.
        post_migrate.connect(_fill_schedule, sender=apps.get_app_config("django_celery_beat"))


def _fill_schedule(**_kwargs: object) -> None:
    """After every migrate, which is also how a new version brings new ticks."""
    from config import schedule

    schedule.ensure()
