"""Offers: what each gives, on what and until when, how many codes there are, what the guard says of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, F, Q, QuerySet, Sum, Value
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.text import slugify
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from campaigns.admin.offers.form import BringForm, MakeForm, dressed, offer_form
from campaigns.models import Coupon, Offer, OfferProduct, Step
from campaigns.offers import codes, editing, telling, weighing
from campaigns.offers.judging import guard_settings
from campaigns.offers.reach import reaches
from campaigns.offers.sources import code_sources
from crm.kernel import clock
from crm.kernel.backoffice import ModelAdmin, TabularInline, display
from crm.kernel.kindforms import fields_of
from crm.models import Order
from crm.shop.settings import this_shop

STATES = {"on": "success", "planned": "info", "over": "warning", "out": "danger"}
WORDS = {"on": "on now", "planned": "planned", "over": "over", "out": "taken out"}
COUNTED = ("free", "reserved", "shown", "used", "expired")
SHOWN = 100


class ProductInline(TabularInline):
    model = OfferProduct
    fields = ["product"]
    autocomplete_fields = ["product"]
    verbose_name = "product"
    verbose_name_plural = "The certain products it is on"


@admin.register(Offer)
class OfferAdmin(ModelAdmin):
    list_display = ["name", "what", "state", "where", "ends_at", *COUNTED]
    list_filter = ["place", "kind", "is_active"]
    sortable_by = ["name", "ends_at"]
    search_fields = ["name"]
    ordering = ["-created_at"]
    inlines = [ProductInline]
    list_before_template = "campaigns/offers_intro.html"
    change_form_outer_before_template = "campaigns/offer_page.html"

    class Media:
        js = ["rekindle/kinds.js"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Offer]:
        counts = {f"n_{state}": Count("coupons", filter=Q(coupons__state=state)) for state in COUNTED}
        currency = Value(this_shop().currency)
        return super().get_queryset(request).annotate(currency=currency, **counts)

    def get_form(self, request: HttpRequest, obj: Offer | None = None, **kwargs: Any) -> Any:
        return super().get_form(request, obj, **({"form": offer_form()} | kwargs))

    def get_fieldsets(self, request: HttpRequest, obj: Offer | None = None) -> Any:
        by = ["codes", "shared_code", "code_source", *fields_of("code_source", code_sources)]
        if not self.has_change_permission(request, obj):
            by = ["codes", "shared_code"]
        return [
            (None, {"fields": ["name", "kind", "value", "gift"]}),
            ("On what", {"fields": ["on", "category", "brand", "minimum"]}),
            ("When and where", {"fields": [("starts_at", "ends_at"), "place", "is_active"]}),
            ("By which code", {"fields": [*by, "keep_ready", "good_for_hours"]}),
            (
                "Who gets it",
                {
                    "fields": [
                        "may_beat_site",
                        "for_status",
                        "first_time_only",
                        "skip_hunters",
                        "rung",
                        "follows_ladder",
                    ]
                },
            ),
        ]

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        asked = require_http_methods(["GET", "POST"])
        return [
            path("<int:pk>/bring/", wrap(asked(self.bring)), name="campaigns_offer_bring"),
            path("<int:pk>/make/", wrap(require_POST(self.make)), name="campaigns_offer_make"),
            path("<int:pk>/codes.csv", wrap(require_safe(self.listed)), name="campaigns_offer_codes"),
            *super().get_urls(),
        ]

    def bring(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Bring codes as text or a file; afterwards what became of each line."""
        offer = self._changeable(request, pk)
        posted = request.method == "POST"
        form = BringForm(request.POST, request.FILES) if posted else BringForm()
        report = None
        if posted and form.is_valid():
            report = codes.bring(offer, form.whole(), clock.now())
            form = BringForm()
        context = self.admin_site.each_context(request) | {
            "title": f"Codes for {offer}",
            "opts": self.model._meta,
            "offer": offer,
            "form": dressed(form),
            "report": report,
            "refused": report.refused[:SHOWN] if report else [],
            "shown": SHOWN,
        }
        return render(request, "campaigns/offer_bring.html", context)

    def make(self, request: HttpRequest, pk: int) -> HttpResponse:
        """So many new codes, made here."""
        offer = self._changeable(request, pk)
        form = MakeForm(request.POST)
        if form.is_valid():
            made = codes.make(offer, form.cleaned_data["number"], clock.now())
            messages.success(
                request,
                f"{made:,} codes were made. The shop has to accept them: download the list, import it there.",
            )
        else:
            messages.error(request, f"How many? {form.errors['number'].as_data()[0].message}")
        return redirect("admin:campaigns_offer_change", pk)

    def listed(self, request: HttpRequest, pk: int) -> StreamingHttpResponse:
        """The codes of the pool as a file, for the shop to accept them."""
        if not request.user.has_perm("campaigns.view_coupon"):
            raise PermissionDenied
        offer = self._of_single_codes(request, pk)
        response = StreamingHttpResponse(codes.listed(offer), content_type="text/csv; charset=utf-8")
        name = slugify(offer.name) or "offer"
        response["Content-Disposition"] = f'attachment; filename="codes-{name}.csv"'
        response["Cache-Control"] = "no-store"
        return response

    def save_model(self, request: HttpRequest, obj: Offer, form: Any, change: bool) -> None:
        if not change:
            obj.created_at = clock.now()
        super().save_model(request, obj, form, change)
        editing.changed()

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        offer = form.instance
        if offer.on == Offer.On.PRODUCTS and not offer.listed.exists():
            messages.warning(request, "It is on certain products, and none is chosen: it is on nothing yet.")

    def has_delete_permission(self, request: HttpRequest, obj: Offer | None = None) -> bool:
        allowed = super().has_delete_permission(request, obj)
        return bool(allowed and obj and not (obj.coupons.exists() or Step.objects.filter(offer=obj).exists()))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        offer = self.get_object(request, object_id)
        if offer is not None and self.has_view_permission(request, offer):
            extra_context = (extra_context or {}) | _page(offer, clock.now())
        return super().change_view(request, object_id, form_url, extra_context)

    @display(description="Gives")
    def what(self, offer: Any) -> str:
        return telling.summary(offer, offer.currency)

    @display(description="State", label=STATES)
    def state(self, offer: Offer) -> tuple[str, str]:
        found = state_of(offer, clock.now())
        return found, WORDS[found]

    @display(description="Good")
    def where(self, offer: Offer) -> str:
        return offer.get_place_display()

    @display(description="Free")
    def free(self, offer: Any) -> str:
        return f"{offer.n_free:,}" if offer.codes == Offer.Codes.SINGLE else ""

    @display(description="Reserved")
    def reserved(self, offer: Any) -> str:
        return f"{offer.n_reserved:,}"

    @display(description="Shown")
    def shown(self, offer: Any) -> str:
        return f"{offer.n_shown:,}"

    @display(description="Used")
    def used(self, offer: Any) -> str:
        return f"{offer.n_used:,}"

    @display(description="Expired")
    def expired(self, offer: Any) -> str:
        return f"{offer.n_expired:,}"

    def _changeable(self, request: HttpRequest, pk: int) -> Offer:
        if not self.has_change_permission(request):
            raise PermissionDenied
        return self._of_single_codes(request, pk)

    def _of_single_codes(self, request: HttpRequest, pk: int) -> Offer:
        if not self.has_view_permission(request):
            raise PermissionDenied
        offer = self.get_object(request, str(pk))
        if offer is None:
            raise Http404
        if offer.codes != Offer.Codes.SINGLE:
            raise Http404("This offer has no codes of people's own.")
        return offer


def state_of(offer: Offer, now: datetime) -> str:
    """on, planned, over, or out: taken out by hand."""
    if not offer.is_active:
        return "out"
    if offer.ends_at and offer.ends_at <= now:
        return "over"
    return "planned" if offer.starts_at and offer.starts_at > now else "on"


def _page(offer: Any, now: datetime) -> dict[str, Any]:
    """What stands above the form: its codes in numbers, the money they brought, what the guard says of it."""
    orders = Coupon.objects.filter(offer=offer, order_id__isnull=False).values("order_id")
    money = Order.objects.filter(pk__in=orders).aggregate(
        orders=Count("pk"), paid=Sum("total"), refunded=Sum("refunded"), off=Sum("discount")
    )
    on_site = Offer.objects.running(now).filter(place=Offer.Place.SITE).exclude(pk=offer.pk)
    mine, *others = reaches([offer, *on_site])
    single = offer.codes == Offer.Codes.SINGLE
    in_use = Step.objects.filter(offer=offer, version=F("version__campaign__current"))
    return {
        "summary": telling.summary(offer, offer.currency),
        "state_words": WORDS[state_of(offer, now)],
        "counts": [
            (Coupon.State(name).label, getattr(offer, f"n_{name}"))
            for name in COUNTED
            if single or name != "free"
        ],
        "single": single,
        "usable": any(getattr(offer, f"n_{name}") for name in ("free", "reserved", "shown")),
        "orders": money["orders"],
        "paid": (money["paid"] or 0) - (money["refunded"] or 0),
        "off": money["off"] or 0,
        "too_deep": weighing.too_deep(mine, [], guard_settings()),
        "rests_on": weighing.as_good_on_the_site(mine, others),
        "make_form": dressed(MakeForm()),
        "in_use": in_use.select_related("version__campaign").order_by("version__campaign__name")[:20],
    }
