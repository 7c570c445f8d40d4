"""How many came in each day, what a marketer asked of a comparison of messages, and who picked the winner."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from crm.models.base import Scale


class EntryDay(models.Model):
    """How many people came into a campaign on one day of the shop, test people left out: let in by its
    trigger, which the forecast guards, or `brought` by hand or by another flow.
    """

    scale = Scale.LOCAL
    scale_column = ""

    campaign = models.ForeignKey("campaigns.Campaign", on_delete=models.CASCADE, related_name="entry_days")
    on_day = models.DateField()
    entered = models.PositiveIntegerField(default=0)
    brought = models.PositiveIntegerField(default=0, db_default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "on_day"], name="one_entry_day")]

    def __str__(self) -> str:
        return f"{self.on_day}: {self.entered}"


class VariantTest(models.Model):
    """Let the program pick the winner among the messages of one step, and not before so much is known."""

    scale = Scale.LOCAL
    scale_column = ""

    campaign = models.ForeignKey("campaigns.Campaign", on_delete=models.CASCADE, related_name="variant_tests")
    step_key = models.SlugField(max_length=40)
    hours = models.PositiveIntegerField(
        default=168, validators=[MinValueValidator(1), MaxValueValidator(8760)]
    )
    people = models.PositiveIntegerField(
        default=500, validators=[MinValueValidator(50), MaxValueValidator(1_000_000)]
    )
    asked_by = models.CharField(max_length=150)
    asked_at = models.DateTimeField()
    looked_at_people = models.PositiveIntegerField(
        default=0, help_text="How many people each had at the last look; the next comes at twice that."
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "step_key"], name="one_test_a_step")]

    def __str__(self) -> str:
        return f"{self.step_key}: after {self.hours} hours and {self.people} people"


class VariantPick(models.Model):
    """From this instant on new people get this message of the step; a blank label lets all compete again.

    Never changed: the newest one before somebody entered says what they get.
    """

    scale = Scale.LOCAL
    scale_column = ""

    campaign = models.ForeignKey("campaigns.Campaign", on_delete=models.CASCADE, related_name="variant_picks")
    step_key = models.SlugField(max_length=40)
    label = models.CharField(max_length=40, blank=True)
    picked_at = models.DateTimeField()
    picked_by = models.CharField(max_length=150, help_text="Blank: the program itself.", blank=True)
    words = models.CharField(max_length=300, help_text="What was known then.", blank=True)

    class Meta:
        indexes = [models.Index(fields=["campaign", "step_key", "-picked_at"], name="pick_of_step")]

    def __str__(self) -> str:
        return self.label or "all compete"
