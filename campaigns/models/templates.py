"""What a message says. A version is immutable once a delivery used it."""

from django.conf import settings
from django.db import models

from crm.kernel import clock
from crm.models.base import Scale


class Template(models.Model):
    scale = Scale.LOCAL
    scale_column = ""

    name = models.CharField(max_length=120, unique=True)
    created_at = models.DateTimeField(default=clock.now)
    current = models.ForeignKey(
        "campaigns.TemplateVersion", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    def __str__(self) -> str:
        return self.name


class TemplateVersion(models.Model):
    """Subject, MJML and text as a marketer wrote them, and the HTML compiled from the MJML once.

    Where it is put together from blocks, MJML and text are made from these at saving.
    """

    scale = Scale.LOCAL
    scale_column = ""

    class Mode(models.TextChoices):
        BLOCKS = "blocks", "put together from blocks"
        VISUAL = "visual", "drawn on the page"
        SOURCE = "source", "written as MJML"

    template = models.ForeignKey(Template, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    subject = models.CharField(
        max_length=300, help_text="May use Liquid, such as {{ contact.first_name | default: 'there' }}."
    )
    preheader = models.CharField(
        max_length=300, blank=True, help_text="The line mail programs show after the subject."
    )
    mode = models.CharField(
        max_length=8,
        choices=Mode.choices,
        default=Mode.SOURCE,
        db_default=Mode.SOURCE,
        editable=False,
    )
    blocks = models.JSONField(
        default=list,
        db_default=[],
        blank=True,
        editable=False,
        help_text="Kind and parameters of each block.",
    )
    mjml = models.TextField("message (MJML with Liquid)")
    text = models.TextField("plain text (Liquid)", blank=True, help_text="Blank: made from the message.")
    html = models.TextField("compiled message", blank=True, editable=False)
    created_at = models.DateTimeField(default=clock.now)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    used_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["template", "number"], name="one_template_version_number")
        ]

    def __str__(self) -> str:
        return f"{self.template} v{self.number}"
