"""People who answered so, or did not answer, as a segment: made by one click, kept up by itself."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from campaigns.models import Survey, SurveyChoice
from campaigns.surveys import asking
from crm.models import Segment

_LONGEST = 120


def of_answer(survey: Survey, choice: SurveyChoice | None, now: datetime) -> Segment:
    """Those who answered it, with this answer or any. The one there is, where it was made before."""
    said = f"Answered “{choice}”" if choice else "Answered"
    return _made(f"{said}: {survey}", asking.rule(survey, choice.pk if choice else None), now)


def of_silent(survey: Survey, now: datetime) -> Segment:
    """Those who were asked and did not answer."""
    return _made(f"Did not answer: {survey}", asking.silent_rule(survey), now)


def _made(name: str, rule: dict[str, Any], now: datetime) -> Segment:
    found = Segment.objects.filter(kind=Segment.Kind.DYNAMIC, rule=rule).first()
    if found:
        return found
    free, number = name[:_LONGEST], 1
    while Segment.objects.filter(name=free).exists():
        number += 1
        free = f"{name[: _LONGEST - 5]} {number}"
    return Segment.objects.create(name=free, rule=rule, created_at=now)
