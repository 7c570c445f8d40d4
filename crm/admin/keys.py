"""Keys of the server API, made here and shown once, and the key the shop's server signs identities with."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.views.decorators.http import require_POST

from crm.admin.fresh_password import FreshPasswordMixin
from crm.kernel import clock, tokens
from crm.kernel.backoffice import ModelAdmin
from crm.models import ServerKey
from crm.shop.keys import webhook_secret


@admin.register(ServerKey)
class ServerKeyAdmin(FreshPasswordMixin, ModelAdmin):
    """Only a hash of a key is kept; a key is never changed and never deleted, but revoked."""

    exports = False
    fresh_for = "to make, show or revoke keys"
    list_display = ["name", "prefix", "created_at", "revoked_at"]
    sortable_by: list[str] = []
    ordering = ["-created_at"]
    actions = ["revoke"]
    list_before_template = "crm/keys_intro.html"

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("crm.change_serverkey")

    def get_fields(self, request: HttpRequest, obj: ServerKey | None = None) -> list[str]:
        return ["name", "prefix", "created_at", "revoked_at"] if obj else ["name"]

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        return [
            path("signing-key/", wrap(require_POST(self.signing_key)), name="crm_serverkey_signing_key"),
            path("webhook-key/", wrap(require_POST(self.webhook_key)), name="crm_serverkey_webhook_key"),
            *super().get_urls(),
        ]

    def signing_key(self, request: HttpRequest) -> HttpResponse:
        """Show the key with which the shop's server vouches for who a visitor is."""
        if not request.user.has_perm("crm.add_serverkey"):
            raise PermissionDenied
        if asked := self._asked(request):
            return asked
        messages.warning(
            request, f"The signing key of the shop's server: {tokens.derive('shop-server').hex()}"
        )
        return redirect("admin:crm_serverkey_changelist")

    def webhook_key(self, request: HttpRequest) -> HttpResponse:
        """Show the key with which other systems verify that a call comes from here."""
        if not request.user.has_perm("crm.add_serverkey"):
            raise PermissionDenied
        if asked := self._asked(request):
            return asked
        messages.warning(request, f"The key that webhooks are signed with: {webhook_secret()}")
        return redirect("admin:crm_serverkey_changelist")

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        may = {"may_see_key": request.user.has_perm("crm.add_serverkey")}
        return super().changelist_view(request, (extra_context or {}) | may)

    def save_model(self, request: HttpRequest, obj: ServerKey, form: Any, change: bool) -> None:
        key = f"sk_{secrets.token_urlsafe(32)}"
        obj.prefix, obj.sha256 = key[:8], hashlib.sha256(key.encode()).digest()
        obj.created_at = clock.now()
        super().save_model(request, obj, form, change)
        messages.warning(request, f"The key, shown this once: {key}")

    @admin.action(description="Revoke the chosen keys", permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ServerKey]) -> None:
        count = queryset.filter(revoked_at=None).update(revoked_at=clock.now())
        messages.success(request, f"{count} revoked. They stop working at once.")
