"""One batch of people asked: who becomes a lead, with which score, at which stage, who ceases to be one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F

from crm.audience.leads import answers, handover, scoring, stages
from crm.audience.leads.people import BECAME, PATIENCE, known, leads_among
from crm.kernel import rules
from crm.kernel.patience import at_most
from crm.kernel.rules import AnyOf, Scope
from crm.kernel.rules.compiling import verdict
from crm.models import (
    Lead,
    LeadDefinition,
    LeadVersion,
    ScoreChange,
    ScoreLine,
    Stage,
    StageMove,
)
from crm.models.writing import update_rows
from crm.people.stirring import stir


@dataclass(frozen=True)
class Course:
    """A definition as it counts now: the wording, its score lines, the stages in the order of the board."""

    definition: LeadDefinition
    version: LeadVersion
    lines: list[ScoreLine]
    stages: list[Stage]

    @property
    def first(self) -> Stage:
        """Where a new lead begins unless the rules say more."""
        return next(stage for stage in self.stages if stage.meaning == Stage.Meaning.LEAD)

    def ruled(self) -> list[tuple[Stage, Any, bool]]:
        """The stages a rule leads to, the furthest first: with the rule, and whether it is of leads alone."""
        found = [(stage, *stages.rule_of(stage, self.version)) for stage in reversed(self.stages)]
        return [one for one in found if not rules.is_blank(one[1])]

    def rules_of_leads(self) -> list[Any]:
        """The rules that only leads are asked: of their score and their stage."""
        return [line.rule for line in self.lines] + [rule for _stage, rule, _leads in self.ruled()]


@dataclass
class _Batch:
    """What one look at a batch found, and what is to be written about it."""

    course: Course
    now: datetime
    leads: dict[UUID, Lead]
    people: dict[UUID, tuple[Any, bool]]  # contact id: its owner, whether *is a lead* is true
    new: list[Lead] = field(default_factory=list)
    scored: list[Lead] = field(default_factory=list)
    changed: dict[UUID, Lead] = field(default_factory=dict)
    moves: list[StageMove] = field(default_factory=list)
    ready: list[tuple[Lead, StageMove]] = field(default_factory=list)
    answered: list[UUID] = field(default_factory=list)


def work_on(course: Course, ids: Sequence[UUID], now: datetime) -> int:
    """Bring these people up to date, in one transaction. Returns how many of them something changed for."""
    with transaction.atomic(), at_most(PATIENCE):
        # Two refreshes of one definition take turns, batch by batch; a hand waits for its own lead alone.
        LeadDefinition.objects.select_for_update(no_key=True).get(pk=course.definition.pk)
        leads = _leads_of(course, ids)
        ahead = _ahead(course, leads, now)
        rest = [contact_id for contact_id in ids if contact_id not in ahead]
        leads = {contact_id: lead for contact_id, lead in leads.items() if contact_id not in ahead}
        batch = _Batch(course, now, leads, _asked_of(course, rest, now))
        _enter(batch)
        _score(batch)
        _stage(batch)
        return _write(batch)


def _leads_of(course: Course, ids: Sequence[UUID]) -> dict[UUID, Lead]:
    rows = Lead.objects.filter(AnyOf(F("contact_id"), ids), definition=course.definition)
    locked = rows.order_by("contact_id").select_for_update(of=("self",), no_key=True)
    found = {lead.contact_id: lead for lead in locked}
    by_id = {stage.pk: stage for stage in course.stages}
    for lead in found.values():
        if lead.stage_id in by_id:
            lead.stage = by_id[lead.stage_id]
    return found


def _ahead(course: Course, leads: dict[UUID, Lead], now: datetime) -> set[UUID]:
    """Those whom a hand, or another refresh, has written about as of a later instant than ours: the history
    of a lead only goes forward. What wrote stirs, so they are asked again the next time.
    """
    scored = ScoreChange.objects.filter(
        AnyOf(F("contact_id"), list(leads)), definition=course.definition, occurred_at__gt=now
    )
    moved = {contact_id for contact_id, lead in leads.items() if lead.stage_since > now}
    return moved | set(scored.values_list("contact_id", flat=True))


def _asked_of(course: Course, ids: Sequence[UUID], now: datetime) -> dict[UUID, tuple[Any, bool]]:
    is_lead = verdict(rules.compile(course.version.is_lead, now, Scope(current=True, among=ids)))
    rows = known(now, ids).annotate(is_lead=is_lead).values_list("pk", "owner_id", "is_lead")
    return {pk: (owner_id, true) for pk, owner_id, true in rows}


def _enter(batch: _Batch) -> None:
    """New leads, and those who were one before. Stored at once: their stages are asked for below."""
    course, now = batch.course, batch.now
    if not course.definition.is_active:
        return
    again = []
    for contact_id, (owner_id, is_lead) in batch.people.items():
        lead = batch.leads.get(contact_id)
        if not is_lead or (lead is not None and lead.ended_at is None):
            continue
        if lead is None:
            lead = Lead(contact_id=contact_id, definition=course.definition, owner_id=owner_id)
            batch.new.append(lead)
        else:
            again.append(lead)
        lead.version, lead.became_at, lead.stage_since, lead.ended_at = course.version, now, now, None
        lead.stage = lead.rule_stage = None
        batch.leads[contact_id] = batch.changed[contact_id] = lead
    Lead.objects.bulk_create(batch.new)
    update_rows(again, "became_at", "ended_at")


def _open(batch: _Batch) -> Iterator[Lead]:
    return (lead for lead in batch.leads.values() if lead.ended_at is None)


def _score(batch: _Batch) -> None:
    """The score of each lead now, stored with its row of history before anything asks for it."""
    found = scoring.scores(
        batch.course.lines, batch.now, [lead.contact_id for lead in _open(batch)], current=True
    )
    entered = set(batch.changed)
    faded = []
    for lead in _open(batch):
        score = found.get(lead.contact_id, scoring.Score())
        if lead.score != score.points or lead.contact_id in entered:
            batch.scored.append(lead)
        elif lead.reasons != score.reasons:
            faded.append(lead)
        lead.score, lead.reasons = score.points, score.reasons
    update_rows(batch.scored + faded, "score", "reasons")
    ScoreChange.objects.bulk_create(stages.score_rows(batch.scored, batch.now))


def _stage(batch: _Batch) -> None:
    """What the rules say of each lead, and what follows where they say something new."""
    said = _said(batch)
    for lead in list(_open(batch)):
        _owner, is_lead = batch.people.get(lead.contact_id, (None, False))
        stage = said.get(lead.contact_id)
        if lead.stage is None and is_lead:
            stage = stage or batch.course.first
        if stage is None:
            ends = lead.stage is None or (lead.stage.meaning in stages.OF_RULES and not stages.is_held(lead))
            if ends and not is_lead:
                _move(batch, lead, None)
        elif stage.pk != lead.rule_stage_id:
            lead.rule_stage = stage
            batch.changed[lead.contact_id] = lead
            if stages.may_follow(lead, stage):
                _move(batch, lead, stage)
        if lead.version_id != batch.course.version.pk:
            lead.version = batch.course.version
            batch.changed[lead.contact_id] = lead


def _said(batch: _Batch) -> dict[UUID, Stage]:
    """The furthest stage whose rule is true, by contact; who is not in it has none."""
    ids = [lead.contact_id for lead in _open(batch)]
    ruled = batch.course.ruled()
    if not ids or not ruled:
        return {}
    scope = Scope(current=True, among=ids, entered_at=F(BECAME))
    asked = {
        f"stage_{place}": verdict(rules.compile(rule, batch.now, scope))
        for place, (_stage, rule, _of_leads) in enumerate(ruled)
    }
    leads = leads_among(batch.course.definition, batch.now, ids)
    found = {}
    for pk, *verdicts in leads.annotate(**asked).values_list("pk", *asked):
        _owner, is_lead = batch.people.get(pk, (None, False))
        for (stage, _rule, of_leads), true in zip(ruled, verdicts, strict=True):
            if true and (is_lead or not of_leads):
                found[pk] = stage
                break
    return found


def _move(batch: _Batch, lead: Lead, to: Stage | None) -> None:
    was_ready = lead.stage is not None and lead.stage.meaning == Stage.Meaning.SALES_READY
    move = stages.moved(lead, to, batch.now, reason="" if to else "The rule is not true of them any more")
    batch.moves.append(move)
    batch.changed[lead.contact_id] = lead
    if to is not None and to.meaning == Stage.Meaning.SALES_READY:
        batch.ready.append((lead, move))
    elif was_ready:
        batch.answered.append(lead.contact_id)


def _write(batch: _Batch) -> int:
    StageMove.objects.bulk_create(batch.moves)
    answers.close(batch.answered, batch.course.definition.pk, batch.now, "the rules")
    handover.hand_over(batch.course.definition, batch.course.version, batch.ready, batch.now)
    update_rows(
        list(batch.changed.values()),
        "version",
        "stage",
        "rule_stage",
        "stage_since",
        "owner",
        "ended_at",
    )
    touched = set(batch.changed) | {lead.contact_id for lead in batch.scored}
    stir(touched)
    return len(touched)
