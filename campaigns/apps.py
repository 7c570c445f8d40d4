"""What we say to people, and what it earned."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate

from crm.kernel.kinds import autodiscover


class CampaignsConfig(AppConfig):
    name = "campaigns"
    verbose_name = "What we say"

    def ready(self) -> None:
        """Find the kinds of flows, messages, guards and channels, wherever an app brings some."""
        from campaigns import seed

        autodiscover(
            "messages.facts",
            "messages.blocks",
            "flows.triggers",
            "flows.guards",
            "flows.steps",
            "flows.playbooks",
            "delivery.guards",
            "delivery.frequency_guards",
            "delivery.resting",
            "delivery.letters",
            "delivery.showing",
            "delivery.joining",
            "delivery.channels",
            "offers.sources",
            "offers.guards",
        )
        post_migrate.connect(seed.after_migrate, sender=self)
