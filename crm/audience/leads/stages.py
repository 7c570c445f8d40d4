"""Stages: what the rules say, what hands do, and the row each move leaves.

The stage by rule is the furthest one on the board whose rule is true. It acts only when the rules say
something else than they said last (`Lead.rule_stage`), so a hand's move stands until then. Where no rule is
true they say nothing new. Out of a stage in which sales has them (accepted, bought) rules only lead forward:
a score that fades takes nobody out of a salesperson's hands.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max

from crm.audience.leads import answers, definitions, handover, passing
from crm.audience.leads.definitions import Refused
from crm.audience.leads.pages import page_of_contact
from crm.kernel import masking
from crm.models import ContactChange, HandOver, Lead, LeadVersion, Notice, ScoreChange, Stage, StageMove
from crm.models.writing import update_rows
from crm.people.stirring import stir

Meaning = Stage.Meaning

_BY_VERSION = {
    Meaning.LEAD: "is_lead",
    Meaning.NURTURE: "enter_nurturing",
    Meaning.SALES_READY: "sales_ready",
}
FORWARD_ONLY = (Meaning.ACCEPTED, Meaning.WON)
OF_RULES = (Meaning.LEAD, Meaning.NURTURE)


def rule_of(stage: Stage, version: LeadVersion) -> tuple[Any, bool]:
    """The rule that brings leads to a stage, and whether it holds only while they are leads by the rule.

    *Is a lead*, *is nurtured*, *ready for sales* follow the wording of the version; other stages their own.
    """
    name = _BY_VERSION.get(Meaning(stage.meaning))
    return (getattr(version, name), True) if name else (stage.rule, False)


def may_follow(lead: Lead, said: Stage) -> bool:
    """Whether what the rules newly say moves this lead."""
    if said.pk == lead.stage_id:
        return False
    here = lead.stage
    return here is None or here.meaning not in FORWARD_ONLY or said.position > here.position


def is_held(lead: Lead) -> bool:
    """Whether a hand put the lead where it is, so that ceasing to match the rule does not end it."""
    return lead.stage_id != lead.rule_stage_id


def moved(lead: Lead, to: Stage | None, now: datetime, *, by: str = "", reason: str = "") -> StageMove:
    """Set the lead's stage, or end it, and return the row of it; both to be stored. `by` blank: a rule."""
    # The history of a lead only goes forward, whoever's clock was read first.
    now = max(now, lead.stage_since)
    move = StageMove(
        contact_id=lead.contact_id,
        definition_id=lead.definition_id,
        from_stage=lead.stage,
        to_stage=to,
        by_rule=not by,
        actor=by[:120],
        score=lead.score,
        reason=reason[:500],
        occurred_at=now,
        recorded_at=now,
    )
    lead.stage_since = now
    if to is None:
        lead.ended_at = now
    else:
        lead.stage, lead.ended_at = to, None
    return move


@transaction.atomic
def move(
    lead: Lead, stage: Stage, now: datetime, by: str, reason: str = "", *, why: str = ""
) -> StageMove | None:
    """Move a lead by hand, in either direction; it stays there until the rules say something new.

    A move to *ready for sales* hands over as the rules do; leaving it answers the hand-over, so its task is
    done, and a lead that was refused is nobody's; `why` is the reason of it, of `HandOver.Reason`. None: it
    was there already.
    """
    lead = _locked(lead)
    if stage.definition_id != lead.definition_id:
        raise Refused([f"“{stage}” is a stage of another definition."])
    if lead.ended_at is not None:
        raise Refused(["This person is no lead any more."])
    if stage.pk == lead.stage_id:
        return None
    row = moved(lead, stage, now, by=by or "somebody", reason=answers.because(why, reason))
    row.save(force_insert=True)
    if stage.meaning == Meaning.SALES_READY:
        handover.hand_over(lead.definition, lead.version, [(lead, row)], now)
    else:
        said, words = answers.by_hand(stage), reason
        if said == HandOver.Answer.ACCEPTED:
            why = words = ""
        answered = answers.close(
            [lead.contact_id], lead.definition_id, now, by or "somebody", said, reason=why, words=words
        )
        if answered and said == HandOver.Answer.REFUSED:
            lead.owner = None  # Whoever is asked the next time need not be who did not want it.
    lead.save(update_fields=["stage", "stage_since", "ended_at", "owner"])
    stir([lead.contact_id])
    return row


class Stays(StrEnum):
    """Why an automatic move was not made."""

    NO_LEAD = "no_lead"
    THERE = "there"
    HAND = "hand"
    AHEAD = "ahead"


@transaction.atomic
def move_all(stage: Stage, since: Mapping[UUID, datetime], now: datetime, by: str) -> dict[UUID, Stays]:
    """Move the leads of these people by something automatic, such as a campaign, in a fixed number of
    queries. Returns who stays where they are, and why.

    It counts as a rule that says something new. Besides, a colleague who moved somebody after the instant of
    `since` knew more than what began then: their move stands.
    """
    by_id = {one.pk: one for one in Stage.objects.filter(definition=stage.definition_id)}
    leads = Lead.objects.filter(contact__in=since, definition=stage.definition_id, ended_at=None)
    locked = list(leads.order_by("contact_id").select_for_update(no_key=True, of=("self",)))
    by_hand = dict(
        StageMove.objects.filter(contact__in=since, definition=stage.definition_id, by_rule=False)
        .order_by()
        .values("contact_id")
        .annotate(last=Max("occurred_at"))
        .values_list("contact_id", "last")
    )
    stays = dict.fromkeys(since, Stays.NO_LEAD)
    moves: list[tuple[Lead, StageMove]] = []
    answered = []
    for lead in locked:
        here = lead.stage = by_id.get(lead.stage_id) if lead.stage_id else None
        if here == stage:
            stays[lead.contact_id] = Stays.THERE
        elif by_hand.get(lead.contact_id, since[lead.contact_id]) > since[lead.contact_id]:
            stays[lead.contact_id] = Stays.HAND
        elif not may_follow(lead, stage):
            stays[lead.contact_id] = Stays.AHEAD
        else:
            del stays[lead.contact_id]
            row = moved(lead, stage, now, by=by)
            row.by_rule = True
            moves.append((lead, row))
            if here is not None and here.meaning == Meaning.SALES_READY:
                answered.append(lead.contact_id)
    StageMove.objects.bulk_create(row for _lead, row in moves)
    answers.close(answered, stage.definition_id, now, by)
    version = definitions.published(stage.definition) if moves else None
    if version is not None and stage.meaning == Meaning.SALES_READY:
        handover.hand_over(stage.definition, version, moves, now)
    update_rows([lead for lead, _row in moves], "stage", "stage_since", "ended_at", "owner")
    stir(lead.contact_id for lead, _row in moves)
    return stays


def accept(lead: Lead, now: datetime, by: str) -> StageMove | None:
    """Sales takes the lead."""
    return move(lead, stage_of(lead.definition_id, Meaning.ACCEPTED), now, by, "Accepted")


def refuse(
    lead: Lead, now: datetime, by: str, words: str = "", *, why: str = HandOver.Reason.OTHER
) -> StageMove | None:
    """Sales does not take the lead, because of something: back to nurturing until the rules say something
    new.
    """
    words = words or ("Refused" if why == HandOver.Reason.OTHER else "")
    return move(lead, stage_of(lead.definition_id, Meaning.NURTURE), now, by, words, why=why)


@transaction.atomic
def assign(lead: Lead, owner: Any, now: datetime, by: str) -> None:
    """Give the lead, and what is open to do about it, to a colleague (or to nobody), who is told."""
    lead = _locked(lead)
    before = lead.owner
    if before == owner:
        return
    lead.owner = owner
    lead.save(update_fields=["owner"])
    passing.give(lead, owner, now, by)
    answers.open_tasks([lead.contact_id], lead.definition_id).update(owner=owner)
    ContactChange.objects.create(
        contact_id=lead.contact_id,
        field="lead_owner",
        old=str(before) if before else None,
        new=str(owner) if owner else None,
        actor=by[:120],
        occurred_at=now,
        recorded_at=now,
    )
    stir([lead.contact_id])
    if owner is not None and owner.get_username() != by:
        with masking.whole():  # The owner reads it, not whoever gave it.
            who = str(lead.contact)
        Notice.objects.create(
            key=f"lead-owner:{lead.pk}:{owner.pk}:{now.isoformat()}",
            user=owner,
            contact_id=lead.contact_id,
            subject=f"{who} is your lead now"[:200],
            body=f"{by or 'Somebody'} gave you this lead of “{lead.definition}”, {lead.score} points.",
            path=page_of_contact(lead.contact_id),
            created_at=now,
        )


@transaction.atomic
def expect(lead: Lead, value: Decimal | None, now: datetime, by: str) -> None:
    """Say what the lead may be worth, in the shop's currency; None: nobody can say."""
    lead = _locked(lead)
    before = lead.expected_value
    if before == value:
        return
    lead.expected_value = value
    lead.save(update_fields=["expected_value"])
    ContactChange.objects.create(
        contact_id=lead.contact_id,
        field="lead_value",
        old=None if before is None else str(before),
        new=None if value is None else str(value),
        actor=by[:120],
        occurred_at=now,
        recorded_at=now,
    )


def _locked(lead: Lead) -> Lead:
    # Without joins: after waiting for the lock, joined rows would be those of before the wait.
    return Lead.objects.select_for_update(no_key=True).get(pk=lead.pk)


def stage_of(definition_id: UUID, meaning: str) -> Stage:
    """The first stage of a meaning."""
    stage = Stage.objects.filter(definition=definition_id, meaning=meaning).order_by("position", "pk").first()
    if stage is None:
        raise Refused([f"There is no stage that means “{Meaning(meaning).label}”."])
    return stage


def score_rows(leads: Iterable[Lead], now: datetime) -> list[ScoreChange]:
    return [
        ScoreChange(
            contact_id=lead.contact_id,
            definition_id=lead.definition_id,
            score=lead.score,
            occurred_at=now,
            recorded_at=now,
        )
        for lead in leads
    ]


def history(lead: Lead) -> list[StageMove]:
    """Every move of this lead, the newest first."""
    rows = StageMove.objects.filter(contact=lead.contact_id, definition=lead.definition_id)
    return list(rows.select_related("from_stage", "to_stage").order_by("-occurred_at", "-pk"))
