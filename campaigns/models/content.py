"""What the shop has to read: guides, stories, answers; recommended beside products."""

from django.db import models

from crm.kernel import clock
from crm.models.base import Scale


class ContentItem(models.Model):
    """One page worth reading. Categories and brands say whom it is for; none of either: for everybody."""

    scale = Scale.LOCAL
    scale_column = ""

    id = models.BigAutoField(primary_key=True)
    title = models.CharField(max_length=200)
    url = models.URLField("page", max_length=1000, unique=True)
    image_url = models.URLField("picture", max_length=1000, blank=True)
    summary = models.CharField(
        max_length=300, blank=True, help_text="One or two sentences that make somebody want to read it."
    )
    categories = models.JSONField(
        default=list, blank=True, help_text="Shown to people who look at or buy in these. None: to everybody."
    )
    brands = models.JSONField(default=list, blank=True)
    is_active = models.BooleanField("shown", default=True, help_text="Off: no message shows it.")
    published_at = models.DateTimeField(
        default=clock.now, help_text="The newest is shown first; one of the future is not shown before."
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ["-published_at", "-id"]
        verbose_name = "article or guide"
        verbose_name_plural = "articles and guides"
        indexes = [models.Index(fields=["-published_at"], name="content_newest")]

    def __str__(self) -> str:
        return self.title
