"""What the timeline knows of leads and of work: moves from stage to stage, tasks begun and done."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet, Value

from crm.audience.leads import answers
from crm.conditions.words import day
from crm.kernel.timeline import Rows, Told, sources
from crm.models import HandOver, StageMove, Task


@sources.register
class Stages(Rows):
    """Moves of a lead from stage to stage, by a rule or by hand."""

    key = "crm.stages"
    label = "Stages"
    kinds = {"stage": "Lead stages"}
    searched = (
        "definition__name",
        "from_stage__name",
        "to_stage__name",
        "score",
        "actor",
        "reason",
        Value("no lead any more was points by a rule"),
    )
    icon = "moving"
    between = ", "

    def rows(self, contact_id: Any) -> QuerySet[StageMove]:
        moves = StageMove.objects.filter(contact=contact_id)
        return moves.select_related("from_stage", "to_stage", "definition")

    def tell(self, row: StageMove) -> Told:
        became = str(row.to_stage) if row.to_stage else "no lead any more"
        return Told(
            f"“{row.definition}”: {became}",
            [
                f"was {row.from_stage}" if row.from_stage else "",
                f"{row.score} points",
                f"by {row.actor}" if row.actor else "by a rule",
                row.reason,
            ],
            data={"definition_id": row.definition_id, "by_rule": row.by_rule},
        )


@sources.register
class HandOvers(Rows):
    """Which colleague was asked to take the lead, and what they answered."""

    key = "crm.hand_overs"
    label = "Hand-overs"
    kinds = {"hand_over": "Hand-overs"}
    searched = (
        "definition__name",
        "owner__username",
        "chosen",
        "answer",
        "answered_by",
        "reason",
        "words",
        Value("Handed over to nobody yet by on"),
    )
    icon = "handshake"
    between = ", "

    def rows(self, contact_id: Any) -> QuerySet[HandOver]:
        return HandOver.objects.filter(contact=contact_id).select_related("owner")

    def tell(self, row: HandOver) -> Told:
        on = f" on {day(row.answered_at)}" if row.answered_at else ""
        by = f" by {row.answered_by}" if row.answered_by else ""
        return Told(
            f"Handed over to {row.owner or 'nobody yet'}",
            [row.chosen, f"{row.get_answer_display()}{by}{on}", answers.because(row.reason, row.words)],
            data={"answer": row.answer, "reason": row.reason},
        )


@sources.register
class Tasks(Rows):
    """What colleagues have to do about a person, at the moment it was begun."""

    key = "crm.tasks"
    label = "Tasks"
    kinds = {"task": "Tasks"}
    searched = ("kind", "title", "owner__username", "done_by", Value("open done by for nobody yet"))
    at = "created_at"
    between = ", "

    def rows(self, contact_id: Any) -> QuerySet[Task]:
        return Task.objects.filter(contact=contact_id).select_related("owner")

    def tell(self, row: Task) -> Told:
        done = "open"
        if row.done_at:
            done = f"done by {row.done_by or 'somebody'} on {day(row.done_at)}"
        return Told(
            f"{row.get_kind_display().capitalize()}: {row.title}",
            [f"for {row.owner}" if row.owner else "for nobody yet", done],
            icon="task_alt" if row.done_at else "pending_actions",
            data={"task_id": row.pk, "is_done": row.done_at is not None},
        )
