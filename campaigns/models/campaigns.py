"""Campaigns, their versions and steps."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from crm.kernel import clock
from crm.kernel.rules import RuleField
from crm.models.base import Scale
from crm.models.consent import Purpose

# What rules of a flow may speak of: the run, its subject. The checklist holds them to the trigger at hand.
AT_ENTRY = ("subject", "subject:cart")
INSIDE = ("entered_at", *AT_ENTRY)


class Campaign(models.Model):
    """A flow (or, with a date trigger, a broadcast): who enters, what happens to them, when they leave."""

    scale = Scale.LOCAL
    scale_column = ""

    class State(models.TextChoices):
        DRAFT = "draft", "draft"
        RUNNING = "running", "running"
        PAUSED = "paused", "paused"
        STOPPED = "stopped", "stopped"

    class WhenBeaten(models.TextChoices):
        WAIT = "wait", "it waits until it is too late for it"
        DROP = "drop", "it is dropped"
        JOIN = "join", "its products join the other message"

    name = models.CharField(max_length=120)
    playbook = models.CharField(max_length=60, blank=True, editable=False)
    description = models.CharField(max_length=300, blank=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.DRAFT, editable=False)
    state_reason = models.CharField(max_length=300, blank=True, editable=False)
    purpose = models.ForeignKey(Purpose, on_delete=models.PROTECT, related_name="+")
    sender = models.ForeignKey(
        "campaigns.Sender",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Blank: the default sender.",
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    priority = models.PositiveSmallIntegerField(default=100, help_text="Lower goes first.")
    trigger = models.CharField(max_length=60, help_text="What lets people in.")
    trigger_params = models.JSONField(default=dict, blank=True)
    entry_rule = RuleField(
        blank=True,
        offers=AT_ENTRY,
        help_text="Only people of whom this is true may enter. Empty: everyone the trigger names.",
    )
    exit_rule = RuleField(
        blank=True,
        offers=INSIDE,
        help_text="People of whom this becomes true leave before the next step.",
    )
    goal = RuleField(blank=True, offers=INSIDE, help_text="What counts as success.")
    exit_on_purchase = models.BooleanField(
        default=True, help_text="Any order ends it, matched on person, address, cart and checkout."
    )
    control_share = models.DecimalField(
        "control group",
        max_digits=4,
        decimal_places=3,
        default=0,
        validators=[MinValueValidator(0), MaxValueValidator(1)],
        help_text="Share held out to measure lift, such as 0.2.",
    )
    reentry_days = models.DecimalField(
        max_digits=8,
        decimal_places=4,
        default=7,
        help_text="No new series for the same person sooner than this, unless they bought.",
    )
    expires_after = models.DurationField(
        null=True, blank=True, help_text="A message later than this after its due moment is skipped."
    )
    quiet_hours = models.BooleanField(
        default=False,
        help_text="Its messages leave only in the hours of the day that the frequency limits allow.",
    )
    in_caps = models.BooleanField(
        "counts in the frequency limits",
        default=True,
        db_default=True,
        help_text="Its messages obey the limits and count in them, and nobody of the shop-wide control group "
        "gets them. Off only for what people asked for.",
    )
    for_status = models.ForeignKey(
        "crm.Status",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name="made for people who are",
        help_text="To people who hold this status its messages go before those of other campaigns with the "
        "same priority number. Who may enter is said elsewhere.",
    )
    when_beaten = models.CharField(
        "when another message goes first",
        max_length=5,
        choices=WhenBeaten,
        default=WhenBeaten.WAIT,
        db_default=WhenBeaten.WAIT,
        help_text="Of two messages to one person the campaign with the lower priority number goes first.",
    )
    is_shadow = models.BooleanField(
        "in shadow",
        default=False,
        db_default=False,
        help_text="People walk it and every decision is written down, but nothing is sent or given.",
    )
    existing_a_day = models.PositiveIntegerField(
        "people who qualified before",
        null=True,
        blank=True,
        help_text="Let in so many of them a day as well. Blank: it looks forward only, and whoever "
        "qualified before the launch gets nothing.",
    )
    existing_on = models.DateField(null=True, blank=True, editable=False)
    existing_in = models.PositiveIntegerField(
        default=0, db_default=0, editable=False, help_text="How many of them were let in on that day."
    )
    launched_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    current = models.ForeignKey(
        "campaigns.FlowVersion",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        editable=False,
    )
    goal_marked = models.BigIntegerField(default=0, db_default=0, editable=False)
    goal_asked_at = models.DateTimeField(null=True, blank=True, editable=False)
    problem = models.TextField(blank=True, editable=False)
    problem_at = models.DateTimeField(null=True, blank=True, editable=False)
    forecast = models.JSONField(
        default=dict,
        db_default={},
        blank=True,
        editable=False,
        help_text="How many were expected at the launch; far more make it pause itself.",
    )

    class Meta:
        indexes = [models.Index(fields=["state"], name="campaign_state")]
        permissions = [
            ("launch_campaign", "May launch a campaign to more than 500 people"),
            ("approve_launch", "May approve that a colleague launches a campaign to more than 10,000 people"),
            ("call_webhooks", "May put webhooks into campaigns"),
        ]

    def __str__(self) -> str:
        return self.name


class FlowVersion(models.Model):
    """A list of steps, immutable once somebody entered it."""

    scale = Scale.LOCAL
    scale_column = ""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(default=clock.now)
    frozen_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "number"], name="one_flow_version_number")]

    def __str__(self) -> str:
        return f"{self.campaign} v{self.number}"


class Step(models.Model):
    """One step of one version. `key` survives versions and names the step in dedupe keys.

    `marked` and `asked_at` say when those who wait here for something were last asked about: the database's
    transaction mark (see `crm.people.stirring`) and the instant.
    """

    scale = Scale.LOCAL
    scale_column = ""

    version = models.ForeignKey(FlowVersion, on_delete=models.CASCADE, related_name="steps")
    key = models.SlugField(max_length=40)
    position = models.PositiveSmallIntegerField(default=0)
    kind = models.CharField(max_length=60)
    params = models.JSONField(default=dict, blank=True)
    template = models.ForeignKey(
        "campaigns.Template", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    offer = models.ForeignKey(
        "campaigns.Offer",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="What its message gives. Blank: nothing.",
    )
    path = models.CharField(max_length=40, blank=True, help_text="Blank: everyone.")
    only_if = RuleField(blank=True, offers=INSIDE)
    expires_after = models.DurationField(
        null=True,
        blank=True,
        help_text="A message later than this after its due moment is skipped. Blank: as the campaign says.",
    )
    marked = models.BigIntegerField(default=0, db_default=0, editable=False)
    asked_at = models.DateTimeField(null=True, blank=True, editable=False)

    dealt = models.PositiveBigIntegerField(
        default=0, db_default=0, editable=False, help_text="How many people it gave to colleagues in turn."
    )

    class Meta:
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["version", "key"], name="one_step_key_a_version")]

    def __str__(self) -> str:
        return f"{self.position}. {self.kind}"


class StepVariant(models.Model):
    """One of several messages of a step. Its share is its weight among the weights of the step."""

    scale = Scale.LOCAL
    scale_column = ""

    step = models.ForeignKey(Step, on_delete=models.CASCADE, related_name="variants")
    label = models.CharField(max_length=40)
    template = models.ForeignKey("campaigns.Template", on_delete=models.PROTECT, related_name="+")
    weight = models.PositiveSmallIntegerField(default=1)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["step", "label"], name="one_variant_label_a_step"),
            models.CheckConstraint(condition=models.Q(weight__gt=0), name="variant_weighs_something"),
        ]

    def __str__(self) -> str:
        return self.label
