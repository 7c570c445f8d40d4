"""People who are leads because somebody says so, many at a time: by a file, not by a rule.

A lead that came so is held at its stage as by a hand, until the rules say something new of it. It is marked
as loaded from history: it begins no flow, and nobody is told of it or handed it over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db import transaction

from crm.audience.leads import answers, definitions, stages
from crm.audience.leads.definitions import Refused
from crm.models import ContactChange, Lead, LeadDefinition, LeadVersion, ScoreChange, Stage, StageMove
from crm.models.writing import update_rows
from crm.people.stirring import stir

REASON = "Brought in by a file"


@dataclass(frozen=True)
class Told:
    """What is told of one lead; None says nothing. `since`: when they became one; `value`: what is
    expected of it.
    """

    stage: Stage | None = None
    owner_id: Any = None
    since: datetime | None = None
    value: Decimal | None = None


@dataclass(frozen=True)
class Was:
    """What a lead was before and became: stages and owners by their keys, and what was expected of it, None
    where there was none. Without `stage` of before there was no lead.
    """

    old_stage: Any
    new_stage: Any
    old_owner: Any
    new_owner: Any
    old_value: Decimal | None = None
    new_value: Decimal | None = None


def version_of(definition: LeadDefinition) -> LeadVersion:
    """The wording that counts. Raises Refused where there is none yet."""
    version = definitions.published(definition)
    if version is None:
        raise Refused([f"No wording of “{definition}” is published: nobody can be a lead of it yet."])
    return version


@transaction.atomic
def bring(
    definition: LeadDefinition, told: Mapping[UUID, Told], now: datetime, by: str, *, overwrites: bool
) -> dict[UUID, Was]:
    """Make these people leads, at the first stage where nothing is told of one. Who is a lead already keeps
    stage, owner and expected value, unless they have none or `overwrites`. Returns what became of whom
    something changed for.
    """
    LeadDefinition.objects.select_for_update(no_key=True).get(pk=definition.pk)
    version, first = version_of(definition), stages.stage_of(definition.pk, Stage.Meaning.LEAD)
    by_id = {stage.pk: stage for stage in definition.stages.all()}
    there = {
        lead.contact_id: lead
        for lead in Lead.objects.filter(contact__in=told, definition=definition)
        .order_by("contact_id")
        .select_for_update(no_key=True, of=("self",))
    }
    names = _names()
    done: dict[UUID, Was] = {}
    new: list[Lead] = []
    changed: list[Lead] = []
    moves: list[StageMove] = []
    given: list[ContactChange] = []
    answered: list[UUID] = []
    for contact_id, word in sorted(told.items()):
        lead = there.get(contact_id)
        if lead is None or lead.ended_at is not None:
            since = min(word.since or now, now)
            lead = lead or Lead(contact_id=contact_id, definition=definition)
            (changed if contact_id in there else new).append(lead)
            lead.version, lead.became_at, lead.ended_at = version, since, None
            lead.stage_since = max(since, lead.stage_since) if contact_id in there else since
            lead.stage = lead.rule_stage = None
            lead.owner_id = word.owner_id or lead.owner_id
            lead.expected_value = word.value if word.value is not None else lead.expected_value
            move = stages.moved(lead, word.stage or first, lead.stage_since, by=by, reason=REASON)
            moves.append(move)
            done[contact_id] = Was(None, lead.stage_id, None, lead.owner_id)
            continue
        here = lead.stage = by_id.get(lead.stage_id) if lead.stage_id else None
        old_owner, old_value = lead.owner_id, lead.expected_value
        to = word.stage if word.stage and word.stage != here and (overwrites or here is None) else None
        if to is not None:
            moves.append(stages.moved(lead, to, now, by=by, reason=REASON))
            if here is not None and here.meaning == Stage.Meaning.SALES_READY:
                answered.append(contact_id)
        if word.owner_id and word.owner_id != old_owner and (overwrites or old_owner is None):
            lead.owner_id = word.owner_id
            given.append(_given(lead, old_owner, names, now, by))
        if word.value is not None and (overwrites or old_value is None):
            lead.expected_value = word.value
        if to is not None or (lead.owner_id, lead.expected_value) != (old_owner, old_value):
            changed.append(lead)
            done[contact_id] = Was(
                *(here.pk if here else None, lead.stage_id, old_owner, lead.owner_id),
                *(old_value, lead.expected_value),
            )
    _write(new, changed, moves, now)
    ContactChange.objects.bulk_create(given)
    answers.close(answered, definition.pk, now, by)
    stir(done)
    return done


@transaction.atomic
def take_back(definition: LeadDefinition, was: Mapping[UUID, Was], now: datetime, by: str) -> None:
    """Make leads what they were, where nobody and no rule moved them since; others live on."""
    LeadDefinition.objects.select_for_update(no_key=True).get(pk=definition.pk)
    by_id = {stage.pk: stage for stage in definition.stages.all()}
    leads = list(
        Lead.objects.filter(contact__in=was, definition=definition, ended_at=None)
        .order_by("contact_id")
        .select_for_update(no_key=True, of=("self",))
    )
    rows = StageMove.objects.filter(contact__in=was, definition=definition)
    others = rows.exclude(is_backfill=True, reason=REASON).values_list("contact_id", "occurred_at")
    earlier: dict[UUID, datetime] = dict(others.order_by("occurred_at"))
    names = _names()
    gone: list[Lead] = []
    changed: list[Lead] = []
    moves: list[StageMove] = []
    given: list[ContactChange] = []
    for lead in leads:
        before = was[lead.contact_id]
        lead.stage = by_id.get(lead.stage_id) if lead.stage_id else None
        last = earlier.get(lead.contact_id)
        if lead.stage_id != before.new_stage or (last is not None and last > lead.stage_since):
            continue
        if before.old_stage is None and last is None:
            gone.append(lead)
        else:
            changed.append(lead)
            if before.old_stage != before.new_stage:
                moves.append(stages.moved(lead, by_id.get(before.old_stage), now, by=by, reason="Undone"))
            if before.old_stage is not None and lead.owner_id == before.new_owner != before.old_owner:
                lead.owner_id = before.old_owner
                given.append(_given(lead, before.new_owner, names, now, by))
            if before.old_stage is not None and lead.expected_value == before.new_value:
                lead.expected_value = before.old_value
    people = [lead.contact_id for lead in gone]
    rows.filter(contact__in=people).delete()
    ScoreChange.objects.filter(contact__in=people, definition=definition).delete()
    Lead.objects.filter(contact__in=people, definition=definition).delete()
    _write([], changed, moves, now)
    ContactChange.objects.bulk_create(given)
    stir(was)


def _write(new: list[Lead], changed: list[Lead], moves: list[StageMove], now: datetime) -> None:
    for move in moves:
        move.is_backfill = True
    Lead.objects.bulk_create(new, batch_size=1000)
    update_rows(
        changed,
        *(
            "version",
            "stage",
            "rule_stage",
            "stage_since",
            "owner",
            "expected_value",
            "became_at",
            "ended_at",
        ),
    )
    StageMove.objects.bulk_create(moves, batch_size=1000)
    ScoreChange.objects.bulk_create(stages.score_rows(new, now), batch_size=1000)


def _names() -> dict[Any, str]:
    return dict(get_user_model().objects.values_list("pk", "username"))


def _given(lead: Lead, before: Any, names: Mapping[Any, str], now: datetime, by: str) -> ContactChange:
    return ContactChange(
        contact_id=lead.contact_id,
        field="lead_owner",
        old=names.get(before),
        new=names.get(lead.owner_id),
        actor=by[:120],
        occurred_at=now,
        recorded_at=now,
    )
