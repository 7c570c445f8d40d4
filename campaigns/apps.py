"""What we say to people, and what it earned."""

from django.apps import AppConfig

from crm.kernel.kinds import autodiscover


class CampaignsConfig(AppConfig):
    name = "campaigns"
    verbose_name = "What we say"

    def ready(self) -> None:
        """Find the kinds of flows, messages, guards and channels, wherever an app brings some."""
        autodiscover(
            "messages.facts",
            "messages.blocks",
            "flows.triggers",
            "flows.guards",
            "flows.steps",
            "flows.playbooks",
            "delivery.guards",
            "delivery.showing",
            "delivery.channels",
            "offers.sources",
            "offers.guards",
        )
