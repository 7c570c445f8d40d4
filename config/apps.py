"""The composition root as a Django app: it brings the commands, makes our Celery the current one, and
sees to it that every tick is on the schedule and the groups to begin with are there."""

from typing import Any

from django.apps import AppConfig, apps
from django.db import DEFAULT_DB_ALIAS
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
        post_migrate.connect(_give_roles, sender=apps.get_app_config("campaigns"))


def _fill_schedule(**_kwargs: object) -> None:
    """After every migrate, which is also how a new version brings new ticks."""
    from config import schedule

    schedule.ensure()


def _give_roles(using: str, plan: Any = (), **_kwargs: object) -> None:
    """After every migrate, once the permissions of the last app are there."""
    from config import roles
    from crm.seed import is_up_to_date

    if using == DEFAULT_DB_ALIAS and is_up_to_date(apps.get_app_config("crm"), using, plan):
        roles.ensure()
