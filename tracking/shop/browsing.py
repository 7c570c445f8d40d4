"""Visits in which somebody looked around: what they looked at, and that they are over."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from tracking.models import Actor, Cart, Event, EventKind, Visit
from tracking.shop.interest import LOOKS

LONG = timedelta(minutes=1)
# Hardly anybody shops for longer without half an hour's pause.
_LONGEST = timedelta(hours=6)
_PEOPLE = (Actor.HUMAN, Actor.LIKELY_HUMAN)


def browsed(products: int, since: datetime, until: datetime) -> QuerySet[Visit]:
    """The visits that ended between two instants, of people who were not here again after the second: with so
    many products looked at, a minute spent on pages, or a search; and without a cart that stands open since.
    """
    visits = Visit.objects.filter(contact=OuterRef("contact"))
    searched = Event.objects.filter(
        contact=OuterRef("contact"),
        visitor_id=OuterRef("visitor_id"),
        kind=EventKind.SEARCH,
        actor__in=_PEOPLE,
        occurred_at__range=(OuterRef("started_at"), OuterRef("ended_at")),
    )
    looked = Q(products__gte=products) | Q(seconds__gte=LONG.total_seconds(), pages__gte=1)
    return Visit.objects.filter(
        looked | Q(Exists(searched)),
        ~Exists(visits.filter(ended_at__gt=until, started_at__gt=until - _LONGEST)),
        ~Exists(open_cart(OuterRef("contact"), OuterRef("started_at"))),
        started_at__gt=since - _LONGEST,
        started_at__lte=until,
        ended_at__gt=since,
        ended_at__lte=until,
    )


def open_cart(contact: Any, since: Any) -> QuerySet[Cart]:
    """A cart of this person that has something in it and was changed since."""
    return Cart.objects.filter(
        contact=contact, changed_at__gte=since, state=Cart.State.OPEN, item_count__gt=0
    )


def open_carts(contact_ids: Collection[UUID]) -> dict[UUID, datetime]:
    """When each of these people last changed a cart that stands open with something in it."""
    carts = Cart.objects.filter(contact__in=contact_ids, state=Cart.State.OPEN, item_count__gt=0)
    return dict(carts.order_by("changed_at").values_list("contact", "changed_at"))


def still_known(wanted: Mapping[UUID, UUID]) -> dict[UUID, Visit]:
    """Visits by the keys they once had, each with its contact's id.

    A visit is laid anew when a late act comes in or its person's events are counted again; it is found by the
    moment that its old key tells.
    """
    if not wanted:
        return {}
    moments = {key: _moment(key) for key in wanted}
    rows = Visit.objects.filter(
        contact__in=set(wanted.values()),
        started_at__gt=min(moments.values()) - _LONGEST,
        started_at__lte=max(moments.values()) + timedelta(milliseconds=1),
    )
    of: dict[UUID, list[Visit]] = {}
    for row in rows.order_by("started_at"):
        of.setdefault(row.contact_id, []).append(row)
    found = {}
    for key, contact_id in wanted.items():
        fitting = [
            row
            for row in of.get(contact_id, ())
            if row.pk == key or row.started_at - timedelta(milliseconds=1) <= moments[key] <= row.ended_at
        ]
        exact = [row for row in fitting if row.pk == key]
        if exact or fitting:
            found[key] = (exact or fitting)[-1]
    return found


def products_of(visits: Mapping[UUID, Visit]) -> dict[UUID, list[UUID]]:
    """The products looked at or saved in each of these visits, the last one first; by the same keys."""
    if not visits:
        return {}
    acts = Event.objects.filter(
        contact__in={visit.contact_id for visit in visits.values()},
        kind__in=LOOKS,
        actor__in=_PEOPLE,
        product_id__isnull=False,
        occurred_at__gte=min(visit.started_at for visit in visits.values()),
        occurred_at__lte=max(visit.ended_at for visit in visits.values()),
    ).order_by("-occurred_at", "-id")
    of: dict[UUID, list[Event]] = {}
    for act in acts:
        of.setdefault(act.contact_id, []).append(act)
    found: dict[UUID, list[UUID]] = {}
    for key, visit in visits.items():
        seen = [
            act.product_id
            for act in of.get(visit.contact_id, ())
            if act.product_id
            and act.visitor_id == visit.visitor_id
            and visit.started_at <= act.occurred_at <= visit.ended_at
        ]
        found[key] = list(dict.fromkeys(seen))
    return found


def _moment(key: UUID) -> datetime:
    return datetime.fromtimestamp((key.int >> 80) / 1000, UTC)
