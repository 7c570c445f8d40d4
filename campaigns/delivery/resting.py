"""Marketing that rests for one person: a colleague speaks with them, or they asked for a rest."""

from __future__ import annotations

from datetime import datetime

from django.db.models import DateTimeField, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.expressions import Combinable
from django.db.models.functions import Least

from campaigns.delivery.guards import Guard, Verdict, guards
from campaigns.models import Enrolment
from crm.models import MarketingPause, Purpose

TAKEN_OUT, MERGED, ERASED = "taken_out", "merged", "erased"
_WORDS = {
    TAKEN_OUT: "A colleague took them out of the campaign",
    MERGED: "They were merged into another person",
    ERASED: "They were erased",
}


@guards.register
class TakenOut(Guard):
    """The person was taken out of every campaign, by a colleague, by merging or by erasing: what was queued
    does not leave.
    """

    key = "campaigns.taken_out"
    label = "Taken out of the campaign"
    place = 45
    verdict = Verdict.SUPPRESSED
    reason = TAKEN_OUT
    words = _WORDS[TAKEN_OUT]
    stops_calls = True

    def blocks(self, now: datetime) -> Q:
        return Q(enrolment_id__isnull=False) & Q(Exists(_taken_out()))

    def reason_of(self) -> Combinable:
        return Subquery(_taken_out().values("left_reason")[:1])

    def say(self, reason: str) -> str:
        return _WORDS.get(reason, self.words)


@guards.register
class Paused(Guard):
    """Marketing rests for the person: the message waits until then, or until it is too late for it."""

    key = "campaigns.marketing_paused"
    label = "Marketing is paused for them"
    place = 48
    verdict = Verdict.REQUEUE
    reason = "marketing_paused"
    words = "Marketing is paused for them; it waits until then, or until it is too late"

    def blocks(self, now: datetime) -> Q:
        marketing = Purpose.objects.filter(pk=OuterRef("purpose_id"), kind=Purpose.Kind.MARKETING)
        return Q(Exists(_running(now))) & Q(Exists(marketing))

    def again_at(self, now: datetime) -> Combinable:
        until = Subquery(_running(now).values("until")[:1], DateTimeField())
        return Least(until, F("not_after"))


def _taken_out() -> QuerySet[Enrolment]:
    # Merging may leave the run with who went and give the message to who stays: by its key alone.
    return Enrolment.objects.filter(pk=OuterRef("enrolment_id"), left_reason__in=list(_WORDS))


def _running(now: datetime) -> QuerySet[MarketingPause]:
    return MarketingPause.objects.filter(
        contact_id=OuterRef("contact_id"), ended_at=None, occurred_at__lte=now, until__gt=now
    ).exclude(spares__contains=[OuterRef("purpose_id")])
