"""What the timeline knows of leads and of work: moves from stage to stage, tasks begun and done."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from crm.kernel.timeline import Rows, Told, sources
from crm.models import StageMove, Task


@sources.register
class Stages(Rows):
    """Moves of a lead from stage to stage, by a rule or by hand."""

    key = "crm.stages"
    label = "Stages"
    kinds = {"stage": "Lead stages"}
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
class Tasks(Rows):
    """What colleagues have to do about a person, at the moment it was begun."""

    key = "crm.tasks"
    label = "Tasks"
    kinds = {"task": "Tasks"}
    at = "created_at"
    between = ", "

    def rows(self, contact_id: Any) -> QuerySet[Task]:
        return Task.objects.filter(contact=contact_id).select_related("owner")

    def tell(self, row: Task) -> Told:
        done = "open"
        if row.done_at:
            done = f"done by {row.done_by or 'somebody'} on {row.done_at.day} {row.done_at:%B}"
        return Told(
            f"{row.get_kind_display().capitalize()}: {row.title}",
            [f"for {row.owner}" if row.owner else "for nobody yet", done],
            icon="task_alt" if row.done_at else "pending_actions",
            data={"task_id": row.pk, "is_done": row.done_at is not None},
        )
