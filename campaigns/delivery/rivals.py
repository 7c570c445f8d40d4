"""Who else wants to be heard: better messages that are due to the same people soon, as far as that can be
known from who is due where.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from campaigns.flows.kinds import steps
from campaigns.models import Campaign, Due, Enrolment, Step
from crm.models import Purpose


@dataclass(frozen=True)
class Rival:
    """A message of a campaign that goes first, and when it is due."""

    campaign_id: int
    name: str
    due_at: datetime


def better(
    campaign: Campaign, channel: str, contact_ids: Collection[UUID], until: datetime
) -> dict[UUID, Rival]:
    """Whom of these people a campaign of a lower priority number means to write to by the same channel, due
    by `until`; of several the first. Three queries at most.
    """
    dues = list(
        Due.objects.filter(
            contact_id__in=contact_ids,
            due_at__lte=until,
            problem="",
            campaign__state=Campaign.State.RUNNING,
            campaign__priority__lt=campaign.priority,
            campaign__in_caps=True,
            campaign__is_shadow=False,
            campaign__purpose__kind=Purpose.Kind.MARKETING,
        ).values_list(
            "enrolment_id", "contact_id", "due_at", "campaign_id", "campaign__name", "campaign__priority"
        )
    )
    if not dues:
        return {}
    sending = _about_to_send({row[0] for row in dues}, {row[1] for row in dues}, channel)
    found: dict[UUID, Rival] = {}
    for enrolment_id, contact_id, due_at, campaign_id, name, _ in sorted(
        dues, key=lambda row: (row[5], row[2], row[3])
    ):
        if enrolment_id in sending:
            found.setdefault(contact_id, Rival(campaign_id, name, due_at))
    return found


def _about_to_send(enrolment_ids: Collection[UUID], contact_ids: Collection[UUID], channel: str) -> set[UUID]:
    """Those who stand at a step that sends by this channel, or right before one."""
    people = list(
        Enrolment.objects.filter(
            pk__in=enrolment_ids,
            contact_id__in=contact_ids,
            state=Enrolment.State.ACTIVE,
            arm=Enrolment.Arm.TREATMENT,
        ).values_list("pk", "version_id", "step_position", "path")
    )
    ways: dict[int, list[tuple[int, str, str]]] = defaultdict(list)
    rows = Step.objects.filter(version__in={version_id for _, version_id, _, _ in people})
    for version_id, position, path, kind in rows.order_by("position", "pk").values_list(
        "version_id", "position", "path", "kind"
    ):
        ways[version_id].append((position, path, steps.get(kind).channel if kind in steps else ""))
    found = set()
    for enrolment_id, version_id, standing, path in people:
        ahead = [
            by for position, of_path, by in ways[version_id] if position >= standing and of_path in ("", path)
        ]
        # Whoever waits at a step, or has something else done there, goes on to the next in the same moment.
        if channel in ahead[:1] or (ahead[:1] == [""] and channel in ahead[1:2]):
            found.add(enrolment_id)
    return found
