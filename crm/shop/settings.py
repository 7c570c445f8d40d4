"""The one row of shop settings."""

from crm.models import ShopSettings


def this_shop() -> ShopSettings:
    """The shop's settings; a database that never had any gets the defaults."""
    return ShopSettings.objects.get_or_create(pk=1)[0]
