"""Starting, pausing and stopping a campaign, what must be right before it starts, and changing it while it
runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any

from django.db import transaction
from django.db.models import Max

from campaigns.flows import moving, variants
from campaigns.flows.checklist import Check, checklist
from campaigns.flows.kinds import steps
from campaigns.flows.permitted import May
from campaigns.models import Campaign, Due, FlowVersion, Step
from crm.kernel.kinds import BrokenParams, UnknownKind
from crm.ticking import ring

State = Campaign.State
CAN_START = (State.DRAFT, State.STOPPED)


class NotReady(ValueError):
    """This cannot be done to the campaign now; says why."""


class CannotLaunch(NotReady):
    """Something on the checklist is not right; carries what."""

    def __init__(self, found: list[Check]) -> None:
        super().__init__(" ".join(f"{check.label}: {check.problem}" for check in found))
        self.problems = found


class WrongState(NotReady):
    """The campaign is not in a state from which this can be done."""


@dataclass(frozen=True)
class Inside:
    """How many people are in a campaign now, and how many of them are parked with an error."""

    people: int
    parked: int


def problems(
    campaign: Campaign, now: datetime, version: FlowVersion | None = None, may: May | None = None
) -> list[Check]:
    """The lines of the checklist that are not right yet, of this version or the newest; for whom it is asked
    says what they may.
    """
    return [check for check in checklist(campaign, now, version, may=may) if check.problem]


def launch(campaign: Campaign, by: Any, now: datetime, *, may: May | None = None) -> Campaign:
    """Start it. It looks forward only: what fell due before now starts nothing. A person who launches says
    what they `may`; a program may all. Raises CannotLaunch.
    """
    with transaction.atomic():
        locked = _locked(campaign, *CAN_START)
        if found := problems(locked, now, may=may):
            raise CannotLaunch(found)
        version = locked.versions.order_by("-number")[0]
        _freeze(version, now)
        locked.current = version
        locked.state, locked.launched_at = State.RUNNING, now
        locked.state_reason = f"launched by {by}"
        locked.problem, locked.problem_at = "", None
        locked.save()
        ring("campaigns.trigger")
    campaign.refresh_from_db()
    return campaign


def pause(campaign: Campaign, by: Any, now: datetime, reason: str = "") -> Campaign:
    """Nobody enters, moves or is written to until it resumes; messages already queued wait and expire."""
    return _set(campaign, State.PAUSED, reason or f"paused by {by}", State.RUNNING)


def resume(campaign: Campaign, by: Any, now: datetime) -> Campaign:
    """Go on where it stopped; people parked by an error are tried again. Raises CannotLaunch."""
    with transaction.atomic():
        locked = _locked(campaign, State.PAUSED)
        if found := problems(locked, now, locked.current):
            raise CannotLaunch(found)
        locked.state, locked.state_reason = State.RUNNING, f"resumed by {by}"
        locked.problem, locked.problem_at = "", None
        locked.save(update_fields=["state", "state_reason", "problem", "problem_at"])
        Due.objects.filter(campaign=locked).exclude(problem="").update(problem="")
        ring("campaigns.trigger")
        ring("campaigns.advance")
    campaign.refresh_from_db()
    return campaign


def stop(campaign: Campaign, by: Any, now: datetime, reason: str = "") -> Campaign:
    """End it for everyone inside; nothing of it leaves after the next fence. The next tick lets the people
    go.
    """
    stopped = _set(campaign, State.STOPPED, reason or f"stopped by {by}", State.RUNNING, State.PAUSED)
    ring("campaigns.advance")
    return stopped


def inside(campaign: Campaign) -> Inside:
    """Who is in it now."""
    due = Due.objects.filter(campaign=campaign)
    return Inside(due.count(), due.exclude(problem="").count())


def newest_version(campaign: Campaign) -> FlowVersion | None:
    """The version to show: the one in work where there is one, else the one in use."""
    return campaign.versions.order_by("-number").first()


def editable_version(campaign: Campaign, now: datetime) -> FlowVersion:
    """The version that may be edited: the newest, or a copy of it where people may already walk it."""
    with transaction.atomic():
        Campaign.objects.select_for_update(no_key=True, of=("self",)).get(pk=campaign.pk)
        newest = newest_version(campaign)
        if newest is None:
            return FlowVersion.objects.create(campaign=campaign, number=1, created_at=now)
        return newest if newest.frozen_at is None else _copied(newest, now)


def new_step_key(version: FlowVersion, kind: str) -> str:
    """A key no other step of the campaign has or had: it names the step in the keys of deliveries."""
    name = kind.rsplit(".", 1)[-1].replace("_", "-")[:30]
    taken = set(Step.objects.filter(version__campaign=version.campaign_id).values_list("key", flat=True))
    return next(key for number in count(1) if (key := f"{name}-{number}") not in taken)


def publish(
    campaign: Campaign, by: Any, now: datetime, *, move_people: bool = False, may: May | None = None
) -> Campaign:
    """Make the version in work the one people enter. Those inside finish the version they began, or are moved
    to this one.

    A moved person stands at the step of the same key, or at the next one still to come; what they wait for
    counts from when they came to their step, by its new settings. Raises CannotLaunch.
    """
    with transaction.atomic():
        locked = _locked(campaign, State.RUNNING, State.PAUSED)
        version = newest_version(locked)
        if version is None or version.frozen_at is not None:
            raise NotReady("Nothing has been changed since it was launched.")
        if found := problems(locked, now, may=may):
            raise CannotLaunch(found)
        _freeze(version, now)
        locked.current = version
        locked.save(update_fields=["current"])
        if move_people:
            moving.move(locked, version, now)
            ring("campaigns.advance")
    campaign.refresh_from_db()
    return campaign


def consequences(campaign: Campaign) -> list[moving.Shift]:
    """What moving people to the version in work would mean for them, by the step they stand at."""
    version = newest_version(campaign)
    return moving.shifts(campaign, version) if version and version.frozen_at is None else []


def describe(campaign: Campaign, version: FlowVersion | None = None) -> list[tuple[Step, str]]:
    """The steps with their words, for the page and the picture."""
    shown = version or newest_version(campaign)
    if shown is None:
        return []
    rows = shown.steps.select_related("template", "offer").prefetch_related("variants__template")
    return [(row, _words(row)) for row in rows]


def _words(row: Step) -> str:
    try:
        kind = steps.get(row.kind)
        return kind.sentence(kind.read(row.params), row)
    except (BrokenParams, UnknownKind) as broken:
        return f"Cannot be read: {broken}"


def _set(campaign: Campaign, state: str, reason: str, *allowed: str) -> Campaign:
    with transaction.atomic():
        locked = _locked(campaign, *allowed)
        locked.state, locked.state_reason = state, reason[:300]
        locked.save(update_fields=["state", "state_reason"])
    campaign.refresh_from_db()
    return campaign


def _locked(campaign: Campaign, *allowed: str) -> Campaign:
    locked = Campaign.objects.select_for_update(no_key=True, of=("self",)).get(pk=campaign.pk)
    if locked.state not in allowed:
        raise WrongState(f"It is {locked.get_state_display()}.")
    return locked


def _freeze(version: FlowVersion, now: datetime) -> None:
    """No two steps at one place from here on, and no more changes."""
    rows = list(version.steps.order_by("position", "id"))
    for place, row in enumerate(rows, start=1):
        row.position = place
    Step.objects.bulk_update(rows, ["position"])
    if version.frozen_at is None:
        version.frozen_at = now
        version.save(update_fields=["frozen_at"])


def _copied(version: FlowVersion, now: datetime) -> FlowVersion:
    highest = version.campaign.versions.aggregate(Max("number"))["number__max"] or 0
    copy = FlowVersion.objects.create(campaign=version.campaign, number=highest + 1, created_at=now)
    rows = list(version.steps.all())
    olds = list(version.steps.all())
    for row in rows:
        row.pk, row._state.adding, row.version = None, True, copy
        row.marked, row.asked_at = 0, None
    Step.objects.bulk_create(rows)
    variants.copy(list(zip(olds, rows, strict=True)))
    return copy
