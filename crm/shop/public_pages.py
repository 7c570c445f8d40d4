"""Pages that strangers open from a message: in the shop's name and colours, kept nowhere, found by nobody."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.http import HttpResponse
from django.template.loader import render_to_string

from crm.models import ShopSettings
from crm.shop.settings import this_shop


def page(template: str, *, status: int = 200, **context: Any) -> HttpResponse:
    """A page rendered without the request, so that nothing of a session can get into it."""
    shop = this_shop()
    context |= {"shop": shop, "zone": _zone(shop)}
    response = HttpResponse(render_to_string(template, context), status=status)
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response


def unknown_link() -> HttpResponse:
    """What every token that is not ours gets, whatever is wrong with it."""
    return page("crm/unknown_link.html", status=404)


def _zone(shop: ShopSettings) -> ZoneInfo:
    try:
        return ZoneInfo(shop.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")
