"""How addresses are shown to whoever reads a page of the admin, and whose people they get to see on it.

Exports are not masked: they have a permission, a limit and a log of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponseBase

from crm.access import reach, sight
from crm.access.sight import ADDRESSES, Addresses
from crm.kernel import masking

_OF_ONE = {
    "crm_contact_change",
    "crm_contact_panel",
    "crm_contact_act",
    "crm_contact_resume",
    "crm_contact_merge",
    "crm_contact_unmerge",
    "crm_contact_data",
    "crm_contact_erase",
}
"""Pages about one person, by the names of their addresses."""


def addresses(user: Any) -> str:
    """Whole, masked in lists, or masked everywhere."""
    return sight.widest(user, "addresses", ADDRESSES)


def never_whole(user: Any) -> bool:
    """Whether they see no address whole, not even on the page of a person."""
    return addresses(user) == Addresses.NEVER


def masked_in_lists(user: Any) -> bool:
    """Whether lists and what is found show them addresses masked."""
    return addresses(user) != Addresses.WHOLE


class ReaderMiddleware:
    """Around each page: who reads it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with (
            masking.reading(partial(_masks, request)),
            reach.reading(partial(getattr, request, "user", None)),
        ):
            return self.get_response(request)


def _masks(request: HttpRequest) -> bool:
    user: Any = getattr(request, "user", None)
    # Pages without anybody logged in are people's own: what they are shown is theirs.
    if user is None or not user.is_authenticated:
        return False
    return never_whole(user) if _is_of_one(request) else masked_in_lists(user)


def _is_of_one(request: HttpRequest) -> bool:
    found = request.resolver_match
    # Looking for whom to merge with shows a list of others.
    return found is not None and found.url_name in _OF_ONE and "find" not in request.GET
