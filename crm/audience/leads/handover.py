"""Sales-ready, by rule or by hand: whoever owns the lead gets a task and one notice, with the reasons.

The owner is the lead's, else the contact's, else the definition's. Where there is none who still works here
the task stands without an owner, and every active superuser is told, since somebody has to decide. Whoever
gets many leads in one go (a first wording, an import) gets one notice about all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db.models import F

from crm.audience.leads.pages import page_of_board, page_of_task
from crm.audience.leads.people import BECAME, leads_among
from crm.kernel import rules
from crm.kernel.rules import AnyOf, Scope
from crm.kernel.rules.compiling import leaf_q, read, verdict
from crm.models import Contact, Lead, LeadDefinition, LeadVersion, Notice, StageMove, Task

DUE = timedelta(hours=2)
MOST_SINGLE = 10
_MOST_REASONS = 3
_MOST_NAMED = 20

type Ready = Sequence[tuple[Lead, StageMove]]


def hand_over(definition: LeadDefinition, version: LeadVersion, ready: Ready, now: datetime) -> None:
    """Write the task of each move and whom to tell, once a move. Sets the leads' owners, to be stored."""
    if not ready:
        return
    ids = [lead.contact_id for lead, _move in ready]
    people = Contact.objects.filter(AnyOf(F("pk"), ids)).in_bulk()
    colleagues = _colleagues(definition, ready, people.values())
    rule = version.sales_ready
    spoken = "" if rules.is_blank(rule) else rules.sentence(rule)
    rests_on = evidence(definition, rule, ids, now)
    tasks: list[Task] = []
    told: dict[Any, list[Any]] = {}
    for lead, move in ready:
        contact = people[lead.contact_id]
        owner = _owner(definition, lead, contact, colleagues)
        lead.owner_id = owner.pk if owner else None
        why = reasons(lead, move, spoken, rests_on.get(lead.contact_id, []))
        tasks.append(
            Task(
                id=move.pk,
                contact_id=lead.contact_id,
                owner=owner,
                kind=Task.Kind.HAND_OVER,
                title=f"{contact} is sales-ready ({definition})"[:200],
                body=why,
                due_at=now + DUE,
                created_at=now,
            )
        )
        heirs = [owner] if owner else [user for user in colleagues.values() if user.is_superuser]
        for user in heirs:
            if user.get_username() != move.actor:
                told.setdefault(user, []).append((lead, move, contact, why))
    Task.objects.bulk_create(tasks)
    notices = [notice for user, rows in told.items() for notice in _notices(definition, user, rows, now)]
    Notice.objects.bulk_create(notices, ignore_conflicts=True)


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


def _colleagues(definition: LeadDefinition, ready: Ready, people: Any) -> dict[Any, Any]:
    """Everybody who may have to be told and works here, by key."""
    wanted = {lead.owner_id for lead, _move in ready} | {contact.owner_id for contact in people}
    wanted.add(definition.owner_by_default_id)
    users = get_user_model().objects.filter(is_active=True)
    named = users.filter(pk__in=[pk for pk in wanted if pk is not None])
    return {user.pk: user for user in named | users.filter(is_superuser=True)}


def _owner(definition: LeadDefinition, lead: Lead, contact: Contact, colleagues: dict[Any, Any]) -> Any:
    for pk in (lead.owner_id, contact.owner_id, definition.owner_by_default_id):
        if pk in colleagues:
            return colleagues[pk]
    return None


def _notices(definition: LeadDefinition, user: Any, rows: list[Any], now: datetime) -> list[Notice]:
    if len(rows) > MOST_SINGLE:
        return [_summary(definition, user, rows, now)]
    return [
        Notice(
            key=f"lead:{move.pk}:{user.pk}",
            user=user,
            contact_id=lead.contact_id,
            subject=f"{contact} is sales-ready"[:200],
            body=f"{contact} is ready for sales, by “{definition}”.\n\n{why}\n\n{_asks(lead)}",
            path=page_of_task(move.pk),
            created_at=now,
        )
        for lead, move, contact, why in rows
    ]


def _summary(definition: LeadDefinition, user: Any, rows: list[Any], now: datetime) -> Notice:
    rows = sorted(rows, key=lambda row: -row[0].score)
    listed = [f"  {contact}: {lead.score} points" for lead, _move, contact, _why in rows[:_MOST_NAMED]]
    rest = len(rows) - len(listed)
    if rest:
        listed.append(f"  and {rest:,} more")
    first = min(move.pk for _lead, move, _contact, _why in rows)
    return Notice(
        key=f"leads:{first}:{user.pk}",
        user=user,
        subject=f"{len(rows):,} people are sales-ready ({definition})"[:200],
        body="\n".join(
            [f"They became ready for sales by “{definition}”, each with a task of its own.", *listed]
        ),
        path=page_of_board(),
        created_at=now,
    )


def _asks(lead: Lead) -> str:
    if lead.owner_id is None:
        return "Nobody owns this lead: please give it to somebody."
    return "Please accept or refuse the lead within two hours."
