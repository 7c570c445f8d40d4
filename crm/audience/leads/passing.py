"""A lead nobody accepted or refused in time goes to the next colleague; one given away by hand goes with it.

Everything is rows: whoever was asked by a hand-over is not asked again by it, and who dies between two
batches has left nothing half done.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef

from crm.audience.leads import answers, handover, owners, telling
from crm.audience.leads.crew import Crew
from crm.audience.leads.pages import page_of_task
from crm.audience.leads.telling import Asked
from crm.kernel.work import Budget, batches
from crm.models import Contact, HandOver, Lead, LeadDefinition, Notice, Task
from crm.models.writing import update_rows
from crm.people.stirring import stir

_BATCH = 200
WAITING, PASSED = HandOver.Answer.WAITING, HandOver.Answer.PASSED


def pass_on(now: datetime, budget: Budget) -> int:
    """Ask the next colleague wherever the time to answer is over. Returns how many were."""
    return sum(map(len, batches(lambda: _batch(now), budget)))


@transaction.atomic
def _batch(now: datetime) -> list[HandOver]:
    late = HandOver.objects.filter(answer=WAITING, answer_by__lte=now)
    theirs = late.filter(contact=OuterRef("contact"), definition=OuterRef("definition"))
    # As hands do: the lead first, then what belongs to it. Whom a hand holds at this moment waits.
    locked = Lead.objects.filter(Exists(theirs)).order_by("contact_id")
    leads = list(locked.select_for_update(skip_locked=True, no_key=True, of=("self",))[:_BATCH])
    by_definition: dict[UUID, list[Lead]] = defaultdict(list)
    for lead in leads:
        by_definition[lead.definition_id].append(lead)
    definitions = LeadDefinition.objects.in_bulk(by_definition)
    crew = Crew(now)
    done: list[HandOver] = []
    for pk, few in sorted(by_definition.items()):
        done += _of_definition(definitions[pk], few, crew, now)
    return done


def _of_definition(
    definition: LeadDefinition, leads: Sequence[Lead], crew: Crew, now: datetime
) -> list[HandOver]:
    by_contact = {lead.contact_id: lead for lead in leads}
    late = list(answers.waiting(list(by_contact), definition.pk).filter(answer_by__lte=now))
    asked_before: dict[UUID, set[int]] = defaultdict(set)
    asked = HandOver.objects.filter(contact__in=by_contact, move__in=[row.move_id for row in late])
    for move_id, user_id in asked.exclude(owner=None).values_list("move_id", "owner_id"):
        asked_before[move_id].add(user_id)
    wanted = [owners.Wanted(row.contact_id, asked=frozenset(asked_before[row.move_id])) for row in late]
    chosen = owners.choose(definition, wanted, crew, now)
    stay = [row for row in late if chosen[row.contact_id].user is None]
    go = [row for row in late if chosen[row.contact_id].user is not None]
    people = Contact.objects.in_bulk(by_contact)
    _stays(definition, stay, people, crew, now)
    _goes(definition, go, by_contact, people, chosen, crew, now)
    return late


def _goes(
    definition: LeadDefinition,
    rows: Sequence[HandOver],
    leads: dict[UUID, Lead],
    people: dict[UUID, Contact],
    chosen: dict[UUID, owners.Choice],
    crew: Crew,
    now: datetime,
) -> None:
    if not rows:
        return
    tasks = Task.objects.filter(
        contact__in=leads, pk__in=[row.move_id for row in rows], done_at=None
    ).in_bulk()
    answer_by = handover.answer_until(now)
    asked = []
    for row in rows:
        row.answer, row.answered_at, row.answered_by = PASSED, now, ""
        lead, choice = leads[row.contact_id], chosen[row.contact_id]
        lead.owner_id = choice.user.pk
        new = handover.asking(lead, row.move_id, choice, answer_by, now)
        task = tasks.get(row.move_id)
        why = "Nobody was at work when it was handed over."
        if row.owner_id:
            why = f"{_name(row, crew, 'A colleague')} did not answer in time."
        if task is not None:
            task.owner_id, task.due_at = choice.user.pk, answer_by
            why += f"\n\n{task.body}"
        asked.append(Asked(lead, people[row.contact_id], new, choice.user, why))
    # The old ones first: one hand-over waits at a time.
    update_rows(rows, "answer", "answered_at", "answered_by")
    HandOver.objects.bulk_create(one.row for one in asked)
    update_rows([one.lead for one in asked], "owner")
    update_rows(list(tasks.values()), "owner", "due_at")
    telling.tell(definition, asked, crew, now)
    stir(row.contact_id for row in rows)


def _stays(
    definition: LeadDefinition,
    rows: Sequence[HandOver],
    people: dict[UUID, Contact],
    crew: Crew,
    now: datetime,
) -> None:
    """There is nobody else: the lead stays where it is until somebody is looked for again. Superusers are
    told, once; of a lead that is nobody's they were.
    """
    if not rows:
        return
    notices = []
    again = handover.answer_until(now)
    for row in rows:
        row.answer_by = again
        if row.owner_id is None:
            continue
        contact = people[row.contact_id]
        who = _name(row, crew, "Nobody")
        notices += [
            Notice(
                key=f"lead-late:{row.move_id}:{user.pk}",
                user=user,
                contact_id=row.contact_id,
                subject=f"Nobody has answered about {contact}"[:200],
                body=f"{contact} is sales-ready by “{definition}”. {who} did not accept or refuse in time,"
                " and there is nobody else to ask.",
                path=page_of_task(row.move_id),
                created_at=now,
            )
            for user in crew.superusers
            if user.pk != row.owner_id
        ]
    update_rows(rows, "answer_by")
    Notice.objects.bulk_create(notices, ignore_conflicts=True)


def _name(row: HandOver, crew: Crew, otherwise: str) -> str:
    user = crew.users.get(row.owner_id) if row.owner_id else None
    return str(user or otherwise)


def give(lead: Lead, owner: Any, now: datetime, by: str) -> None:
    """A hand gave the lead to somebody while the answer was waited for: they are asked from now on."""
    waits = answers.waiting([lead.contact_id], lead.definition_id).select_for_update(no_key=True).first()
    if waits is None:
        return
    waits.answer, waits.answered_at, waits.answered_by = PASSED, now, by[:120]
    waits.save(update_fields=["answer", "answered_at", "answered_by"])
    answer_by = handover.answer_until(now)
    choice = owners.Choice(owner, f"given by {by or 'somebody'}" if owner else "")
    handover.asking(lead, waits.move_id, choice, answer_by, now).save(force_insert=True)
    answers.open_tasks([lead.contact_id], lead.definition_id).update(owner=owner, due_at=answer_by)
