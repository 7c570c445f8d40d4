"""Who somebody is: addresses, numbers elsewhere, and what was changed about them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.contrib.admin.models import LogEntry
from django.db.models import CharField, Q, QuerySet
from django.db.models.functions import Cast

from crm.kernel.keeping import Kept, Person, in_order, keeping
from crm.models import Contact, ContactChange, ContactPoint, Engagement, MergedRows, Merging, OutsideId
from crm.people import engagement
from crm.people.permitted import keep


@keeping.register
class Contacts(Kept):
    """The person's own row. Merging and erasing write it themselves; here it is for the export."""

    key = "crm.contacts"
    label = "Person"
    place = 0
    model = Contact
    by = "id"
    moves = False
    hidden = ("merged_into", "erased_at", "recorded_at")

    def erase(self, person: Person, now: datetime) -> int:
        return 0


@keeping.register
class Points(Kept):
    """Addresses they are reached at."""

    key = "crm.points"
    label = "Addresses"
    place = 10
    model = ContactPoint
    hidden = ("hash_key_id",)

    def settle(self, people: Collection[UUID], now: datetime) -> None:
        keep(people)


@keeping.register
class Outside(Kept):
    """What other systems call them, and what is theirs there."""

    key = "crm.outside"
    label = "Numbers elsewhere"
    model = OutsideId


@keeping.register
class Changes(Kept):
    """What was changed about them."""

    key = "crm.changes"
    label = "Changes"
    model = ContactChange


@keeping.register
class Moments(Kept):
    """When they were last here, bought, clicked: derived."""

    key = "crm.engagement"
    label = "Last moments"
    place = 900
    model = Engagement
    moves = False
    hidden = ("stirred", "may_receive")

    def settle(self, people: Collection[UUID], now: datetime) -> None:
        engagement.recount_orders(people)


@keeping.register
class Mergings(Kept):
    """Who was merged into them: what stood there before."""

    key = "crm.mergings"
    label = "Merged with"
    place = 890
    model = Merging
    moves = False
    hidden = ("before", "other_id")


@keeping.register
class RowsMerged(Kept):
    """Which rows came over by merging."""

    key = "crm.merged_rows"
    label = "Rows that came by merging"
    place = 880
    model = MergedRows
    moves = False
    hidden = ("ids",)


@keeping.register
class Log(Kept):
    """What colleagues did in the admin to the person and to what is theirs: who and when stays."""

    key = "crm.log"
    label = "Changes in the admin"
    place = 1
    model = LogEntry
    by = ""
    moves = False
    leaves = {"object_repr": "", "change_message": ""}
    hidden = ("user", "content_type", "object_id", "action_flag")

    def rows(self, person: Person) -> QuerySet[LogEntry]:
        found = Q(object_id__in=[str(pk) for pk in person.ids])
        for kept in in_order():
            if kept.model is not LogEntry and kept.moves:
                theirs = kept.rows(person).filter(pk__isnull=False).annotate(told=Cast("pk", CharField()))
                found |= Q(
                    content_type__app_label=kept.model._meta.app_label,
                    content_type__model=kept.model._meta.model_name,
                    object_id__in=theirs.values("told"),
                )
        return LogEntry.objects.filter(found)
