"""Pages of the admin that change nothing without a password typed just now."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse

from crm.access import fresh
from crm.kernel import clock


@receiver(user_logged_in)
def _typed_a_password(request: HttpRequest, **_more: Any) -> None:
    fresh.mark(request, clock.now())


class FreshPasswordMixin:
    """A page of the admin on which nothing is added, changed or deleted without a fresh password."""

    fresh_for = "to change this"

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        page: Any = self
        may = page.has_change_permission(request) if object_id else page.has_add_permission(request)
        if may and (request.method == "POST" or not object_id) and (asked := self._asked(request)):
            return asked
        return super().changeform_view(request, object_id, form_url, extra_context)  # type: ignore[misc]

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        page: Any = self
        if page.has_delete_permission(request) and (asked := self._asked(request)):
            return asked
        return super().delete_view(request, object_id, extra_context)  # type: ignore[misc]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        page: Any = self
        acts = request.method == "POST" and page.has_view_permission(request) and page.get_actions(request)
        if acts and (asked := self._asked(request)):
            return asked
        return super().changelist_view(request, extra_context)  # type: ignore[misc]

    def _asked(self, request: HttpRequest) -> HttpResponse | None:
        return fresh.password_page(request, self.fresh_for, clock.now())
