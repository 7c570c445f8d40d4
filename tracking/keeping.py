"""What people did on the site and with messages."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from crm.kernel.keeping import Kept, Person, keeping
from tracking.models import (
    Cart,
    CartLine,
    DailyCount,
    Event,
    InboundEvent,
    Visit,
    Visitor,
    VisitorCart,
    VisitorEvent,
)
from tracking.visits import rollups


@keeping.register
class Raw(Kept):
    """What came in as it came, until it has been kept for its time."""

    key = "tracking.inbound"
    label = "What came in"
    place = 5
    model = InboundEvent
    by = "visitor_id"
    moves = False

    def rows(self, person: Person) -> QuerySet[InboundEvent]:
        return InboundEvent.objects.filter(
            Q(visitor_id__in=Visitor.objects.filter(contact__in=person.ids).values("pk"))
            | Q(address_hash__in=person.hashes)
            | person.mentioned("body")
        )


class OfBrowsers(Kept):
    """Rows of a browser of theirs."""

    moves = False
    by = "visitor_id"

    def rows(self, person: Person) -> QuerySet[Any]:
        return self.model._base_manager.filter(visitor__contact__in=person.ids)


@keeping.register
class BrowserEvents(OfBrowsers):
    """What a browser of theirs did before it was known to be theirs."""

    key = "tracking.visitor_events"
    label = "Acts of a browser"
    place = 6
    model = VisitorEvent


@keeping.register
class BrowserCarts(OfBrowsers):
    """Carts of a browser of theirs from before."""

    key = "tracking.visitor_carts"
    label = "Carts of a browser"
    place = 6
    model = VisitorCart


@keeping.register
class Browsers(Kept):
    """Browsers that are theirs, or that claimed one of their addresses."""

    key = "tracking.visitors"
    label = "Browsers"
    place = 7
    model = Visitor

    def erase(self, person: Person, now: datetime) -> int:
        Visitor.objects.filter(claimed_hash__in=person.hashes).update(
            claimed_hash=None, trust=Visitor.Trust.ANONYMOUS
        )
        return super().erase(person, now)


@keeping.register
class Events(Kept):
    """Their acts, one by one."""

    key = "tracking.events"
    label = "Acts"
    model = Event

    def settle(self, people: Collection[UUID], now: datetime) -> None:
        rollups.recount(people)


@keeping.register
class Counts(Kept):
    """Their acts counted by day: derived."""

    key = "tracking.daily_counts"
    label = "Acts by day"
    model = DailyCount
    moves = False


@keeping.register
class Visits(Kept):
    """Their visits: derived from their acts."""

    key = "tracking.visits"
    label = "Visits"
    model = Visit
    moves = False


@keeping.register
class Carts(Kept):
    """Their carts, whatever became of each."""

    key = "tracking.carts"
    label = "Carts"
    place = 40
    model = Cart


@keeping.register
class Lines(Kept):
    """What was in them."""

    key = "tracking.cart_lines"
    label = "Cart lines"
    place = 41
    model = CartLine
    follows = "cart"
