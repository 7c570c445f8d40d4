"""What a lead is for this shop, in versions; who is one, at which stage, with which score, and since when."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from crm.kernel import clock
from crm.kernel.rules import ENTERED_AT, RuleField
from crm.models.base import ByContact, Fact, ScaledModel
from crm.models.contacts import Contact


class LeadDefinition(ScaledModel):
    """One meaning of *lead*. The published version with the highest number is the one that counts."""

    name = models.CharField(max_length=120, unique=True)
    description = models.CharField(max_length=300, blank=True)
    is_active = models.BooleanField(default=True, help_text="Off: nobody new becomes a lead of it.")
    owner_by_default = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Who gets a lead that has no owner and that no assignment rule gives to anybody.",
    )
    rest_days = models.PositiveSmallIntegerField(
        "marketing rests for days",
        null=True,
        blank=True,
        help_text="When a lead goes to sales no marketing is sent to them for so many days, or until sales"
        " refuses. Blank: campaigns go on.",
    )
    rest_ends_accepted = models.BooleanField(
        "it ends when sales accepts",
        default=False,
        db_default=False,
        help_text="Off: whoever accepted has the rest of the days for themselves.",
    )
    rest_spares = ArrayField(
        models.BigIntegerField(),
        verbose_name="it spares",
        default=list,
        db_default=[],
        blank=True,
        help_text="Marketing of these purposes goes on. None: all of it rests.",
    )
    problem = models.TextField(blank=True, help_text="Why it takes nobody in, when it does not.")
    refreshed_at = models.DateTimeField(null=True, blank=True)
    refresh_seconds = models.FloatField(default=0)
    marked = models.BigIntegerField(default=0, db_default=0)
    created_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return self.name


class LeadVersion(ScaledModel):
    """One wording of a definition: a draft until it is published, and never changed after that.

    *Entering*, where its conditions speak of it, is the instant the person became a lead.
    """

    definition = models.ForeignKey(LeadDefinition, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    is_lead = RuleField(help_text="Who is a lead.")
    enter_nurturing = RuleField(
        blank=True, offers=(ENTERED_AT,), help_text="Which leads are nurtured. Blank: none by rule."
    )
    sales_ready = RuleField(
        blank=True, offers=(ENTERED_AT,), help_text="Which leads go to sales. Blank: none by rule."
    )
    created_at = models.DateTimeField(default=clock.now)
    published_at = models.DateTimeField(null=True, blank=True)
    published_by = models.CharField(max_length=120, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["definition", "number"], name="one_version_a_number")]

    def __str__(self) -> str:
        return f"{self.definition} {self.number}"


class ScoreLine(ScaledModel):
    """Points for whoever a rule is true of; halved with every `halves_days` since it last was."""

    version = models.ForeignKey(LeadVersion, on_delete=models.CASCADE, related_name="score_lines")
    label = models.CharField(max_length=120, blank=True, help_text="Blank: the rule in words.")
    rule = RuleField()
    points = models.SmallIntegerField(help_text="Negative takes points away.")
    halves_days = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        help_text="Halved each so many days after it stops being true. Blank: gone at once.",
    )
    position = models.PositiveSmallIntegerField(default=100)

    class Meta:
        ordering = ["position", "id"]


class Stage(ScaledModel):
    """One column of the board. Rules move leads in both directions; a hand holds until the rules say new.

    Stages that mean *is a lead*, *is nurtured* and *ready for sales* follow the rules of the version; `rule`
    is for the others.
    """

    class Meaning(models.TextChoices):
        LEAD = "lead", "is a lead"
        NURTURE = "nurture", "is nurtured"
        SALES_READY = "sales_ready", "ready for sales"
        ACCEPTED = "accepted", "accepted by sales"
        WON = "won", "bought"
        LOST = "lost", "given up"
        OTHER = "other", "something else"

    definition = models.ForeignKey(LeadDefinition, on_delete=models.CASCADE, related_name="stages")
    name = models.CharField(max_length=80)
    meaning = models.CharField(max_length=12, choices=Meaning.choices, default=Meaning.OTHER)
    rule = RuleField(
        blank=True,
        offers=(ENTERED_AT,),
        help_text="Who belongs here by rule. Blank: moved here by hand alone.",
    )
    position = models.PositiveSmallIntegerField(default=100)
    limit_days = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Shown in red when somebody stays longer."
    )

    class Meta:
        ordering = ["position", "name"]
        constraints = [models.UniqueConstraint(fields=["definition", "name"], name="one_stage_a_name")]

    def __str__(self) -> str:
        return self.name


class Lead(ByContact):
    """One contact as a lead of one definition. `ended_at` is set when they stop being one.

    `rule_stage` is what the rules said last: a stage set by hand stands until they say something else.
    `reasons` lists the score: [{"label": "…", "points": 10, "of": 20}], the largest first.
    """

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="leads", db_index=False)
    definition = models.ForeignKey(LeadDefinition, on_delete=models.CASCADE, related_name="leads")
    version = models.ForeignKey(LeadVersion, on_delete=models.PROTECT, related_name="+")
    stage = models.ForeignKey(Stage, null=True, on_delete=models.SET_NULL, related_name="leads")
    rule_stage = models.ForeignKey(
        Stage, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    stage_since = models.DateTimeField()
    score = models.IntegerField(default=0)
    reasons = models.JSONField(default=list, blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    expected_value = models.DecimalField(
        max_digits=12,
        decimal_places=2,
        null=True,
        blank=True,
        help_text="What a colleague expects of it, in the shop's currency. Blank: nobody has said.",
    )
    became_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    on_site_told_at = models.DateTimeField(
        null=True, blank=True, help_text="When the owner was last told that they are on the site."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["contact", "definition"], name="one_lead_a_definition")
        ]
        indexes = [
            models.Index(
                fields=["stage", "-score", "id"], name="lead_on_board", condition=Q(ended_at__isnull=True)
            ),
            models.Index(fields=["-score", "id"], name="lead_best", condition=Q(ended_at__isnull=True)),
            models.Index(fields=["became_at"], name="lead_newest", condition=Q(ended_at__isnull=True)),
        ]


class StageMove(Fact):
    """A lead came to a stage, or ceased to be one (`to_stage` blank), by rule or by hand."""

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="stage_moves", db_index=False)
    definition = models.ForeignKey(LeadDefinition, on_delete=models.CASCADE, related_name="+")
    from_stage = models.ForeignKey(
        Stage, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    to_stage = models.ForeignKey(Stage, null=True, on_delete=models.SET_NULL, related_name="+")
    by_rule = models.BooleanField(default=True)
    actor = models.CharField(max_length=120, blank=True, help_text="Blank: a rule.")
    score = models.IntegerField(default=0)
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["contact", "-occurred_at"], name="stage_move_contact_time"),
            models.Index(fields=["definition", "occurred_at"], name="stage_move_definition_time"),
        ]


class ScoreChange(Fact):
    """A lead's score from then on, a row a change, so that a rule can ask what it was."""

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="+", db_index=False)
    definition = models.ForeignKey(LeadDefinition, on_delete=models.CASCADE, related_name="+", db_index=False)
    score = models.IntegerField()

    class Meta:
        indexes = [models.Index(fields=["contact", "definition", "-occurred_at"], name="score_contact_time")]
