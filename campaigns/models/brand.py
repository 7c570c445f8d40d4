"""What the shop's messages look like, and the pieces it uses again and again."""

from django.conf import settings
from django.core.validators import MaxValueValidator, RegexValidator
from django.db import models

from crm.kernel import clock
from crm.models.base import Scale

_COLOUR = RegexValidator(r"^#[0-9a-fA-F]{6}$", "Such as #1f6f5c.")
_WORD = RegexValidator(
    r"^[a-zA-Z0-9_.\-]*$", "Letters without accents, digits, - _ . and nothing else: it stands in addresses."
)
_PATTERN = RegexValidator(
    r"^(?:[a-zA-Z0-9_.\-]|\{(?:campaign|step|variant)\})*$",
    "Letters without accents, digits, - _ . and {campaign}, {step}, {variant}.",
)


class BrandKit(models.Model):
    """One row. Logo and button colour stand in the shop's settings, for the public pages use them, too."""

    scale = Scale.LOCAL
    scale_column = ""

    class Font(models.TextChoices):
        SYSTEM = "system", "the reader's own (looks at home everywhere)"
        ARIAL = "arial", "Arial"
        VERDANA = "verdana", "Verdana"
        TREBUCHET = "trebuchet", "Trebuchet"
        GEORGIA = "georgia", "Georgia (with serifs)"
        TIMES = "times", "Times (with serifs)"

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    text = models.CharField("text", max_length=7, default="#22262e", validators=[_COLOUR])
    link = models.CharField("links", max_length=7, default="#22262e", validators=[_COLOUR])
    paper = models.CharField(
        "paper", max_length=7, default="#ffffff", validators=[_COLOUR], help_text="What the text stands on."
    )
    page = models.CharField(
        "background",
        max_length=7,
        default="#f3f1ee",
        validators=[_COLOUR],
        help_text="Around the paper, and behind the footer.",
    )
    font = models.CharField(
        max_length=10,
        choices=Font.choices,
        default=Font.SYSTEM,
        help_text="Fonts that mail programs have. Others would be replaced on most screens.",
    )
    radius = models.PositiveSmallIntegerField(
        "round corners",
        default=12,
        validators=[MaxValueValidator(32)],
        help_text="Pixels, of buttons and paper; 0: square.",
    )
    footer_words = models.TextField(
        "footer words",
        max_length=500,
        blank=True,
        help_text="Above the address in every message, such as opening hours of the shop.",
    )
    social = models.JSONField("social links", default=list, blank=True)
    adds_parameters = models.BooleanField(
        "mark links",
        default=True,
        help_text="Links to the shop carry campaign parameters, so that its statistics know where people "
        "come from. They never name a person.",
    )
    source = models.CharField("utm_source", max_length=60, default="rekindle", blank=True, validators=[_WORD])
    medium = models.CharField("utm_medium", max_length=60, default="email", blank=True, validators=[_WORD])
    campaign = models.CharField(
        "utm_campaign",
        max_length=60,
        default="{campaign}",
        blank=True,
        validators=[_PATTERN],
        help_text="{campaign} is the campaign's name.",
    )
    content = models.CharField(
        "utm_content",
        max_length=60,
        default="{step}-{variant}",
        blank=True,
        validators=[_PATTERN],
        help_text="{step} is the step, {variant} which of several messages it was.",
    )
    changed_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = verbose_name_plural = "brand kit"
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_brand_kit")]

    def __str__(self) -> str:
        return "Brand kit"


class SavedBlock(models.Model):
    """A block that somebody filled in and wants to use again. It is copied into a message, not linked."""

    scale = Scale.LOCAL
    scale_column = ""

    name = models.CharField(max_length=80, unique=True)
    kind = models.CharField(max_length=60)
    params = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField("saved", default=clock.now, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
        editable=False,
    )

    def __str__(self) -> str:
        return self.name
