"""What became of a hand-over: accepted, refused with a reason, passed on, or overtaken by the rules."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from crm.audience.leads.handover import BY
from crm.models import HandOver, LeadDefinition, Stage, StageMove, Task
from crm.people import pausing

Answer = HandOver.Answer

_BACK = (Stage.Meaning.LEAD, Stage.Meaning.NURTURE, Stage.Meaning.LOST)


def by_hand(stage: Stage) -> Answer:
    """What a hand said by moving a lead that was handed over to this stage."""
    return Answer.REFUSED if stage.meaning in _BACK else Answer.ACCEPTED


def because(reason: str, words: str) -> str:
    """Why it was refused, in one line: the reason by its name, and what was written beside it."""
    named = "" if reason in ("", HandOver.Reason.OTHER) else HandOver.Reason(reason).label
    return ": ".join(part for part in (named, words) if part)


def close(
    contact_ids: Sequence[UUID],
    definition_id: UUID,
    now: datetime,
    by: str,
    answer: Answer = Answer.OVERTAKEN,
    *,
    reason: str = "",
    words: str = "",
) -> int:
    """The hand-over of each was answered, or has become moot: its task is done. Marketing that rested for the
    hand-over goes on, unless it was accepted and the definition lets it rest on. Returns how many were waited
    for.
    """
    if not contact_ids:
        return 0
    answered = waiting(contact_ids, definition_id).update(
        answer=answer,
        answered_at=now,
        answered_by=by[:120],
        reason=reason,
        words=words[:300],
    )
    open_tasks(contact_ids, definition_id).update(done_at=now, done_by=by[:120])
    ends = LeadDefinition.objects.filter(pk=definition_id, rest_ends_accepted=True)
    if answer != Answer.ACCEPTED or ends.exists():
        pausing.resume_all(contact_ids, now, begun_by=BY)
    return int(answered)


def waiting(contact_ids: Sequence[UUID], definition_id: UUID) -> Any:
    """Who was asked and has not answered."""
    return HandOver.objects.filter(contact__in=contact_ids, definition=definition_id, answer=Answer.WAITING)


def open_tasks(contact_ids: Sequence[UUID], definition_id: UUID) -> Any:
    """What is to be done about hand-overs. A task carries the id of the move that caused it."""
    moves = StageMove.objects.filter(contact__in=contact_ids, definition=definition_id).values("pk")
    tasks = Task.objects.filter(contact__in=contact_ids, kind=Task.Kind.HAND_OVER, done_at=None)
    return tasks.filter(pk__in=moves)
