"""Who people are and what they bought."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class CrmConfig(AppConfig):
    name = "crm"
    verbose_name = "Shop"

    def ready(self) -> None:
        from crm import seed
        from crm.kernel import kinds

        # What every app can say of a contact: its conditions, its rows on the timeline, its cards;
        # and where it names segments.
        kinds.autodiscover("conditions", "history", "panels", "uses")
        post_migrate.connect(seed.after_migrate, sender=self)
