"""What goes with what, and what sells: worked out from orders and visits, replaced whole."""

from django.db import models
from django.db.models import Q

from crm.kernel import clock
from crm.models import Product
from crm.models.base import Scale


class Neighbour(models.Model):
    """One product that goes with another: the nearest first, so many a product.

    Half a million rows are replaced every night: the database checks no keys of them, and whoever reads them
    reads the products with them.
    """

    scale = Scale.LOCAL
    scale_column = ""

    class Sort(models.TextChoices):
        SIMILAR = "similar", "looked at together"
        TOGETHER = "together", "bought together"

    pk = models.CompositePrimaryKey("product_id", "sort", "place")
    product = models.ForeignKey(
        Product, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    sort = models.CharField(max_length=10, choices=Sort.choices)
    place = models.PositiveSmallIntegerField()
    other = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+", db_constraint=False)
    score = models.FloatField(help_text="How near, from 0 to 1; popularity alone brings nothing near.")
    times = models.PositiveIntegerField(help_text="In how many orders, visits or people both were.")

    class Meta:
        ordering = ["product", "sort", "place"]


class BestSeller(models.Model):
    """What most people bought lately, in the whole shop (no category) and in each category."""

    scale = Scale.LOCAL
    scale_column = ""

    pk = models.CompositePrimaryKey("category", "place")
    category = models.CharField(max_length=200, blank=True)
    place = models.PositiveSmallIntegerField()
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    people = models.PositiveIntegerField(help_text="Different people who bought it in the window.")

    class Meta:
        ordering = ["category", "place"]


class RecommendationRun(models.Model):
    """One working-out of what goes with what: asked for, at work, done or failed."""

    scale = Scale.LOCAL
    scale_column = ""

    id = models.BigAutoField(primary_key=True)
    asked_at = models.DateTimeField(default=clock.now)
    asked_by = models.CharField(max_length=150, blank=True, help_text="Blank: by the schedule.")
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    seconds = models.FloatField(default=0)
    orders = models.PositiveIntegerField(default=0, help_text="Orders that were read.")
    visits = models.PositiveIntegerField(default=0, help_text="Days on which somebody looked at products.")
    products = models.PositiveIntegerField(default=0, help_text="Products that something goes with.")
    links = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True)

    class Meta:
        verbose_name = "recommendations"
        verbose_name_plural = "recommendations"
        constraints = [
            # Pressed twice is asked once.
            models.UniqueConstraint(
                fields=["started_at"],
                condition=Q(started_at=None),
                name="one_run_waits",
                nulls_distinct=False,
            ),
        ]

    def __str__(self) -> str:
        return f"Recommendations of {self.asked_at:%d %b %Y, %H:%M}"
