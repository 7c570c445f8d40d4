"""What triggers have in common: they look forward from the launch, let nobody in again too soon, and name
each person once a batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import DateTimeField, ExpressionWrapper, OuterRef, Q, QuerySet, Value

from campaigns.flows.kinds import Entrant
from campaigns.models import Campaign, Enrolment
from crm.models import Channel, Purpose
from crm.people.permitted import name_of


def since(campaign: Campaign, now: datetime, look_back: timedelta) -> datetime:
    """From when on something may let people in: the launch, or as long ago as it can wait."""
    return max(now - look_back, campaign.launched_at or campaign.created_at)


def launch_of(campaign: Campaign) -> datetime:
    """Who was there before counts as existing."""
    return campaign.launched_at or campaign.created_at


def later(moment: Any, by: timedelta) -> ExpressionWrapper:
    """A moment of the row, moved."""
    return ExpressionWrapper(moment + Value(by), output_field=DateTimeField())


def reentry(campaign: Campaign) -> timedelta:
    return timedelta(days=float(campaign.reentry_days))


def runs(campaign: Campaign, contact: str = "contact") -> QuerySet[Enrolment]:
    """The runs of the person of the outer row through this campaign."""
    return Enrolment.objects.filter(campaign=campaign, contact=OuterRef(contact))


def entered_since(campaign: Campaign, due_at: str, least: timedelta = timedelta()) -> QuerySet[Enrolment]:
    """Runs of the person of the outer row within the re-entry time (or `least`, if longer) before that row
    fell due, or since.
    """
    return runs(campaign).filter(entered_at__gt=later(OuterRef(due_at), -max(reentry(campaign), least)))


def may_hear(campaign: Campaign) -> Q:
    """Over engagement: people who may be written to for what the campaign is for, on any channel. Who has not
    been read yet is let through: whoever sends asks the truth.
    """
    if campaign.purpose.kind == Purpose.Kind.TRANSACTIONAL:
        return Q(contact__isnull=False)
    names = [name_of(channel, campaign.purpose_id) for channel in Channel.values]
    return Q(may_receive=None) | Q(may_receive__overlap=names)


def one_each(rows: Iterable[Any], entrant: Callable[[Any], Entrant]) -> list[Entrant]:
    """An entrant a person: of several rows of one, the first."""
    found: dict[UUID, Entrant] = {}
    for row in rows:
        if row.contact_id not in found:
            found[row.contact_id] = entrant(row)
    return list(found.values())
