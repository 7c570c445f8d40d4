"""People for a fixed list: found or made as contacts are, and put on it."""

from __future__ import annotations

from datetime import datetime

from django import forms
from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet

from crm.audience import lists
from crm.models import Import, ImportRow, Segment, SegmentMembership
from crm.sheets.subjects import Applied, Undone, subjects
from crm.sheets.subjects.contacts import Contacts

Verdict = ImportRow.Verdict
_LISTED = """
    UPDATE crm_importrow
    SET before = COALESCE(before, jsonb_build_object('at', %s::timestamptz)) || '{"listed": true}'
    WHERE run_id = %s AND number > %s AND number <= %s AND object_id = ANY(%s) AND verdict <> 'refused'
"""


def _lists() -> list[tuple[str, str]]:
    found = Segment.objects.filter(kind=Segment.Kind.FIXED).order_by("name")
    return [("", "Choose a list"), *((str(one.pk), one.name) for one in found)]


@subjects.register
class ListedPeople(Contacts):
    """A row is a person who is put on a fixed list. They are found or made as contacts are, and learn what
    the row says; whoever is on the list already stays as they are.
    """

    key = "crm.fixed_list"
    label = "People for a fixed list"
    many = "people"
    permission = "crm.change_segment"
    undo_says = f"Who came onto the list leaves it. {Contacts.undo_says}"

    class Params(Contacts.Params):
        list = forms.ChoiceField(
            label="The list",
            choices=_lists,
            error_messages={"required": "Choose the list. A new one is made under Segments."},
        )

    def judge(self, run: Import, now: datetime) -> None:
        super().judge(run, now)
        inside = SegmentMembership.objects.filter(
            segment=run.options["list"], left_at=None, contact=OuterRef("object_id")
        )
        rows = ImportRow.objects.filter(run=run, verdict=Verdict.UNCHANGED, object_id__isnull=False)
        rows.filter(~Exists(inside)).update(verdict=Verdict.CHANGED)

    def apply(self, run: Import, after: int, upto: int, now: datetime) -> Applied:
        applied = super().apply(run, after, upto, now)
        rows = self._rows(run, after, upto if applied.reached is None else applied.reached)
        people = {pk for pk in rows.values_list("object_id", flat=True) if pk}
        segment = Segment.objects.get(pk=run.options["list"])
        new = people - lists.on_it(segment, people)
        lists.add(segment, new, now)
        with connection.cursor() as cursor:
            cursor.execute(_LISTED, [now, run.pk, after, upto, list(new)])
        changed = rows.filter(before__isnull=False).exclude(verdict=Verdict.NEW)
        return Applied(applied.made, changed.count(), reached=applied.reached)

    def undo(self, run: Import, after: int, upto: int, now: datetime) -> Undone:
        people = self._rows(run, after, upto).filter(before__listed=True).values_list("object_id", flat=True)
        if segment := Segment.objects.filter(pk=run.options["list"]).first():
            lists.remove(segment, [pk for pk in people if pk], now)
        return super().undo(run, after, upto, now)

    def _rows(self, run: Import, after: int, upto: int) -> QuerySet[ImportRow]:
        rows = ImportRow.objects.filter(run=run, number__gt=after, number__lte=upto, object_id__isnull=False)
        return rows.exclude(verdict=Verdict.REFUSED)
