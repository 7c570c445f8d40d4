"""People inside a campaign whose steps have changed: where they stand, and where that is by now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.db.models import Count, QuerySet

from campaigns.models import Campaign, Due, Enrolment, FlowVersion, Step

STAY: Literal["stay"] = "stay"
AGAIN: Literal["again"] = "again"
ON: Literal["on"] = "on"


@dataclass(frozen=True)
class Shift:
    """What a new version means for those who stand at one step, on one path.

    `how`: they *stay* as they are; their step has other settings, so that it is asked *again* (a wait that is
    shorter by now ends sooner); or their step is gone, and they go *on* to `to`, or to the end where that is
    nothing.
    """

    step: Step | None
    version_id: int
    position: int
    path: str
    people: int
    to: Step | None
    how: Literal["stay", "again", "on"]


def shifts(campaign: Campaign, version: FlowVersion) -> list[Shift]:
    """What would happen to those inside who do not walk this version yet, by their place; tests left out."""
    steps = list(version.steps.order_by("position", "id"))
    groups = list(
        _others(campaign, version)
        .order_by("version_id", "step_position", "path")
        .values_list("version_id", "step_position", "path")
        .annotate(Count("pk"))
    )
    olds: dict[int, list[Step]] = {}
    for row in Step.objects.filter(version__in={group[0] for group in groups}).order_by("position", "id"):
        olds.setdefault(row.version_id, []).append(row)
    return [
        _shift(olds.get(version_id, []), steps, version_id, position, path, people)
        for version_id, position, path, people in groups
    ]


def move(campaign: Campaign, version: FlowVersion, now: datetime) -> None:
    """Move everyone inside to this version, within the caller's transaction, the campaign's row locked.

    Whoever is being moved on at this moment is waited for: their rows of what is due are the lock.
    """
    held = Due.objects.filter(campaign=campaign).order_by("pk").select_for_update(no_key=True, of=("self",))
    for _ in held.values_list("pk").iterator(chunk_size=10_000):
        pass
    end = max(version.steps.values_list("position", flat=True), default=0) + 1
    for shift in shifts(campaign, version):
        there = Enrolment.objects.filter(
            campaign=campaign,
            state=Enrolment.State.ACTIVE,
            version=shift.version_id,
            step_position=shift.position,
            path=shift.path,
        )
        if shift.how != STAY:
            Due.objects.filter(campaign=campaign, pk__in=there.values("pk")).update(due_at=now)
        changes: dict[str, object] = {
            "version": version,
            "step_position": shift.to.position if shift.to else end,
        }
        there.update(**changes | ({"arrived_at": now} if shift.how == ON else {}))


def _others(campaign: Campaign, version: FlowVersion) -> QuerySet[Enrolment]:
    inside = Enrolment.objects.filter(campaign=campaign, state=Enrolment.State.ACTIVE)
    return inside.exclude(version=version)


def _shift(
    olds: Sequence[Step], news: Sequence[Step], version_id: int, position: int, path: str, people: int
) -> Shift:
    ahead = [row for row in olds if row.position >= position and row.path in ("", path)]
    theirs = {row.key: row for row in news if row.path in ("", path)}
    at = ahead[0] if ahead else None
    to = next((theirs[row.key] for row in ahead if row.key in theirs), None)
    if at is None or to is None or to.key != at.key:
        return Shift(at, version_id, position, path, people, to, ON)
    same = (at.kind, at.params) == (to.kind, to.params)
    return Shift(at, version_id, position, path, people, to, STAY if same else AGAIN)
