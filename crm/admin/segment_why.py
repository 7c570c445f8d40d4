"""Why is she in, why is he not: one person held against a segment, now or on any day before."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from crm.access import reach
from crm.admin import segment_pages
from crm.admin.rule_builder import contact_with
from crm.kernel import masking, rules
from crm.models import Contact, Segment

MOST_STAYS = 10


def page(model_admin: Any, request: HttpRequest, now: datetime) -> HttpResponse:
    """A form that asks for segment, person and moment, and the answer where all of them are known."""
    typed_segment, typed_person = request.GET.get("segment", ""), request.GET.get("person", "").strip()
    segment, contact = _segment(typed_segment), _contact(typed_person)
    at, problem = moment(request.GET.get("at", ""), now)
    if typed_person and contact is None:
        problem = problem or "Nobody is known by that. Type the whole e-mail address of a contact."
    answer = why(segment, contact, at, now) if segment and contact and at and not problem else None
    context = model_admin.admin_site.each_context(request) | {
        "title": "Why in or out",
        "opts": model_admin.model._meta,
        "segments": Segment.objects.order_by("name"),
        "segment": segment,
        "contact": contact,
        "person": contact.email if contact and contact.email and not masking.is_on() else typed_person,
        "at_typed": request.GET.get("at", ""),
        "latest": f"{timezone.localtime(now):%Y-%m-%dT%H:%M}",
        "zone": timezone.get_current_timezone_name(),
        "problem": problem,
        **(answer or {}),
    }
    return render(request, "crm/segment_why.html", context)


def why(segment: Segment, contact: Contact, at: datetime, now: datetime) -> dict[str, Any]:
    """Every condition with its verdict as of a moment; and when the person really was in the segment."""
    in_past = at < now
    stays = segment_pages.stays_of(segment, contact.pk)
    inside = next((stay for stay in stays if _covers(stay, at)), None)
    found = {
        "answer": True,
        "at": at,
        "in_past": in_past,
        "stays": stays[:MOST_STAYS],
        "inside": inside,
        "unknown_then": max(contact.created_at, contact.recorded_at) > at,
        "is_fixed": segment.kind == Segment.Kind.FIXED,
    }
    if segment.kind == Segment.Kind.DYNAMIC:
        scope = rules.Scope(current=not in_past, among=[contact.pk])
        person = Contact.objects.filter(pk=contact.pk)
        found["explanation"] = rules.explain(person, segment.rule, at, scope)
        found["sentence"] = rules.sentence(segment.rule)
    return found


def moment(typed: str, now: datetime) -> tuple[datetime | None, str]:
    """The moment asked about, in the zone of the page; now where none is; or what is wrong with it."""
    if not typed:
        return now, ""
    try:
        naive = parse_datetime(typed)
        at = timezone.make_aware(naive) if naive is not None and naive.tzinfo is None else naive
    except (ValueError, OverflowError):
        at = None
    if at is None:
        return None, "Type the moment like 2026-10-03T14:30."
    if at > now:
        return None, "That moment has not come yet: choose one in the past."
    return at, ""


def _covers(stay: Any, at: datetime) -> bool:
    return stay.entered_at <= at and (stay.left_at is None or stay.left_at > at)


def _segment(typed: str) -> Segment | None:
    try:
        return Segment.objects.filter(pk=UUID(typed)).first()
    except ValueError:
        return None


def _contact(typed: str) -> Contact | None:
    """Somebody by their id, also when they were merged since; or by their whole address."""
    try:
        found = reach.seen(Contact.objects.select_related("merged_into").filter(pk=UUID(typed))).first()
    except ValueError:
        return contact_with(typed)
    return found.merged_into or found if found else None
