"""Where the admin shows what a notice is about; blank where no such page is registered."""

from __future__ import annotations

from typing import Any

from django.urls import NoReverseMatch, reverse


def page_of_contact(contact_id: Any) -> str:
    return _page("admin:crm_contact_change", contact_id)


def page_of_task(task_id: Any) -> str:
    return _page("admin:crm_task_change", task_id)


def page_of_board() -> str:
    return _page("admin:crm_lead_board")


def _page(name: str, *args: Any) -> str:
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""
