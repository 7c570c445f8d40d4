"""What we say to people, and what it earned."""

from django.apps import AppConfig


class CampaignsConfig(AppConfig):
    name = "campaigns"
