"""Sales-ready, by rule or by hand: whoever owns the lead gets a task and one notice, with the reasons.

Where there is no owner who still works here one is chosen (see `owners`). Where nobody can be, the task
stands without an owner, and every active superuser is told, since somebody has to decide.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import F

from crm.audience.leads import owners, telling
from crm.audience.leads.crew import Crew
from crm.audience.leads.people import BECAME, leads_among
from crm.audience.leads.telling import Asked
from crm.kernel import rules
from crm.kernel.rules import AnyOf, Scope
from crm.kernel.rules.compiling import leaf_q, read, verdict
from crm.models import Contact, HandOver, Lead, LeadDefinition, LeadVersion, Purpose, StageMove, Task
from crm.people import pausing
from crm.shop.hours import DeskHours

BY = "the hand-over"
_MOST_REASONS = 3

type Ready = Sequence[tuple[Lead, StageMove]]


def hand_over(definition: LeadDefinition, version: LeadVersion, ready: Ready, now: datetime) -> None:
    """Write the task of each move and whom to tell, once a move. Sets the leads' owners, to be stored."""
    if not ready:
        return
    ids = [lead.contact_id for lead, _move in ready]
    people = Contact.objects.filter(AnyOf(F("pk"), ids)).in_bulk()
    crew = Crew(now)
    wanted = [
        owners.Wanted(lead.contact_id, (lead.owner_id, people[lead.contact_id].owner_id))
        for lead, _move in ready
    ]
    chosen = owners.choose(definition, wanted, crew, now)
    answer_by = answer_until(now)
    rule = version.sales_ready
    spoken = "" if rules.is_blank(rule) else rules.sentence(rule)
    rests_on = evidence(definition, rule, ids, now)
    asked: list[Asked] = []
    for lead, move in ready:
        choice = chosen[lead.contact_id]
        lead.owner_id = choice.user.pk if choice.user else None
        why = reasons(lead, move, spoken, rests_on.get(lead.contact_id, []))
        row = asking(lead, move.pk, choice, answer_by, now)
        asked.append(Asked(lead, people[lead.contact_id], row, choice.user, why, move.actor))
    HandOver.objects.bulk_create(one.row for one in asked)
    Task.objects.bulk_create(_task(definition, one, answer_by, now) for one in asked)
    telling.tell(definition, asked, crew, now)
    if definition.rest_days:
        until = now + timedelta(days=definition.rest_days)
        spared = dict(
            Purpose.objects.filter(pk__in=definition.rest_spares).order_by("name").values_list("pk", "name")
        )
        but_for = f", but for {', '.join(spared.values())}" if spared else ""
        why = f"Handed over to sales ({definition}){but_for}"
        pausing.pause_all(ids, until, now, by=BY, why=why, spares=spared)


def answer_until(now: datetime) -> datetime:
    """By when whoever is asked now should have accepted or refused."""
    hours = DeskHours.now_set()
    return hours.after(now, timedelta(hours=hours.desk.answer_hours))


def asking(lead: Lead, move_id: UUID, choice: owners.Choice, answer_by: datetime, now: datetime) -> HandOver:
    """The row of one colleague being asked, or of nobody who could be: then somebody is looked for again."""
    return HandOver(
        contact_id=lead.contact_id,
        definition_id=lead.definition_id,
        move_id=move_id,
        owner=choice.user,
        chosen=choice.how[:200],
        answer_by=answer_by,
        occurred_at=now,
        recorded_at=now,
    )


def reasons(lead: Lead, move: StageMove, spoken: str, rests_on: Sequence[str]) -> str:
    """Why this lead is ready, in plain lines: who moved them, the score and what it comes from, the rule, the
    evidence.
    """
    lines = [] if not move.actor else [f"Moved by {move.actor}{': ' if move.reason else ''}{move.reason}"]
    lines.append(f"Score: {lead.score}")
    for reason in lead.reasons[:_MOST_REASONS]:
        lines.append(f"  {reason['points']:+d} {reason['label']}")
    if spoken:
        lines += ["", f"The rule: {spoken}", *(f"  {line}" for line in rests_on)]
    return "\n".join(lines)


def evidence(
    definition: LeadDefinition, rule: Any, ids: Sequence[UUID], now: datetime
) -> dict[UUID, list[str]]:
    """What each true condition of the rule rests on, in words, for many leads in one query."""
    if rules.problems(rule):
        return {}
    scope = Scope(current=True, among=ids, entered_at=F(BECAME))
    leaves = []
    asked: dict[str, Any] = {}
    for place, leaf in enumerate(rules.parse(rule).leaves()):
        condition, params = read(leaf)
        shown = condition.evidence(params, now, scope)
        if shown is not None:
            asked[f"is_{place}"], asked[f"ev_{place}"] = verdict(leaf_q(leaf, now, scope)), shown
            leaves.append((condition, params))
    if not leaves:
        return {}
    found = {}
    for pk, *values in leads_among(definition, now, ids).annotate(**asked).values_list("pk", *asked):
        pairs = zip(leaves, values[::2], values[1::2], strict=True)
        told = [condition.tell(params, value) for (condition, params), true, value in pairs if true]
        found[pk] = [line for line in told if line]
    return found


def _task(definition: LeadDefinition, one: Asked, answer_by: datetime, now: datetime) -> Task:
    return Task(
        id=one.row.move_id,
        contact_id=one.lead.contact_id,
        owner=one.user,
        kind=Task.Kind.HAND_OVER,
        title=f"{one.contact} is sales-ready ({definition})"[:200],
        body=one.why,
        due_at=answer_by,
        created_at=now,
    )
