"""What happens at each step of a campaign: who waits there now, and what it did in a period."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Count, Q, QuerySet

from campaigns.models import Campaign, Decision, Delivery, DeliveryState, Enrolment, Step
from campaigns.results import reporting

# A message may wait for its turn; one made earlier than this before the period is not looked for.
MADE_BEFORE = timedelta(days=14)
NOT_GIVEN = (Decision.Verdict.SKIPPED, Decision.Verdict.SUPPRESSED)
COUNTED = (*NOT_GIVEN, Decision.Verdict.HELD_OUT, Decision.Verdict.SHADOW, Decision.Verdict.JOINED)


@dataclass
class AtStep:
    """Of one step: people who stand there now; messages sent, those that joined others, people passed over,
    held out and in shadow in the period.
    """

    people: int = 0
    sent: int = 0
    joined: int = 0
    skipped: int = 0
    held_out: int = 0
    shadow: int = 0


@dataclass
class AtSteps:
    """By the key of the step, over all versions; and how many people stand in each version, by its number."""

    by_key: dict[str, AtStep] = field(default_factory=lambda: defaultdict(AtStep))
    by_version: dict[int, int] = field(default_factory=dict)


def at_steps(campaign: Campaign, start: datetime) -> AtSteps:
    """What each step of any version holds now, and did since `start`; a fixed number of queries."""
    found = AtSteps()
    standing = reporting.people_in_steps(campaign)
    keys = {
        (version, position): key
        for version, position, key in Step.objects.filter(
            version__in={version for version, _position in standing}
        ).values_list("version", "position", "key")
    }
    for (version, position), people in standing.items():
        found.by_version[version] = found.by_version.get(version, 0) + people
        if key := keys.get((version, position)):
            found.by_key[key].people += people
    sent = Delivery.objects.filter(
        campaign=campaign,
        origin=Delivery.Origin.FLOW,
        state=DeliveryState.SENT,
        created_at__gte=start - MADE_BEFORE,
        finished_at__gte=start,
    )
    for key, count in sent.order_by().values_list("step_key").annotate(Count("id")):
        found.by_key[key].sent = count
    said = Decision.objects.filter(campaign=campaign, decided_at__gte=start, verdict__in=COUNTED)
    for key, verdict, count in said.order_by().values_list("step_key", "verdict").annotate(Count("id")):
        name = "skipped" if verdict in NOT_GIVEN else str(verdict)
        row = found.by_key[key]
        setattr(row, name, getattr(row, name) + count)
    return found


def people_at(campaign: Campaign, key: str = "") -> QuerySet[Enrolment]:
    """The runs of people who are in it now, in the order of its steps; at one step, if its key is given."""
    runs = Enrolment.objects.filter(campaign=campaign, state=Enrolment.State.ACTIVE, is_test=False)
    if key:
        places = Q(pk__in=[])
        for version, position in Step.objects.filter(version__campaign=campaign, key=key).values_list(
            "version", "position"
        ):
            places |= Q(version=version, step_position=position)
        runs = runs.filter(places)
    return runs.order_by("step_position", "id")
