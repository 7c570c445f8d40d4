"""Who gets a lead that goes to sales, when the desk is open, who is away, what became of each hand-over."""

from datetime import time

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q

from crm.kernel import clock
from crm.kernel.rules import RuleField
from crm.models.base import Fact, Scale, ScaledModel
from crm.models.contacts import Contact
from crm.models.leads import LeadDefinition, StageMove


class Weekday(models.IntegerChoices):
    """As ISO counts them."""

    MONDAY = 1, "Monday"
    TUESDAY = 2, "Tuesday"
    WEDNESDAY = 3, "Wednesday"
    THURSDAY = 4, "Thursday"
    FRIDAY = 5, "Friday"
    SATURDAY = 6, "Saturday"
    SUNDAY = 7, "Sunday"


def working_days() -> list[int]:
    return [1, 2, 3, 4, 5]


class DeskSettings(models.Model):
    """One row. When the sales desk is open, in the shop's time, and how fast it means to be."""

    scale = Scale.LOCAL
    scale_column = ""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    weekdays = ArrayField(
        models.PositiveSmallIntegerField(choices=Weekday.choices),
        default=working_days,
        verbose_name="open on",
    )
    opens_at = models.TimeField("opens at", default=time(9))
    closes_at = models.TimeField("closes at", default=time(17))
    holidays = ArrayField(models.DateField(), default=list, blank=True, verbose_name="closed on")
    answer_hours = models.PositiveSmallIntegerField(
        "hours to answer",
        default=2,
        validators=[MinValueValidator(1)],
        help_text="Of the hours the desk is open. A lead nobody accepts or refuses by then goes to the next.",
    )
    touch_hours = models.PositiveSmallIntegerField(
        "hours to the first contact",
        default=4,
        validators=[MinValueValidator(1)],
        help_text="Of the hours the desk is open. A call, a meeting or an e-mail should come within them.",
    )
    tells_on_site = models.BooleanField(
        "tell when a lead is on the site",
        default=True,
        help_text="The owner of a lead that is ready or accepted gets one e-mail a visit.",
    )

    class Meta:
        verbose_name = verbose_name_plural = "desk hours"
        constraints = [
            models.CheckConstraint(condition=Q(id=1), name="one_desk"),
            models.CheckConstraint(
                condition=Q(closes_at__gt=F("opens_at")), name="desk_opens_before_it_closes"
            ),
        ]

    def __str__(self) -> str:
        return "Desk hours"


class Absence(ScaledModel):
    """A colleague is away, both days included; what would go to them goes to who stands in, if anybody."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", verbose_name="colleague"
    )
    from_day = models.DateField("from")
    to_day = models.DateField("until")
    stand_in = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Blank: leads go on to whoever is next.",
    )

    class Meta:
        ordering = ["-from_day", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(to_day__gte=F("from_day")), name="absence_ends_after_it_began"
            ),
            models.CheckConstraint(
                condition=Q(stand_in__isnull=True) | ~Q(stand_in=F("user")),
                name="nobody_stands_in_for_themselves",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} from {self.from_day} until {self.to_day}"


class AssignmentRule(ScaledModel):
    """Which colleagues get the leads a rule is true of, and how one of them is chosen.

    The first rule, by place, that is true of the person and has somebody at work gives the owner.
    """

    name = models.CharField(max_length=120, unique=True)
    definition = models.ForeignKey(
        LeadDefinition,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="assignment_rules",
        verbose_name="leads of",
        help_text="Blank: leads of every definition.",
    )
    rule = RuleField(blank=True, help_text="Who it is for. Blank: everybody.")
    chooser = models.CharField("one of them", max_length=60, default="crm.in_turn")
    is_active = models.BooleanField("in use", default=True)
    position = models.PositiveSmallIntegerField("place", default=100, help_text="The lowest is asked first.")
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name


class AssignmentMember(ScaledModel):
    """A colleague a rule gives leads to. `turn` rises with each lead: the lowest has waited longest."""

    rule = models.ForeignKey(AssignmentRule, on_delete=models.CASCADE, related_name="members")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", verbose_name="colleague"
    )
    position = models.PositiveSmallIntegerField("place", default=100)
    turn = models.PositiveBigIntegerField(default=0, editable=False)

    class Meta:
        ordering = ["position", "id"]
        verbose_name = "colleague"
        constraints = [models.UniqueConstraint(fields=["rule", "user"], name="one_share_a_colleague")]

    def __str__(self) -> str:
        return str(self.user)


class HandOver(Fact):
    """One colleague was asked to take one lead, at `occurred_at`; asking the next one is a row of its own.

    `move` is what made the lead sales-ready. After `answer_by` the next colleague is looked for; where there
    is none that moves on, and whoever was asked is still asked.
    """

    class Answer(models.TextChoices):
        WAITING = "waiting", "waits"
        ACCEPTED = "accepted", "accepted"
        REFUSED = "refused", "refused"
        PASSED = "passed", "passed on"
        OVERTAKEN = "overtaken", "overtaken by the rules"

    class Reason(models.TextChoices):
        NO_INTEREST = "no_interest", "not interested"
        NOT_NOW = "not_now", "not now"
        NOT_REACHED = "not_reached", "could not be reached"
        WRONG_DETAILS = "wrong_details", "wrong number or address"
        NO_FIT = "no_fit", "not somebody we sell to"
        IN_TOUCH = "in_touch", "somebody is in touch already"
        OTHER = "other", "something else"

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="hand_overs", db_index=False)
    definition = models.ForeignKey(LeadDefinition, on_delete=models.CASCADE, related_name="+", db_index=False)
    move = models.ForeignKey(StageMove, on_delete=models.CASCADE, related_name="+", db_index=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    chosen = models.CharField("how chosen", max_length=200, blank=True)
    answer_by = models.DateTimeField(null=True, blank=True)
    answer = models.CharField(max_length=10, choices=Answer.choices, default=Answer.WAITING)
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.CharField(max_length=120, blank=True)
    reason = models.CharField(max_length=16, choices=Reason.choices, blank=True)
    words = models.CharField(max_length=300, blank=True)

    class Meta:
        verbose_name = "hand-over"
        constraints = [
            models.UniqueConstraint(
                fields=["contact", "move"], condition=Q(answer="waiting"), name="one_hand_over_waits"
            ),
        ]
        indexes = [
            models.Index(fields=["contact", "-occurred_at"], name="hand_over_contact_time"),
            models.Index(fields=["-occurred_at"], name="hand_over_time"),
            models.Index(fields=["answer_by"], name="hand_over_due", condition=Q(answer="waiting")),
        ]

    def __str__(self) -> str:
        return f"{self.contact} to {self.owner or 'nobody'}"


class Role(models.Model):
    """What a group of ours was given once: what an administrator took away again is not given back."""

    scale = Scale.LOCAL
    scale_column = ""

    key = models.CharField(max_length=40, primary_key=True)
    group = models.ForeignKey("auth.Group", null=True, on_delete=models.SET_NULL, related_name="+")
    given = ArrayField(models.CharField(max_length=120), default=list, help_text="Such as crm.view_lead.")

    def __str__(self) -> str:
        return self.key
