"""Orders, as the shop told of them."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse

from crm.kernel.backoffice import ReadOnlyAdmin, ReadOnlyTabularInline, display
from crm.models import Order, OrderLine
from crm.shop import showing

LABELS = {"placed": "info", "paid": "success", "cancelled": "danger", "refunded": "warning"}


class LineInline(ReadOnlyTabularInline):
    model = OrderLine
    fields = ["image", "name", "sku", "number", "unit_price", "list_price"]
    readonly_fields = ["image", "number"]
    verbose_name_plural = "What was bought"

    def get_queryset(self, request: HttpRequest) -> QuerySet[OrderLine]:
        return super().get_queryset(request).select_related("product")

    @display(description="")
    def image(self, line: OrderLine) -> str:
        return showing.picture(line.product.image_url if line.product else "", line.name)

    @display(description="How many")
    def number(self, line: OrderLine) -> str:
        return f"{line.quantity:g}"


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin):
    list_display = ["__str__", "occurred_at", "person", "what", "money", "coupon_code", "channel", "source"]
    list_filter = ["status"]
    sortable_by = ["occurred_at"]
    search_fields = ["number__exact", "external_id__exact", "coupon_code__exact", "cart_token__exact"]
    search_help_text = "A whole order number, coupon code or cart token."
    ordering = ["-occurred_at", "-id"]
    list_select_related = ["contact"]
    inlines = [LineInline]
    readonly_fields = ["person"]
    fieldsets = [
        (None, {"fields": [("number", "status"), ("person", "occurred_at")]}),
        (
            "Money",
            {
                "fields": [
                    ("total", "currency"),
                    ("subtotal", "discount"),
                    ("shipping", "tax"),
                    ("refunded", "coupon_code"),
                ]
            },
        ),
        (
            "Where it came from",
            {
                "classes": ["collapse"],
                "fields": [
                    ("source", "external_id", "channel"),
                    ("cart_token", "checkout_id"),
                    ("source_at", "recorded_at", "is_backfill"),
                ],
            },
        ),
    ]

    @display(description="Who")
    def person(self, order: Order) -> str:
        return showing.link(reverse("admin:crm_contact_change", args=[order.contact_id]), order.contact)

    @display(description="Total")
    def money(self, order: Order) -> str:
        return showing.money(order.total, order.currency)

    @display(description="Status", label=LABELS)
    def what(self, order: Order) -> tuple[str, str]:
        return order.status, order.get_status_display()
