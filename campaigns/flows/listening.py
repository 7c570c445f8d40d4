"""People who wait for something: made due when it may have come true, without asking about each of them.

As a segment is swept: asked again are those who were written about since the last time, and those whom time
alone has moved. Where a condition cannot tell whom time moves, everybody at the step is asked by one query.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q

from campaigns.flows import entry
from campaigns.flows.kinds import Listening, Step, steps
from campaigns.models import Campaign, Due, Enrolment
from campaigns.models import Step as StepRow
from crm.kernel import rules
from crm.people import stirring

OFTEN, SELDOM = timedelta(seconds=10), timedelta(minutes=1)
# What others stored with an instant of their own may be seen a little after it.
OVERLAP = timedelta(minutes=15)
ASKED_AT_MOST = 25_000


def heard(now: datetime) -> list[int]:
    """The steps of running campaigns at which somebody waits for something, as far as it is time to ask."""
    kinds = [kind.key for kind in steps if type(kind).listens_to is not Step.listens_to]
    rows = StepRow.objects.filter(kind__in=kinds, version__campaign__state=Campaign.State.RUNNING)
    waiting = Enrolment.objects.filter(
        campaign=OuterRef("version__campaign"),
        version=OuterRef("version"),
        step_position=OuterRef("position"),
        state=Enrolment.State.ACTIVE,
    )
    rows = rows.filter(Q(asked_at=None) | Q(asked_at__lte=now - OFTEN)).filter(Exists(waiting))
    return list(rows.order_by("pk").values_list("pk", flat=True)) if kinds else []


def wake(step_id: int, now: datetime) -> int:
    """Make those due at a step of whom what they wait for is true by now; the step asks them itself again.
    Returns how many. Nothing where another process asks.
    """
    locked = StepRow.objects.select_for_update(skip_locked=True, no_key=True, of=("self",))
    step = locked.select_related("version__campaign").filter(pk=step_id).first()
    if step is None:
        return 0
    kind = steps.get(step.kind)
    told = kind.listens_to(kind.read(step.params))
    mark = stirring.mark()
    changed = changed_since(told.rule, step.asked_at, step.marked, now, mark) if told else []
    if changed is None and step.asked_at and step.asked_at > now - SELDOM:
        return 0
    woken = _due_now(step, told, changed, now) if told and changed != [] else 0
    step.marked, step.asked_at = mark, now
    step.save(update_fields=["marked", "asked_at"])
    return woken


def changed_since(
    rule: Any, asked_at: datetime | None, marked: int, now: datetime, mark: int
) -> Sequence[UUID] | None:
    """Of whom the rule may have come true or false since it was last asked, at this instant and under this
    mark; None: everybody.
    """
    if asked_at is None or marked > mark:
        return None
    scope = rules.Scope(entered_at=now, current=True)
    turned = rules.drift(rule, asked_at - OVERLAP, now, scope)
    if turned is None:
        return None
    asked = stirring.stirred_since(marked).union(*turned)
    people: list[Any] = list(asked.values_list("contact_id", flat=True)[: ASKED_AT_MOST + 1])
    return people if len(people) <= ASKED_AT_MOST else None


def _due_now(step: StepRow, told: Listening, among: Sequence[UUID] | None, now: datetime) -> int:
    campaign = step.version.campaign
    runs = Enrolment.objects.filter(
        campaign=campaign,
        version=step.version,
        step_position=step.position,
        state=Enrolment.State.ACTIVE,
    )
    if among is not None:
        runs = runs.filter(rules.AnyOf(F("contact_id"), among))
    woken: list[UUID] = []
    for kind in runs.order_by("subject_kind").values_list("subject_kind", flat=True).distinct():
        of_kind = runs.filter(subject_kind=kind)
        true = entry.fulfilling(
            of_kind, told.rule, "What is waited for", now, kind, since=told.since, among=among
        )
        # In one order of keys: whoever else locks several of them does it in the same.
        waiting = Due.objects.filter(pk__in=true.values("pk"), due_at__gt=now, problem="").order_by("pk")
        woken += waiting.select_for_update(no_key=True, of=("self",)).values_list("pk", flat=True)
    return Due.objects.filter(pk__in=woken).update(due_at=now)
