"""The page of one person: who they are, what they are worth, what may be sent, what has happened."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from crm.access import seeing
from crm.kernel import clock, panels, person_acts, timeline
from crm.models import ConsentState, Contact, OwnField, Suppression
from crm.people import own_fields, statuses
from crm.shop.settings import this_shop

MOST_ENTRIES = 40


def own_fields_of(request: HttpRequest) -> list[OwnField]:
    """The shop's own fields, asked for once a page."""
    kept: list[OwnField] | None = getattr(request, "own_fields", None)
    if kept is None:
        kept = list(OwnField.objects.all())
        request.own_fields = kept  # type: ignore[attr-defined]
    return kept


def panel(model_admin: Any, request: HttpRequest, pk: UUID, key: str) -> HttpResponse:
    """What is in a card that comes later."""
    contact = model_admin.get_object(request, str(pk))
    card = panels.panels.get(key) if key in panels.panels else None
    if contact is None or card is None or not card.later:
        raise Http404("There is no such card.")
    if not model_admin.has_view_permission(request, contact):
        raise PermissionDenied
    data = card.show(contact.pk, clock.now())
    return render(request, "crm/contact_card.html", {"original": contact, "card": card, "data": data})


def context(contact: Contact, request: HttpRequest, now: datetime) -> dict[str, Any]:
    """What the contact page shows beside the form: one query a source of the timeline, few for the rest."""
    points = list(contact.points.order_by("channel", "-is_primary", "created_at"))
    hashes = [bytes(point.address_hash) for point in points]
    chips = timeline.kinds()
    chosen = [kind for kind in request.GET.getlist("kind") if kind in chips]
    search = timeline.Search.read(request.GET.get("words", ""))
    states = ConsentState.objects.filter(address_hash__in=hashes).select_related("purpose")
    stops = Suppression.objects.filter(address_hash__in=hashes).select_related("purpose")
    by_hash = {bytes(point.address_hash): point.address for point in points}
    return {
        "points": points,
        "consents": [
            {"state": state, "address": by_hash[bytes(state.address_hash)]}
            for state in states.order_by("channel", "purpose__name")
        ],
        "suppressions": stops,
        "own_fields": [
            (own, own_fields.told(own, contact.fields[own.key]))
            for own in own_fields_of(request)
            if own.key in contact.fields
        ],
        "marks": statuses.held_at(now, current=True).filter(contact=contact).select_related("status"),
        "engagement": getattr(contact, "engagement", None),
        "currency": this_shop().currency,
        "acts": person_acts.offered(request.user),
        "panels": panels.shown(contact.pk, now),
        # What they did and were written names addresses, too.
        "page": None
        if seeing.never_whole(request.user)
        else timeline.read(
            contact.pk,
            before=timeline.Cursor.read(request.GET.get("before", "")),
            limit=MOST_ENTRIES,
            kinds=chosen or None,
            search=search,
        ),
        "words": " ".join(search.words) if search else "",
        "chips": chips,
        "chosen": chosen,
        "older": "before" in request.GET,
    }
