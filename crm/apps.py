"""Who people are and what they bought."""

from django.apps import AppConfig


class CrmConfig(AppConfig):
    name = "crm"

    def ready(self) -> None:
        from crm.kernel import kinds

        # What every app can say of a contact: its conditions, and its rows on the timeline.
        kinds.autodiscover("conditions", "history")
