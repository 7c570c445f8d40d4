"""What people do: visits, carts, opens, clicks."""

from django.apps import AppConfig


class TrackingConfig(AppConfig):
    name = "tracking"
    verbose_name = "Visits"
