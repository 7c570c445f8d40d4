"""Ways in which colleagues turn to a person and write it down here."""

from __future__ import annotations

from django.db.models import QuerySet

from crm.kernel.touches import Touch, touches
from crm.models import Note


@touches.register
class Talks(Touch):
    """Calls, meetings, and messages by other ways. A plain note tells of no contact."""

    key = "crm.talks"
    label = "Calls, meetings and messages elsewhere"

    def rows(self) -> QuerySet[Note]:
        return Note.objects.filter(kind__in=(Note.Kind.CALL, Note.Kind.MEETING, Note.Kind.MESSAGE))
