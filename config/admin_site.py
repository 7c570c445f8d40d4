"""The admin as it is shown on every page: the theme's, with a menu that costs next to nothing."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from config.site import MENU
from crm.kernel.backoffice import AdminSite


class Site(AdminSite):
    """Each page asks for the menu and for the list of all models: the theme copies the one and works out
    whether each link is the page itself by taking addresses apart, and shows the other nowhere.
    """

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> Any:
        """Worked out only where somebody reads it."""
        return SimpleLazyObject(partial(super().get_app_list, request, app_label))

    def get_sidebar_list(self, request: HttpRequest) -> list[dict[str, Any]]:
        """The groups of the menu with the pages this person may open; `is_open`: it holds this page."""
        home = reverse("admin:index")
        groups = []
        for group in MENU:
            items = [
                item | {"link": link, "has_permission": True, "active": _is_here(link, request.path, home)}
                for item in group["items"]
                if "permission" not in item or item["permission"](request)
                for link in [str(item["link"])]
            ]
            groups.append(group | {"items": items, "is_open": any(item["active"] for item in items)})
        return groups


def _is_here(link: str, path: str, home: str) -> bool:
    return path == home if link == home else path.startswith(link)
