"""What the timeline knows of leads and of work: moves from stage to stage, tasks begun and done."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from crm.kernel.timeline import Cursor, Entry, Source, sources
from crm.models import StageMove, Task


@sources.register
class Stages(Source):
    """Moves of a lead from stage to stage, by a rule or by hand."""

    key = "crm.stages"
    label = "Stages"
    kinds = {"stage": "Lead stages"}

    def page(
        self, contact_id: Any, before: Cursor | None, limit: int, kinds: Collection[str] | None = None
    ) -> Sequence[Entry]:
        moves = StageMove.objects.filter(contact=contact_id)
        rows = self.below(moves, before).select_related("from_stage", "to_stage", "definition")
        return [self._entry(move) for move in rows[:limit]]

    def _entry(self, move: StageMove) -> Entry:
        became = str(move.to_stage) if move.to_stage else "no lead any more"
        said = [
            f"was {move.from_stage}" if move.from_stage else "",
            f"{move.score} points",
            f"by {move.actor}" if move.actor else "by a rule",
            move.reason,
        ]
        return Entry(
            at=move.occurred_at,
            source=self.key,
            key=str(move.pk),
            kind="stage",
            title=f"“{move.definition}”: {became}",
            detail=", ".join(part for part in said if part),
            icon="moving",
            data={"definition_id": move.definition_id, "by_rule": move.by_rule},
        )


@sources.register
class Tasks(Source):
    """What colleagues have to do about a person, at the moment it was begun."""

    key = "crm.tasks"
    label = "Tasks"
    kinds = {"task": "Tasks"}

    def page(
        self, contact_id: Any, before: Cursor | None, limit: int, kinds: Collection[str] | None = None
    ) -> Sequence[Entry]:
        tasks = Task.objects.filter(contact=contact_id).select_related("owner")
        return [self._entry(task) for task in self.below(tasks, before, at="created_at")[:limit]]

    def _entry(self, task: Task) -> Entry:
        owner = f"for {task.owner}" if task.owner else "for nobody yet"
        done = "open"
        if task.done_at:
            done = f"done by {task.done_by or 'somebody'} on {task.done_at.day} {task.done_at:%B}"
        return Entry(
            at=task.created_at,
            source=self.key,
            key=str(task.pk),
            kind="task",
            title=f"{task.get_kind_display().capitalize()}: {task.title}",
            detail=f"{owner}, {done}",
            icon="task_alt" if task.done_at else "pending_actions",
            data={"task_id": task.pk, "is_done": task.done_at is not None},
        )
