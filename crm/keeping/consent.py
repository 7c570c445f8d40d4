"""What they agreed to and refused. The bare words stay, so that nobody is ever written to again by mistake;
who said them, from where and with what proof goes.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from crm.kernel.keeping import Kept, Person, keeping
from crm.models import ConsentDetail, ConsentEvent, ConsentState, Suppression


class OfAddresses(Kept):
    """Rows that name an address by its keyed hash alone, and outlive the person."""

    moves = False
    by = ""

    def rows(self, person: Person) -> QuerySet[Any]:
        return self.model._base_manager.filter(address_hash__in=person.hashes)

    def erase(self, person: Person, now: datetime) -> int:
        return 0


@keeping.register
class Words(OfAddresses):
    """What was said of being written to."""

    key = "crm.consent_events"
    label = "Consent"
    model = ConsentEvent


@keeping.register
class Details(OfAddresses):
    """Who said it, from where, with what proof. The chain verifies without it."""

    key = "crm.consent_details"
    label = "Proof of consent"
    place = 20
    model = ConsentDetail

    def rows(self, person: Person) -> QuerySet[Any]:
        return ConsentDetail.objects.filter(Q(address_hash__in=person.hashes) | Q(contact_id__in=person.ids))

    def erase(self, person: Person, now: datetime) -> int:
        return self.rows(person).delete()[0]


@keeping.register
class States(OfAddresses):
    """What the words add up to."""

    key = "crm.consent_states"
    label = "May we write"
    model = ConsentState


@keeping.register
class Stops(OfAddresses):
    """What they are never written to about."""

    key = "crm.suppressions"
    label = "Never written to"
    model = Suppression
