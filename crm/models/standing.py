"""How each person buys and whether they are slipping away: rhythm, standing, and the money at stake."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from crm.models.base import ByContact, Fact, Scale
from crm.models.contacts import Contact


class State(models.TextChoices):
    ACTIVE = "active", "active"
    COOLING = "cooling", "cooling"
    AT_RISK = "at_risk", "at risk"
    LOST = "lost", "lost"


class Clock(models.TextChoices):
    PURCHASE = "purchase", "buyers, by their purchases"
    ENGAGEMENT = "engagement", "registered, by visits, clicks and replies"


def _factor(default: float, help_text: str) -> models.FloatField:
    return models.FloatField(
        default=default, validators=[MinValueValidator(0.1), MaxValueValidator(50)], help_text=help_text
    )


def _share(default: float, help_text: str) -> models.FloatField:
    return models.FloatField(
        default=default, validators=[MinValueValidator(0.05), MaxValueValidator(0.999)], help_text=help_text
    )


class RiskSettings(models.Model):
    """One row: when somebody counts as cooling, at risk, lost; the marketers' to change."""

    scale = Scale.LOCAL
    scale_column = ""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    cooling_factor = _factor(1.25, "Times the usual gap between two orders.")
    at_risk_factor = _factor(1.75, "Times the usual gap between two orders.")
    lost_factor = _factor(3.5, "Times the usual gap between two orders.")
    once_cooling_share = _share(0.6, "Bought once: this share of the shop's second orders would have come.")
    once_at_risk_share = _share(0.8, "Bought once: this share of the shop's second orders would have come.")
    once_lost_share = _share(0.95, "Bought once: this share of the shop's second orders would have come.")
    quiet_cooling_days = models.PositiveSmallIntegerField(default=45)
    quiet_at_risk_days = models.PositiveSmallIntegerField(default=90)
    quiet_lost_days = models.PositiveSmallIntegerField(default=180)
    changed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "at-risk thresholds"
        constraints = [
            models.CheckConstraint(condition=Q(id=1), name="one_risk_settings"),
            models.CheckConstraint(
                condition=Q(cooling_factor__lt=models.F("at_risk_factor"))
                & Q(at_risk_factor__lt=models.F("lost_factor"))
                & Q(once_cooling_share__lt=models.F("once_at_risk_share"))
                & Q(once_at_risk_share__lt=models.F("once_lost_share"))
                & Q(quiet_cooling_days__lt=models.F("quiet_at_risk_days"))
                & Q(quiet_at_risk_days__lt=models.F("quiet_lost_days")),
                name="risk_thresholds_rise",
            ),
        ]

    def __str__(self) -> str:
        return "When somebody is at risk"


class ShopRhythm(models.Model):
    """What the shop's own orders say of one day: the usual gap, and how long second orders take to come."""

    scale = Scale.LOCAL
    scale_column = ""

    on_day = models.DateField(primary_key=True)
    computed_at = models.DateTimeField()
    usual_gap_days = models.FloatField(help_text="Between two orders of one person, the typical one.")
    pull = models.FloatField(help_text="How many gaps of their own it takes to outweigh the shop's.")
    once_cooling_days = models.FloatField()
    once_at_risk_days = models.FloatField()
    once_lost_days = models.FloatField()
    gaps_seen = models.PositiveIntegerField(default=0)
    comes_back = models.FloatField(
        default=0.4, help_text="The share of those who bought once that buys again."
    )
    second_days = models.JSONField(
        default=list, help_text="Days within which 1, 2 … 99 % of the shop's second orders have come."
    )
    in_use_from = models.DateTimeField(
        null=True, blank=True, help_text="From when on people were measured by it; blank: never."
    )


class StandingUpkeep(models.Model):
    """One row: up to where everybody's standing is known, and by what it was measured."""

    scale = Scale.LOCAL
    scale_column = ""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    marked = models.BigIntegerField(default=0, help_text="The database's transaction mark of the last look.")
    swept_at = models.DateTimeField(null=True, help_text="Every move up to here is known.")
    counted_day = models.DateField(null=True, help_text="The last day whose counts are kept.")
    measured_at = models.DateTimeField(null=True, help_text="When the thresholds in use were set.")

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="one_standing_upkeep")]


class Standing(ByContact):
    """Where one person stands now. `turns_at`: when time alone will move them on; blank: never.

    `at_stake` is what they would be expected to spend in the coming year at their own rhythm, in the
    shop's currency.
    """

    contact = models.OneToOneField(Contact, on_delete=models.CASCADE, related_name="standing")
    clock = models.CharField(max_length=10, choices=Clock.choices)
    state = models.CharField(max_length=8, choices=State.choices)
    since = models.DateTimeField(help_text="When they came to this state.")
    last_at = models.DateTimeField(help_text="The order, visit, click or reply it counts from.")
    usual_gap_days = models.FloatField(null=True, blank=True)
    gaps = models.PositiveIntegerField(default=0, help_text="Gaps between orders seen.")
    cooling_at = models.DateTimeField()
    at_risk_at = models.DateTimeField()
    lost_at = models.DateTimeField()
    turns_at = models.DateTimeField(null=True, blank=True)
    at_stake = models.DecimalField(max_digits=14, decimal_places=2, default=0)

    class Meta:
        indexes = [
            models.Index(fields=["turns_at"], name="standing_turns", condition=Q(turns_at__isnull=False)),
            models.Index(fields=["state", "clock"], name="standing_state", include=["contact"]),
        ]


class StandingMove(Fact):
    """A person came from one state to another; `occurred_at` is the exact instant it became true."""

    contact = models.ForeignKey(
        Contact, on_delete=models.CASCADE, related_name="standing_moves", db_index=False
    )
    clock = models.CharField(max_length=10, choices=Clock.choices)
    from_state = models.CharField(max_length=8, choices=State.choices, blank=True)
    to_state = models.CharField(max_length=8, choices=State.choices)
    at_stake = models.DecimalField(max_digits=14, decimal_places=2, default=0)

    class Meta:
        indexes = [
            models.Index(fields=["contact", "-occurred_at"], name="standing_move_contact_time"),
            models.Index(fields=["occurred_at", "to_state"], name="standing_move_time"),
        ]


class StandingDay(models.Model):
    """How many stood where at the end of one day, and with what money."""

    scale = Scale.LOCAL
    scale_column = ""

    pk = models.CompositePrimaryKey("on_day", "clock", "state")
    on_day = models.DateField()
    clock = models.CharField(max_length=10, choices=Clock.choices)
    state = models.CharField(max_length=8, choices=State.choices)
    people = models.PositiveIntegerField()
    at_stake = models.DecimalField(max_digits=16, decimal_places=2, default=0)
    counted_at = models.DateTimeField()
