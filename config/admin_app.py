"""Django's admin as an app, on our own site: a module of its own, since it is read before models are."""

from django.contrib.admin.apps import AdminConfig


class SiteConfig(AdminConfig):
    default_site = "config.admin_site.Site"
