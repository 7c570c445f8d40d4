"""People whom the gate makes wait at a step: since when they are due, and each reason told once, however
often the step asks again.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from campaigns.delivery.arbitration import No
from campaigns.flows.kinds import Batch, Move
from campaigns.models import Decision, Due, Enrolment
from crm.models.writing import update_rows


class Waits:
    """What one batch is told of those who waited here before, and what it leaves for the next time."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        places = {person.pk: self.place(person) for person in batch.people}
        rows = Due.objects.filter(pk__in=places).exclude(waits_at="")
        self._before = {
            enrolment_id: (since, about)
            for enrolment_id, place, since, about in rows.values_list(
                "pk", "waits_at", "waits_since", "waits_for"
            )
            if place == places[enrolment_id]
        }
        self._now: list[Due] = []

    def due(self, person: Enrolment) -> datetime:
        """When they were due at this step; lateness counts from it."""
        since, _ = self._before.get(person.pk, (None, ""))
        return since or self.batch.due[person.pk]

    def before(self) -> dict[UUID, str]:
        """Who waited here before, and where that was as it is written down."""
        return {person.pk: self.place(person) for person in self.batch.people if person.pk in self._before}

    def tell(self, person: Enrolment, no: No) -> Move | None:
        """Write down the answer of the gate. Returns their wait, or nothing where they go on without."""
        if no.until is None:
            self.batch.decide(person, Decision.Verdict.SKIPPED, no.reason, no.words[:300], no.evidence)
            return None
        _, told = self._before.get(person.pk, (None, ""))
        if no.about and no.about != told:
            self.batch.decide(person, Decision.Verdict.WAITED, no.reason, no.words[:300], no.evidence)
        self._now.append(
            Due(
                enrolment_id=person.pk,
                waits_at=self.place(person),
                waits_since=no.since or self.due(person),
                waits_for=(no.about or told)[:100],
            )
        )
        return Move("stay", until=no.until)

    def store(self) -> None:
        update_rows(self._now, "waits_at", "waits_since", "waits_for")

    def place(self, person: Enrolment) -> str:
        """This step and visit, as it is written down."""
        return f"{self.batch.step.key}:{person.visit}"
