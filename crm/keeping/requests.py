"""What they asked of us about their data, and what was done about it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from crm.kernel.keeping import Kept, Person, keeping
from crm.models import PersonRequest, RequestLine
from crm.people import requests


def _theirs(person: Person) -> Q:
    """Also what nobody was found for yet, where it spells one of their addresses."""
    unknown = Q(contact=None) & (person.mentioned("words") | Q(pk__in=_lines_of(person)))
    return Q(contact__in=person.ids) | unknown


def _lines_of(person: Person) -> QuerySet[RequestLine, Any]:
    return RequestLine.objects.filter(person.mentioned("words")).values("request")


@keeping.register
class Asked(Kept):
    """What they asked for. That somebody asked, when, and how it ended stays; of whom it was is only the
    keyed hash of an address.
    """

    key = "crm.asked"
    label = "What they asked for"
    place = 120
    model = PersonRequest
    hidden = ("hash_key_id", "reminded_days")

    def rows(self, person: Person) -> QuerySet[PersonRequest]:
        return PersonRequest.objects.filter(_theirs(person))

    def erase(self, person: Person, now: datetime) -> int:
        return requests.blank(_theirs(person))


@keeping.register
class AskedLog(Kept):
    """What was done about it, by whom and when: that stays, its words go with those of the request."""

    key = "crm.asked_log"
    label = "What was done about that"
    place = 119
    model = RequestLine
    by = ""
    moves = False
    leaves = {"words": ""}

    def rows(self, person: Person) -> QuerySet[RequestLine]:
        return RequestLine.objects.filter(request__in=PersonRequest.objects.filter(_theirs(person)))
