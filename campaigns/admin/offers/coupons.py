"""Coupons: every code with who holds it and what became of it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Concat, Upper
from django.http import HttpRequest
from django.urls import reverse

from campaigns.models import Coupon
from crm.kernel import masking
from crm.kernel.backoffice import ReadOnlyAdmin, display
from crm.models import Contact
from crm.shop.showing import link

LABELS = {"free": "info", "reserved": "info", "shown": "warning", "used": "success", "expired": "danger"}


@admin.register(Coupon)
class CouponAdmin(ReadOnlyAdmin):
    list_display = ["__str__", "offer", "what", "person", "reserved_at", "shown_at", "used_at", "expires_at"]
    list_filter = ["state", "offer"]
    sortable_by: list[str] = []
    search_fields = ["code"]
    search_help_text = "A whole code, in any case of letters."
    ordering = ["-id"]
    list_select_related = ["offer"]
    fields = [
        ("code", "state"),
        "offer",
        "person",
        ("reserved_at", "shown_at"),
        ("used_at", "expired_at"),
        ("expires_at", "next_order"),
    ]
    readonly_fields = ["person"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Coupon]:
        who = Contact.objects.filter(pk=OuterRef("contact_id"))
        name = who.values(whole=Concat("first_name", Value(" "), "last_name"))
        return (
            super()
            .get_queryset(request)
            .annotate(name=Subquery(name[:1]), mail=Subquery(who.values("email")[:1]))
        )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Coupon], search_term: str
    ) -> tuple[QuerySet[Coupon], bool]:
        code = search_term.strip().upper()
        if not code or "\0" in code:
            return (queryset.none() if code else queryset), False
        return queryset.alias(capitals=Upper("code")).filter(capitals=code), False

    @display(description="State", label=LABELS)
    def what(self, coupon: Coupon) -> tuple[str, str]:
        return coupon.state, coupon.get_state_display()

    @display(description="Whose")
    def person(self, coupon: Any) -> str:
        if coupon.contact_id is None:
            return "nobody's"
        words = (coupon.name or "").strip() or masking.told(coupon.mail or "")
        return (
            link(reverse("admin:crm_contact_change", args=[coupon.contact_id]), words) if words else "erased"
        )
