"""Who people are and what they bought."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class CrmConfig(AppConfig):
    name = "crm"
    verbose_name = "Shop"

    def ready(self) -> None:
        from crm import application_role, seed
        from crm.kernel import kinds

        # What every app can say of a contact: its conditions, its rows on the timeline, its cards; what a
        # colleague can do about one; what stands in a colleague's day, and how one of several is chosen for a
        # lead; where it names segments; what can come in by spreadsheet, and which exports of others it
        # knows; what people ask about their data, what it keeps of a contact, where else they are known, what
        # makes two alike, and how colleagues turn to one.
        kinds.autodiscover(
            "choosers",
            "conditions",
            "elsewhere",
            "history",
            "keeping",
            "likeness",
            "panels",
            "person_acts",
            "request_kinds",
            "touches",
            "uses",
            "sheets.exports",
            "sheets.subjects",
        )
        post_migrate.connect(seed.after_migrate, sender=self)
        post_migrate.connect(application_role.after_migrate, sender=self)
