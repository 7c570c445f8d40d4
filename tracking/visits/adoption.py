"""What a visitor did before we knew them becomes theirs: copied with the same ids, then deleted."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import connection

from tracking.models import EventKind, VisitorCart, VisitorEvent
from tracking.shop.carts import CartChange, lines_of
from tracking.visits.activity import Activity, moments_of
from tracking.visits.visitors import Recognised

_COPY = """
INSERT INTO tracking_event
    (id, contact_id, visitor_id, kind, occurred_at, recorded_at, is_backfill,
     url, product_id, ref, actor, props)
SELECT known.id, joined.contact, known.visitor_id, known.kind, known.occurred_at, known.recorded_at,
       known.is_backfill, known.url, known.product_id, known.ref, known.actor, known.props
FROM unnest(%s::uuid[], %s::uuid[], %s::timestamptz[]) AS joined (visitor, contact, since)
JOIN tracking_visitorevent known ON known.visitor_id = joined.visitor AND known.kind = ANY(%s)
    AND (joined.since IS NULL OR known.occurred_at >= joined.since)
ON CONFLICT DO NOTHING
RETURNING id, contact_id, occurred_at, kind, actor, ref
"""


@dataclass
class Adopted:
    """The events that became somebody's, by id and instant, and carts as changes to be applied."""

    events: list[tuple[UUID, datetime]] = field(default_factory=list)
    carts: list[CartChange] = field(default_factory=list)


def adopt(recognised: Sequence[Recognised], activity: Activity) -> Adopted:
    """Give people the events and carts of their browsers.

    Only what happened since a browser last changed hands: what came before was somebody else's.
    """
    if not recognised:
        return Adopted()
    adopted = Adopted(_adopt_events(recognised, activity))
    owners = {one.visitor_id: one for one in recognised}
    taken = []
    for cart in VisitorCart.objects.filter(visitor_id__in=owners):
        one = owners[cart.visitor_id]
        if _is_before(cart.opened_at, one.since):
            continue
        taken.append(cart.id)
        activity.note(one.contact_id, cart.changed_at, "last_cart_at")
        adopted.carts.append(
            CartChange(
                contact_id=one.contact_id,
                token=cart.token,
                at=cart.changed_at,
                lines=lines_of(cart.lines),
                source=cart.source,
                checkout_id=cart.checkout_id,
                currency=cart.currency,
                url=cart.url,
                visitor_id=cart.visitor_id,
                id=cart.id,
                opened_at=cart.opened_at,
            )
        )
    VisitorCart.objects.filter(id__in=taken).delete()
    return adopted


def _adopt_events(recognised: Sequence[Recognised], activity: Activity) -> list[tuple[UUID, datetime]]:
    with connection.cursor() as cursor:
        cursor.execute(
            _COPY,
            [
                [one.visitor_id for one in recognised],
                [one.contact_id for one in recognised],
                [one.since for one in recognised],
                EventKind.values,
            ],
        )
        copied: list[tuple[UUID, UUID, datetime, str, str, UUID | None]] = cursor.fetchall()
    for _, contact_id, at, kind, actor, ref in copied:
        activity.note(contact_id, at, *moments_of(kind, actor in ("human", "likely_human"), ref))
    VisitorEvent.objects.filter(id__in=[row[0] for row in copied]).delete()
    return [(event_id, at) for event_id, _, at, *_ in copied]


def _is_before(at: datetime, since: datetime | None) -> bool:
    return since is not None and at < since
