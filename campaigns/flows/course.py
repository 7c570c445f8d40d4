"""One batch of one campaign walks as far as it can at one instant: exits first, then step after step,
written at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from campaigns.delivery import outbox
from campaigns.flows import entry, exits
from campaigns.flows.kinds import NOTHING_GUARDED, ON, Batch, Guarded, Move, steps, triggers
from campaigns.models import Campaign, Decision, Delivery, Due, Enrolment
from campaigns.models import Step as StepRow
from crm.kernel import rules
from crm.models.writing import update_rows


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
        self.decisions: list[Decision] = []
        self.deliveries: list[Delivery] = []
        self.guards: Mapping[UUID, Guarded] = {}

    def begin(self, person: Enrolment, at: datetime) -> datetime:
        """Put somebody new at their first step. Returns when they are due."""
        return self._arrive(person, None, at) or at

    def walk(self, people: Sequence[Enrolment], due: Mapping[UUID, datetime]) -> dict[UUID, datetime]:
        """Move everyone as far as they get. Returns when those still inside are due again; the others have
        ended.
        """
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
                    again = move.until if move.to == "stay" else self._arrive(person, step, self.now)
                    if again is None:
                        continue
                    if move.to == "next" and again <= self.now:
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
        update_rows(people, "state", "step_position", "path", "visit", "finished_at", "left_reason")
        Due.objects.filter(pk__in=[person.pk for person in people if person.pk not in waiting]).delete()
        update_rows([Due(enrolment_id=key, due_at=at) for key, at in waiting.items()], "due_at")
        Decision.objects.bulk_create(self.decisions, batch_size=1000)
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
        kind = steps.get(step.kind)
        meant = self._meant(step, people)
        batch = Batch(
            campaign=self.campaign,
            step=step,
            params=kind.read(step.params),
            people=meant,
            due=moments,
            guards=self.guards,
            now=self.now,
            decisions=self.decisions,
            deliveries=self.deliveries,
        )
        moves = kind.run(batch) if meant else {}
        return [(person, moves.get(person.pk, ON)) for person in people]

    def _meant(self, step: StepRow, people: list[Enrolment]) -> list[Enrolment]:
        """Those of whom the step's own condition is true; the others pass it by."""
        if rules.is_blank(step.only_if):
            return people
        found = entry.those(step.only_if, "The condition of a step", people, self.now)
        return [person for person in people if person.pk in found]

    def _at(self, person: Enrolment) -> StepRow | None:
        """The step they stand at; where it is gone from a version in work, the next one."""
        return next((step for step in self._ahead(person) if step.position >= person.step_position), None)

    def _arrive(self, person: Enrolment, after: StepRow | None, at: datetime) -> datetime | None:
        """Go to the next step that is for them. Returns when it deals with them, or nothing where they are
        through.
        """
        ahead = self._ahead(person)
        if after is not None:
            ahead = [step for step in ahead if step.position > after.position]
        if not ahead:
            self._finish(person)
            return None
        step = ahead[0]
        person.step_position = step.position
        kind = steps.get(step.kind)
        return kind.due(kind.read(step.params), at)

    def _ahead(self, person: Enrolment) -> list[StepRow]:
        return [step for step in self.steps[person.version_id] if not step.path or step.path == person.path]

    def _finish(self, person: Enrolment) -> None:
        if person.state == Enrolment.State.ACTIVE:
            person.state, person.finished_at = Enrolment.State.FINISHED, self.now
