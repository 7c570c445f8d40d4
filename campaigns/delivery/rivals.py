"""Who else wants to be heard: better messages that are due to the same people soon, as far as that can be
known from who is due where.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q

from campaigns.flows.kinds import ASKED_FOR, steps
from campaigns.models import Campaign, Due, Enrolment, Step
from crm.models import Purpose
from crm.people import statuses


@dataclass(frozen=True)
class Rival:
    """A message of a campaign that goes first, when it is due, and why it goes first where that is not its
    number: words that follow *goes first*.
    """

    campaign_id: int
    name: str
    due_at: datetime
    because: str = ""


def better(
    campaign: Campaign, channel: str, contact_ids: Collection[UUID], now: datetime, until: datetime
) -> dict[UUID, Rival]:
    """Whom of these people a better message by the same channel is due to by `until`; of several the first.

    Better is what they asked for, then a lower priority number; of the same number that of a campaign made
    for people of a status, to whoever holds it. Four queries at most.
    """
    dues = _dues(campaign, contact_ids, until)
    if not dues:
        return {}
    sending = _about_to_send({row[0] for row in dues}, {row[1] for row in dues}, channel)
    dues = [row for row in dues if row[0] in sending]
    holders: dict[Any, set[UUID]] = {}
    if any(row[5] == campaign.priority and row[6] for row in dues):
        holders = statuses.holders({row[1] for row in dues}, now)
    mine = holders.get(campaign.for_status_id, set())
    found: dict[UUID, tuple[Any, Rival]] = {}
    for enrolment_id, contact_id, due_at, campaign_id, name, priority, status_id, status in dues:
        asked_for = sending[enrolment_id]
        because = ", as they asked for it" if asked_for else ""
        if not asked_for and priority == campaign.priority:
            if contact_id in mine or contact_id not in holders.get(status_id, ()):
                continue
            because = f", as it is for people who are {status}"
        rank = (not asked_for, priority, not because, due_at, campaign_id)
        if contact_id not in found or rank < found[contact_id][0]:
            found[contact_id] = rank, Rival(campaign_id, name, due_at, because)
    return {contact_id: rival for contact_id, (_, rival) in found.items()}


def _dues(campaign: Campaign, contact_ids: Collection[UUID], until: datetime) -> Sequence[tuple[Any, ...]]:
    """Who of them is due in a campaign that may go before this one."""
    asking = Step.objects.filter(params__has_key=ASKED_FOR).values("version__campaign")
    goes_before = (
        Q(campaign__priority__lt=campaign.priority)
        | Q(campaign__priority=campaign.priority, campaign__for_status__isnull=False)
        | Q(campaign__in=asking)
    )
    rows = Due.objects.filter(
        goes_before,
        contact_id__in=contact_ids,
        due_at__lte=until,
        problem="",
        campaign__state=Campaign.State.RUNNING,
        campaign__in_caps=True,
        campaign__is_shadow=False,
        campaign__purpose__kind=Purpose.Kind.MARKETING,
    ).exclude(campaign=campaign)
    return list(
        rows.values_list(
            "enrolment_id",
            "contact_id",
            "due_at",
            "campaign_id",
            "campaign__name",
            "campaign__priority",
            "campaign__for_status_id",
            "campaign__for_status__name",
        )
    )


def _about_to_send(
    enrolment_ids: Collection[UUID], contact_ids: Collection[UUID], channel: str
) -> dict[UUID, bool]:
    """Those who stand at a step that sends by this channel, or right before one; and whether they asked for
    what it sends.
    """
    people = list(
        Enrolment.objects.filter(
            pk__in=enrolment_ids,
            contact_id__in=contact_ids,
            state=Enrolment.State.ACTIVE,
            arm=Enrolment.Arm.TREATMENT,
        ).values_list("pk", "version_id", "step_position", "path")
    )
    ways = _ways({version_id for _, version_id, _, _ in people})
    found = {}
    for enrolment_id, version_id, standing, path in people:
        ahead = [
            (way.channel, way.asked_for)
            for way in ways[version_id]
            if way.position >= standing and way.path in ("", path)
        ]
        # Whoever waits at a step, or has something else done there, goes on to the next in the same moment.
        for place, (by, asked_for) in enumerate(ahead[:2]):
            if by == channel and (place == 0 or ahead[0][0] == ""):
                found[enrolment_id] = asked_for
                break
    return found


@dataclass(frozen=True, slots=True)
class _Way:
    """A step as far as it is asked about here; the channel is blank where it sends nothing."""

    position: int
    path: str
    key: str
    channel: str
    asked_for: bool


def begin_with(people: Collection[Enrolment], channel: str) -> dict[UUID, str]:
    """The key of the step that sends the first message of each of these runs by this channel. One query."""
    ways = _ways({person.version_id for person in people})
    found = {}
    for person in people:
        mine = (
            way.key
            for way in ways[person.version_id]
            if way.channel == channel and way.path in ("", person.path)
        )
        found[person.pk] = next(mine, "")
    return found


def _ways(version_ids: Collection[int]) -> dict[int, list[_Way]]:
    """The steps of these versions in their order."""
    ways: dict[int, list[_Way]] = defaultdict(list)
    rows = Step.objects.filter(version__in=version_ids).order_by("position", "pk")
    for version_id, position, path, key, kind, params in rows.values_list(
        "version_id", "position", "path", "key", "kind", "params"
    ):
        step = steps.get(kind) if kind in steps else None
        asked_for = step is not None and step.was_asked_for(params)
        ways[version_id].append(_Way(position, path, key, step.channel if step else "", asked_for))
    return ways
