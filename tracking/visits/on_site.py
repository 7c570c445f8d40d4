"""Who is on the site now; and the owner of a lead hears of it, once a visit."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.urls import reverse

from crm.audience.leads.crew import Crew
from crm.audience.leads.owners import HELD
from crm.models import Engagement, Lead, Notice
from crm.models.writing import update_rows
from crm.shop.hours import desk_settings
from tracking.models import Visit

HERE = timedelta(minutes=5)
# No visit of now can have begun before: a longer one is not looked for.
_LONGEST = timedelta(hours=12)
HELD_NOW = Q(ended_at=None, owner__isnull=False, stage__meaning__in=HELD)


def visits(now: datetime) -> QuerySet[Visit]:
    """Visits of known people with an act in the last five minutes."""
    seen = Engagement.objects.filter(
        contact=OuterRef("contact"), last_seen_at__gt=now - HERE, last_seen_at__lte=now
    )
    return Visit.objects.filter(
        Exists(seen), started_at__gt=now - _LONGEST, started_at__lte=now, ended_at__gt=now - HERE
    )


def place(visit: Visit) -> str:
    """Where in the shop somebody is: the path of the last page."""
    return urlsplit(visit.exit_url).path[:120] if visit.exit_url else ""


@transaction.atomic
def tell(now: datetime) -> int:
    """Tell owners whose leads, ready or accepted, are on the site. Returns how many notices that makes.

    A lead remembers when its owner was told: only a visit that began after that is told of, however often
    late acts make the visit anew.
    """
    if not desk_settings().tells_on_site:
        return 0
    here = {visit.contact_id: visit for visit in visits(now).filter(_is_held()).order_by("started_at")}
    leads = Lead.objects.filter(HELD_NOW, contact__in=here).order_by("contact_id", "became_at", "pk")
    locked = list(
        leads.select_related("contact", "definition").select_for_update(
            skip_locked=True, no_key=True, of=("self",)
        )
    )
    new = [lead for lead in locked if _is_news(lead, here[lead.contact_id])]
    if not new:
        return 0
    crew = Crew(now)
    notices: dict[tuple[UUID, int], Notice] = {}
    for lead in new:
        lead.on_site_told_at = now
        user = crew.acting(lead.owner_id)
        if user is not None and (lead.contact_id, user.pk) not in notices:
            notices[lead.contact_id, user.pk] = _notice(lead, user, here[lead.contact_id], now)
    update_rows(new, "on_site_told_at")
    Notice.objects.bulk_create(notices.values(), ignore_conflicts=True)
    return len(notices)


def _is_held() -> Exists:
    return Exists(Lead.objects.filter(HELD_NOW, contact=OuterRef("contact")))


def _is_news(lead: Lead, visit: Visit) -> bool:
    return lead.on_site_told_at is None or visit.started_at > lead.on_site_told_at


def _notice(lead: Lead, user: Any, visit: Visit, now: datetime) -> Notice:
    where = place(visit)
    return Notice(
        key=f"on-site:{lead.pk}:{user.pk}:{now.isoformat()}",
        user=user,
        contact_id=lead.contact_id,
        subject=f"{lead.contact} is on the site now"[:200],
        body=f"{lead.contact}, your lead of “{lead.definition}”, is on the site now"
        f"{f', last on {where}' if where else ''}. It is a good moment to call.",
        path=reverse("admin:crm_contact_change", args=[lead.contact_id]),
        created_at=now,
    )
