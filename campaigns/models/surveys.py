"""Questions that messages ask, the answers one may tap, and what people answered."""

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q

from crm.kernel import clock
from crm.models.base import Fact, Scale
from crm.models.contacts import Contact

MOST_CHOICES = 8
LONGEST_WORDS = 2000


class Survey(models.Model):
    """One question with up to eight answers. `slug` is how messages call it, and stays for good."""

    scale = Scale.LOCAL
    scale_column = ""

    slug = models.CharField(
        "name in messages",
        max_length=40,
        unique=True,
        validators=[RegexValidator(r"^[a-z][a-z0-9_]*$", "Small letters, digits and _, such as why_not.")],
    )
    question = models.CharField(max_length=200)
    words_label = models.CharField(
        "asks for words",
        max_length=200,
        blank=True,
        default="Would you tell us more?",
        help_text="Stands above a box for their own words, after they have answered. Blank: no box.",
    )
    thanks = models.CharField(
        "thank-you",
        max_length=500,
        default="Thank you. A person reads every answer.",
        help_text="What they read after an answer that has no words of its own.",
    )
    created_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return self.question


class SurveyChoice(models.Model):
    """One answer to tap. An answer that somebody gave is never deleted, but may be offered no longer."""

    scale = Scale.LOCAL
    scale_column = ""

    survey = models.ForeignKey(Survey, on_delete=models.CASCADE, related_name="choices")
    label = models.CharField("answer", max_length=80)
    thanks = models.CharField(
        "thank-you for it",
        max_length=500,
        blank=True,
        help_text="What whoever answers this reads next. Blank: the survey's own words.",
    )
    is_offered = models.BooleanField(
        "offered", default=True, help_text="Off: no new message shows it; links already sent go on working."
    )
    position = models.PositiveSmallIntegerField("place", default=0)

    class Meta:
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.label


class SurveyAnswer(Fact):
    """What one person answered to one message, in the words they saw.

    Another tap in the same message takes its place: the earlier one stays, with the instant it ceased to
    count.
    """

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="+", db_index=False)
    survey = models.ForeignKey(Survey, on_delete=models.PROTECT, related_name="answers", db_index=False)
    choice = models.ForeignKey(SurveyChoice, on_delete=models.PROTECT, related_name="answers")
    delivery_id = models.BigIntegerField(help_text="The message that asked.")
    campaign = models.ForeignKey(
        "campaigns.Campaign", null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    question = models.CharField(max_length=200, help_text="As they saw it.")
    label = models.CharField(max_length=80, help_text="As they saw it.")
    words = models.CharField(max_length=LONGEST_WORDS, blank=True, help_text="Their own.")
    replaced_at = models.DateTimeField(null=True, blank=True, help_text="When another answer took its place.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["contact", "survey", "delivery_id"],
                condition=Q(replaced_at__isnull=True),
                name="one_answer_a_message",
            ),
        ]
        indexes = [
            models.Index(fields=["contact", "-occurred_at"], name="answer_contact_time"),
            models.Index(fields=["survey", "-occurred_at"], name="answer_survey_time"),
        ]

    def __str__(self) -> str:
        return f"{self.question} {self.label}"
