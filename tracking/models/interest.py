"""Rollups of what known people do, kept up as events come in: counts a day, and visits."""

from django.db import models
from django.db.models import Q

from crm.models.base import ByContact, Scale
from crm.models.contacts import Contact


class DailyCount(ByContact):
    """How often one person did one thing with one subject on one day (UTC); acts by people alone.

    `category` and `brand` are what the page told, in small letters as the database makes them.
    """

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="+", db_index=False)
    on_day = models.DateField()
    kind = models.CharField(max_length=60, help_text="Of an own event: custom, a colon, its name.")
    product_id = models.UUIDField(null=True, blank=True)
    category = models.CharField(max_length=200, blank=True)
    brand = models.CharField(max_length=120, blank=True)
    number = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["contact", "on_day", "kind", "product_id", "category", "brand"],
                name="one_count_a_day",
                nulls_distinct=False,
            ),
        ]
        indexes = [
            models.Index(
                fields=["category", "kind", "on_day"],
                name="daily_category",
                include=["contact", "number"],
                condition=~Q(category=""),
            ),
            models.Index(
                fields=["brand", "kind", "on_day"],
                name="daily_brand",
                include=["contact", "number"],
                condition=~Q(brand=""),
            ),
            models.Index(
                fields=["product_id", "kind", "on_day"],
                name="daily_product",
                include=["contact", "number"],
                condition=Q(product_id__isnull=False),
            ),
            models.Index(fields=["kind", "on_day"], name="daily_kind", include=["contact", "number"]),
        ]


class Visit(ByContact):
    """One visit of one person: acts in one browser without half an hour between two of them.

    Derived from events, and made anew from them where a late one arrives. `seconds` is from the first act
    to the last. The source is that of the first page: campaign parameters, ad click ids, the referrer.
    """

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="visits", db_index=False)
    visitor_id = models.UUIDField(null=True, blank=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    recorded_at = models.DateTimeField(help_text="When we knew of its last act.")
    acts = models.PositiveIntegerField(default=0)
    pages = models.PositiveIntegerField(default=0, help_text="Different pages looked at.")
    products = models.PositiveIntegerField(default=0, help_text="Different products looked at.")
    seconds = models.PositiveIntegerField(default=0)
    source = models.CharField(max_length=120, blank=True, help_text="utm_source, in small letters.")
    medium = models.CharField(max_length=120, blank=True)
    campaign = models.CharField(max_length=200, blank=True)
    is_ad = models.BooleanField(default=False, help_text="Came by a paid advertisement.")
    referrer = models.CharField(max_length=253, blank=True, help_text="The host that sent them.")
    entry_url = models.CharField(max_length=1000, blank=True)
    exit_url = models.CharField(max_length=1000, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["contact", "-started_at"], name="visit_contact_time"),
            models.Index(fields=["started_at"], name="visit_time", include=["contact"]),
        ]


class UnrolledMonth(models.Model):
    """A month of events from before there were rollups, not yet counted. Rules ask the history meanwhile."""

    scale = Scale.LOCAL
    scale_column = ""

    month = models.DateField(primary_key=True)
