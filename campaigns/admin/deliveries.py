"""Deliveries: every message, its state and the reason for it; the switch that holds all sending."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.views.decorators.http import require_GET, require_POST

from campaigns.admin import frames, wordings
from campaigns.delivery import outbox
from campaigns.delivery.resolving import NotUnknown
from campaigns.messages import notices, rendering, webhooks
from campaigns.models import Decision, Delivery, DeliveryState, SendingControl
from crm.kernel import clock, masking
from crm.kernel.backoffice import ReadOnlyAdmin, display
from crm.models import Contact
from crm.shop.showing import link
from tracking.models import Event

LABELS = {
    "queued": "info",
    "claimed": "info",
    "sending": "info",
    "sent": "success",
    "failed": "danger",
    "suppressed": "warning",
    "skipped": "warning",
    "unknown": "danger",
    "held": "danger",
}
ENDINGS = {"again": DeliveryState.QUEUED, "close": DeliveryState.FAILED, "arrived": DeliveryState.SENT}


class ReasonFilter(admin.SimpleListFilter):
    title = "reason"
    parameter_name = "reason"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return wordings.reasons()

    def queryset(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> QuerySet[Delivery]:
        return queryset.filter(reason=self.value()) if self.value() else queryset


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "person", "what", "why", "template", "campaign", "finished_at"]
    list_filter = ["state", ReasonFilter, "campaign", "origin"]
    sortable_by = ["created_at"]
    ordering = ["-created_at", "-id"]
    list_select_related = ["template", "campaign"]
    list_before_template = "campaigns/deliveries_intro.html"
    change_form_outer_before_template = "campaigns/delivery_page.html"
    actions = ["send_again", "close"]
    fieldsets = [
        (
            "Particulars",
            {
                "classes": ["collapse"],
                "fields": [
                    ("public_id", "dedupe_key"),
                    ("channel", "origin", "purpose"),
                    ("campaign", "step_key", "template_version"),
                    ("due_at", "not_before", "not_after"),
                    ("attempts", "fenced_at", "finished_at"),
                    ("provider", "provider_message_id", "outcome"),
                ],
            },
        )
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        who = Contact.objects.filter(pk=OuterRef("contact_id"))
        return (
            super()
            .get_queryset(request)
            .defer("context")
            .annotate(
                first=Subquery(who.values("first_name")[:1]),
                last=Subquery(who.values("last_name")[:1]),
                mail=Subquery(who.values("email")[:1]),
            )
        )

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        return [
            path("hold/", wrap(require_POST(self.hold)), name="campaigns_delivery_hold"),
            path("<int:pk>/as-sent/", wrap(require_GET(self.as_sent)), name="campaigns_delivery_as_sent"),
            path("<int:pk>/settle/", wrap(require_POST(self.settle)), name="campaigns_delivery_settle"),
            *super().get_urls(),
        ]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # Rows are settled by an action, never edited.
        return request.user.has_perm("campaigns.change_delivery") and obj is None

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def hold(self, request: HttpRequest) -> HttpResponse:
        """Hold or release all sending."""
        if not request.user.has_perm("campaigns.change_sendingcontrol"):
            raise PermissionDenied
        by, now = request.user.get_username(), clock.now()
        if request.POST.get("hold") == "yes":
            outbox.hold(request.POST.get("reason", "")[:300], by, now)
            messages.warning(request, "All sending is held. Nothing leaves until it is released.")
        else:
            outbox.release(by, now)
            messages.success(request, "Sending goes on.")
        return redirect("admin:campaigns_delivery_changelist")

    def as_sent(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The message as it was sent, for a sandboxed frame."""
        delivery = self.get_queryset(request).select_related("template_version").filter(pk=pk).first()
        if not self.has_view_permission(request, delivery):
            raise PermissionDenied
        if delivery is None or not delivery.context:
            raise Http404("Nothing was rendered for this delivery.")
        if delivery.origin in (Delivery.Origin.NOTICE, Delivery.Origin.PERSONAL):
            letter = notices.as_sent(delivery)
            return frames.plain(f"{letter.subject}\n\n{letter.text}" if letter else "")
        if delivery.origin == Delivery.Origin.SYSTEM:
            return frames.plain(webhooks.as_sent(delivery))
        shown = rendering.as_sent(delivery)
        if shown is None:
            raise Http404
        return frames.plain(shown.text) if request.GET.get("part") == "text" else frames.framed(shown.html)

    def settle(self, request: HttpRequest, pk: int) -> HttpResponse:
        """A person's decision on one unconfirmed delivery."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        to = ENDINGS.get(request.POST.get("to", ""))
        delivery = self.get_queryset(request).filter(pk=pk).first()
        if to is None or delivery is None:
            raise Http404
        try:
            outbox.resolve(delivery, to, request.user.get_username(), clock.now())
            messages.success(request, "Settled.")
        except NotUnknown as error:
            messages.error(request, f"{error}.")
        return redirect("admin:campaigns_delivery_change", pk)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        control = SendingControl.objects.filter(pk=1).first()
        return super().changelist_view(request, (extra_context or {}) | {"control": control})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        delivery = self.get_object(request, object_id)
        if delivery is not None and self.has_view_permission(request, delivery):
            extra_context = (extra_context or {}) | self._page(request, delivery)
        return super().change_view(request, object_id, form_url, extra_context)

    @display(description="To")
    def person(self, delivery: Any) -> str:
        if delivery.test_address:
            return f"{delivery.test_address} ({delivery.get_origin_display()})"
        if delivery.contact_id is None:
            return "erased"
        name = (
            f"{delivery.first or ''} {delivery.last or ''}".strip()
            or masking.told(delivery.mail or "")
            or "a contact"
        )
        return link(reverse("admin:crm_contact_change", args=[delivery.contact_id]), name)

    @display(description="State", label=LABELS)
    def what(self, delivery: Delivery) -> tuple[str, str]:
        return ("held" if delivery.is_held else delivery.state), wordings.state_words(delivery)

    @display(description="Why")
    def why(self, delivery: Delivery) -> str:
        return wordings.why(delivery.reason, delivery.state)

    @admin.action(description="Send again (I accept a possible double)", permissions=["change"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        self._settle_all(request, queryset, DeliveryState.QUEUED)

    @admin.action(description="Close as failed", permissions=["change"])
    def close(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        self._settle_all(request, queryset, DeliveryState.FAILED)

    def _settle_all(self, request: HttpRequest, queryset: QuerySet[Delivery], to: DeliveryState) -> None:
        now, done = clock.now(), 0
        for delivery in queryset.filter(state=DeliveryState.UNKNOWN)[:500]:
            try:
                outbox.resolve(delivery, to, request.user.get_username(), now)
                done += 1
            except NotUnknown:
                continue  # Somebody else was faster.
        if done:
            messages.success(request, f"{done} settled.")
        else:
            messages.warning(request, "Only unconfirmed deliveries can be settled, and none was chosen.")

    def _page(self, request: HttpRequest, delivery: Delivery) -> dict[str, Any]:
        """What became of it, step by step, and whether there is a text to show."""
        who = delivery.contact_id
        decided = Decision.objects.filter(contact_id=who, enrolment_id=delivery.enrolment_id) if who else None
        return {
            "contact": Contact.objects.filter(pk=who).first() if who else None,
            "state_words": wordings.state_words(delivery),
            "reason_words": wordings.why(delivery.reason, delivery.state),
            "attempts": delivery.attempt_log.order_by("id"),
            "decisions": decided.order_by("decided_at", "id")[:100]
            if decided is not None and delivery.enrolment_id
            else [],
            "events": Event.objects.filter(ref=delivery.public_id).order_by("occurred_at")[:50],
            "has_text": Delivery.objects.filter(pk=delivery.pk, context__isnull=False).exists(),
            "may_settle": self.has_change_permission(request),
        }
