"""A colleague's day: leads to accept or refuse, what is due, and replies nobody has answered."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, F, OuterRef, QuerySet

from crm.access import reach
from crm.kernel import touches
from crm.kernel.panels import DayPanel, day_panels
from crm.models import Engagement, HandOver, Note, Task
from crm.people import desk

SHOWN = 8
_REPLIES = timedelta(days=14)


@day_panels.register
class HandOvers(DayPanel):
    """Leads handed over to the colleague that they have not answered, each with why it is ready."""

    key = "crm.hand_overs"
    label = "To accept or refuse"
    place = 10
    template = "crm/day_hand_overs.html"
    permission = "crm.view_lead"

    def show(self, user: Any, now: datetime) -> dict[str, Any] | None:
        asked = Task.objects.filter(kind=Task.Kind.HAND_OVER, done_at=None)
        mine = asked.filter(owner=user).select_related("contact")
        tasks, number = _some(mine, F("due_at").asc(nulls_last=True))
        unowned = reach.seen(asked.filter(owner=None)).count()
        if not tasks and not unowned:
            return None
        return {
            "tasks": tasks,
            "more": number - len(tasks),
            "unowned": unowned,
            "now": now,
            "why_not": HandOver.Reason.choices,
        }


@day_panels.register
class TasksDue(DayPanel):
    """What the colleague has to do next, what is overdue first."""

    key = "crm.tasks_due"
    label = "To do"
    place = 20
    template = "crm/day_tasks.html"
    permission = "crm.view_task"

    def show(self, user: Any, now: datetime) -> dict[str, Any] | None:
        mine = Task.objects.filter(owner=user, done_at=None).exclude(kind=Task.Kind.HAND_OVER)
        tasks, number = _some(mine.select_related("contact"), F("due_at").asc(nulls_last=True))
        if not tasks:
            return None
        overdue = mine.filter(due_at__lt=now).count()
        return {"tasks": tasks, "more": number - len(tasks), "overdue": overdue, "now": now}


@day_panels.register
class Replies(DayPanel):
    """People the colleague looks after who answered a message, and nobody has written to them or written down
    anything since.
    """

    key = "crm.replies"
    label = "Replies to answer"
    place = 30
    template = "crm/day_people.html"
    permission = "crm.view_contact"

    def show(self, user: Any, now: datetime) -> dict[str, Any] | None:
        since = Note.objects.filter(contact=OuterRef("contact"), occurred_at__gte=OuterRef("last_reply_at"))
        rows = Engagement.objects.filter(
            desk.looked_after_by(user, "contact"), last_reply_at__gt=now - _REPLIES, last_reply_at__lte=now
        )
        rows = rows.annotate(turned_to_at=touches.first_since("last_reply_at")).filter(turned_to_at=None)
        waiting = rows.filter(~Exists(since)).select_related("contact").order_by("last_reply_at")
        people = [
            {"contact": row.contact, "at": row.last_reply_at, "did": "answered"} for row in waiting[:SHOWN]
        ]
        return {"people": people} if people else None


def _some(rows: QuerySet[Task], order: Any) -> tuple[list[Task], int]:
    """The first few and how many there are: counted only where there may be more."""
    found = list(rows.order_by(order, "created_at")[: SHOWN + 1])
    return found[:SHOWN], len(found) if len(found) <= SHOWN else rows.count()
