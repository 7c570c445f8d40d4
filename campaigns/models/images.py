"""Pictures for messages. Their files are made anew from what was uploaded; nothing of that is kept."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from crm.kernel import clock
from crm.models.base import Scale


class Image(models.Model):
    """One picture in the widths that mail needs. Never deleted: messages that were sent still show it."""

    scale = Scale.LOCAL
    scale_column = ""

    token = models.CharField(max_length=32, unique=True, editable=False, help_text="Its name in the address.")
    name = models.CharField(max_length=120)
    alt = models.CharField(
        "alternative text",
        max_length=200,
        blank=True,
        help_text="What people read who cannot see it, or whose mail program shows no pictures.",
    )
    extension = models.CharField(max_length=4, editable=False)
    width = models.PositiveIntegerField(editable=False)
    height = models.PositiveIntegerField(editable=False)
    widths = ArrayField(models.PositiveIntegerField(), editable=False, help_text="Pixels, the widest first.")
    size = models.PositiveIntegerField(editable=False, help_text="Bytes of the widest.")
    sha256 = models.BinaryField(max_length=32, unique=True, help_text="Of what was uploaded.")
    uploaded_at = models.DateTimeField("uploaded", default=clock.now, editable=False)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
        editable=False,
    )
    hidden_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="Since when it is no longer offered."
    )

    class Meta:
        verbose_name = "picture"
        indexes = [models.Index(fields=["-uploaded_at", "-id"], name="image_newest")]

    def __str__(self) -> str:
        return self.name

    def path(self, width: int) -> str:
        """Where the file lies in the store of media."""
        return stored_at(self.token, width, self.extension)

    def url(self, width: int = 0) -> str:
        """The address messages use: of the narrowest file that is at least this wide, else of the widest."""
        wide = min((one for one in self.widths if one >= width), default=self.width) if width else self.width
        return f"{settings.REKINDLE_PUBLIC_URL}/i/{self.token}-{wide}.{self.extension}"


def stored_at(token: str, width: int, extension: str) -> str:
    return f"images/{token[:2]}/{token}-{width}.{extension}"
