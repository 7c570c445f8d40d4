"""The one row of shop settings."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from crm.models import ShopSettings


def this_shop() -> ShopSettings:
    """The shop's settings; a database that never had any gets the defaults."""
    return ShopSettings.objects.get_or_create(pk=1)[0]


def shop_zone() -> ZoneInfo:
    """Where the shop's days begin; UTC where its zone is not known."""
    name = ShopSettings.objects.filter(pk=1).values_list("time_zone", flat=True).first() or "UTC"
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")
