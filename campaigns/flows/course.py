"""One batch of one campaign walks as far as it can at one instant: exits first, then step after step,
written at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import F

from campaigns.delivery import outbox
from campaigns.flows import entry, exits, goals
from campaigns.flows.kinds import NOTHING_GUARDED, ON, Batch, Guarded, Move, Step, steps, triggers
from campaigns.models import Campaign, Decision, Delivery, Due, Enrolment
from campaigns.models import Step as StepRow
from crm.kernel import rules
from crm.kernel.kinds import BrokenParams, UnknownKind
from crm.models.writing import insert_rows, update_rows

WRITTEN = (
    "state",
    "step_position",
    "arrived_at",
    "path",
    "visit",
    "finished_at",
    "left_reason",
    "goal_at",
)
# So late a tick may be without everything after it being later, too.
SLACK = timedelta(minutes=10)
SOONEST = timedelta(seconds=1)


class BrokenStep(ValueError):
    """A step cannot be read; nobody passes it until it is mended."""


class Course:
    """The steps of a campaign's versions, and what the people of this batch did on them."""

    def __init__(self, campaign: Campaign, version_ids: Iterable[int], now: datetime) -> None:
        self.campaign = campaign
        self.now = now
        self.steps: dict[int, list[StepRow]] = defaultdict(list)
        rows = StepRow.objects.filter(version_id__in=set(version_ids)).select_related("template", "offer")
        for row in rows.order_by("position", "id"):
            self.steps[row.version_id].append(row)
        for of_version in self.steps.values():
            if len({step.position for step in of_version}) < len(of_version):
                raise ValueError("Two steps stand at the same place.")
        self._ways: dict[tuple[int, str], list[StepRow]] = {}
        self._read: dict[int, tuple[Step, dict[str, Any]]] = {}
        self.decisions: list[Decision] = []
        self.deliveries: list[Delivery] = []
        self.guards: Mapping[UUID, Guarded] = {}

    def begin(self, person: Enrolment, at: datetime, at_step: str = "") -> datetime:
        """Put somebody new at their first step, or at the one of this key. Returns when they are due."""
        ahead = self.steps[person.version_id]
        first = next((step for step in ahead if step.key == at_step), None) if at_step else None
        if first is not None:
            person.path = first.path
        return self._arrive(person, first.position if first else 0, at) or at

    def walk(self, people: Sequence[Enrolment], due: Mapping[UUID, datetime]) -> dict[UUID, datetime]:
        """Move everyone as far as they get. Returns when those still inside are due again; the others have
        ended.
        """
        self._note_goal(people)
        trigger = triggers.get(self.campaign.trigger)
        params = trigger.read(self.campaign.trigger_params)
        self.guards = trigger.guard_of(params, people, self.now)
        leaving = exits.reasons(self.campaign, people, self.guards, self.now)
        for person in people:
            if reason := leaving.get(person.pk):
                self.leave(person, reason)
        moving = [person for person in people if person.state == Enrolment.State.ACTIVE]
        waiting: dict[UUID, datetime] = {}
        moments = dict(due)
        while moving:
            arrived: list[Enrolment] = []
            for step, group in self._by_step(moving):
                for person, move in self._run(step, group, moments):
                    if move.to == "leave":
                        self.leave(person, move.reason)
                        continue
                    if move.to == "stay":
                        waiting[person.pk] = max(move.until or self.now, self.now + SOONEST)
                        continue
                    again = self._arrive(person, step.position + 1, self._left_at(moments[person.pk]))
                    if again is None:
                        continue
                    if again <= self.now:
                        moments[person.pk] = again
                        arrived.append(person)
                    else:
                        waiting[person.pk] = again
            moving = arrived
        return waiting

    def leave(self, person: Enrolment, reason: str) -> None:
        """Out of the flow before its end."""
        person.state, person.left_reason, person.finished_at = Enrolment.State.LEFT, reason, self.now
        guard = self.guards.get(person.pk, NOTHING_GUARDED)
        words = guard.words if guard.ended == reason else ""
        self.decisions.append(
            Decision(
                contact_id=person.contact_id,
                campaign=self.campaign,
                enrolment_id=person.pk,
                verdict=Decision.Verdict.LEFT,
                reason=reason,
                words=words or exits.WORDS.get(reason, f"Left: {reason}."),
                decided_at=self.now,
            )
        )

    def write(self, people: Sequence[Enrolment], waiting: Mapping[UUID, datetime]) -> None:
        """Everything that came of it, in a fixed number of statements, in the caller's transaction."""
        update_rows(people, *WRITTEN)
        if through := [person.pk for person in people if person.pk not in waiting]:
            Due.objects.filter(rules.AnyOf(F("pk"), through)).delete()
        update_rows([Due(enrolment_id=key, due_at=at) for key, at in waiting.items()], "due_at")
        insert_rows(self.decisions)
        if self.deliveries:
            outbox.enqueue(self.deliveries)

    def _by_step(self, people: Sequence[Enrolment]) -> list[tuple[StepRow, list[Enrolment]]]:
        groups: dict[int, tuple[StepRow, list[Enrolment]]] = {}
        for person in people:
            step = self._at(person)
            if step is None:
                self._finish(person)
                continue
            groups.setdefault(step.pk, (step, []))[1].append(person)
        return sorted(groups.values(), key=lambda group: (group[0].position, group[0].pk))

    def _run(
        self, step: StepRow, people: list[Enrolment], moments: Mapping[UUID, datetime]
    ) -> Iterable[tuple[Enrolment, Move]]:
        kind, params = self._kind(step)
        meant = self.meant(step, people)
        batch = Batch(
            campaign=self.campaign,
            step=step,
            params=params,
            people=meant,
            due=moments,
            guards=self.guards,
            now=self.now,
            decisions=self.decisions,
            deliveries=self.deliveries,
        )
        moves = kind.run(batch) if meant else {}
        return [(person, moves.get(person.pk, ON)) for person in people]

    def _kind(self, step: StepRow) -> tuple[Step, dict[str, Any]]:
        """What a step is and what it was given, read once a batch."""
        if step.pk not in self._read:
            try:
                kind = steps.get(step.kind)
                self._read[step.pk] = kind, kind.read(step.params)
            except (BrokenParams, UnknownKind) as broken:
                raise BrokenStep(f"Step {step.position} ({step.key}) cannot be read: {broken}") from broken
        return self._read[step.pk]

    def _note_goal(self, people: Sequence[Enrolment]) -> None:
        """Once a run: that its campaign's aim has been reached."""
        if rules.is_blank(self.campaign.goal):
            return
        open_ = [person for person in people if person.goal_at is None]
        reached = entry.those(self.campaign.goal, goals.AIM, open_, self.now) if open_ else set()
        for person in open_:
            if person.pk in reached:
                person.goal_at = self.now
                self.decisions.append(goals.decision(person, self.campaign, self.now))

    def meant(self, step: StepRow, people: list[Enrolment]) -> list[Enrolment]:
        """Those of whom the step's own condition is true; the others pass it by."""
        if rules.is_blank(step.only_if):
            return people
        found = entry.those(step.only_if, "The condition of a step", people, self.now)
        return [person for person in people if person.pk in found]

    def _at(self, person: Enrolment) -> StepRow | None:
        """The step they stand at; where it is gone from a version in work, the next one."""
        return next((step for step in self._ahead(person) if step.position >= person.step_position), None)

    def _arrive(self, person: Enrolment, place: int, at: datetime) -> datetime | None:
        """Go to the next step from this place on that is for them. Returns when it deals with them, or
        nothing where they are through.
        """
        step = next((step for step in self._ahead(person) if step.position >= place), None)
        if step is None:
            self._finish(person)
            return None
        person.step_position, person.arrived_at = step.position, at
        kind, params = self._kind(step)
        return kind.due(params, at)

    def _left_at(self, due: datetime) -> datetime:
        """When they left a step they were due at: then, if that was just now, so that the moments between
        two ticks do not add up; after a longer halt now, so that what follows is not all at once.
        """
        return due if self.now - due <= SLACK else self.now

    def _ahead(self, person: Enrolment) -> list[StepRow]:
        """The steps that are for everyone or for their path."""
        way = person.version_id, person.path
        if way not in self._ways:
            self._ways[way] = [step for step in self.steps[way[0]] if step.path in ("", person.path)]
        return self._ways[way]

    def _finish(self, person: Enrolment) -> None:
        if person.state == Enrolment.State.ACTIVE:
            person.state, person.finished_at = Enrolment.State.FINISHED, self.now
