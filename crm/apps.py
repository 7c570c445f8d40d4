"""Who people are and what they bought."""

from django.apps import AppConfig


class CrmConfig(AppConfig):
    name = "crm"
