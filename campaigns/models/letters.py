"""What a colleague wrote to one person, by hand."""

from django.conf import settings
from django.db import models

from crm.kernel import clock
from crm.models.base import ByContact
from crm.models.contacts import Contact


class Letter(ByContact):
    """One e-mail of one colleague to one person, in their own words; the delivery that carries it names it as
    its subject. Its id is the one its form was opened with, so that pressed twice it is one letter.
    """

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="letters", db_index=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    author = models.CharField(max_length=150, help_text="As they are called; stays when they leave.")
    reply_to = models.EmailField()
    subject = models.CharField(max_length=200)
    text = models.TextField()
    delivery_id = models.BigIntegerField(null=True)
    written_at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [models.Index(fields=["contact", "-written_at"], name="letter_contact_time")]

    def __str__(self) -> str:
        return self.subject
