"""The admin shows times as they are in the shop."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

from config.policy import is_admin
from crm.shop.settings import shop_zone


class ShopTimeMiddleware:
    """For pages of the admin, people's times are the shop's; everything else stays in UTC."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not is_admin(request):
            return self.get_response(request)
        with timezone.override(shop_zone()):
            return self.get_response(request)
