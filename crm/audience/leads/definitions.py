"""Definitions of a lead and their versions: begun, copied, published, and from then on never changed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max

from crm.kernel import rules
from crm.models import Lead, LeadDefinition, LeadVersion, ScoreLine, Stage, StageMove

Meaning = Stage.Meaning

# Whoever bought since they became a lead has bought, whatever the rules say of them besides.
BOUGHT = {"all": [{"kind": "crm.ordered_since_entering", "params": {"times": "1"}}]}

_USUAL = [
    ("Lead", Meaning.LEAD, {}, None),
    ("Nurtured", Meaning.NURTURE, {}, None),
    ("Sales-ready", Meaning.SALES_READY, {}, 1),
    ("Accepted", Meaning.ACCEPTED, {}, 14),
    ("Bought", Meaning.WON, BOUGHT, None),
    ("Given up", Meaning.LOST, {}, None),
]
_RULES = {"is_lead": "Is a lead", "enter_nurturing": "Enter nurturing", "sales_ready": "Sales-ready"}


class Refused(ValueError):
    """What was asked for cannot be done; `problems` says why, in words."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@transaction.atomic
def new_definition(name: str, now: datetime, by: str) -> LeadDefinition:
    """A definition with its first draft, empty, and the usual stages."""
    definition = LeadDefinition.objects.create(name=name, created_at=now)
    LeadVersion.objects.create(definition=definition, number=1, created_at=now)
    Stage.objects.bulk_create(
        Stage(
            definition=definition,
            name=called,
            meaning=meaning,
            rule=rule,
            limit_days=limit,
            position=(place + 1) * 10,
        )
        for place, (called, meaning, rule, limit) in enumerate(_USUAL)
    )
    return definition


def published(definition: LeadDefinition) -> LeadVersion | None:
    """The version that counts: the published one with the highest number."""
    return definition.versions.exclude(published_at=None).order_by("-number").first()


@transaction.atomic
def draft_of(definition: LeadDefinition, now: datetime) -> LeadVersion:
    """The draft being written, or a new one that begins as a copy of the version that counts."""
    LeadDefinition.objects.select_for_update(no_key=True).get(pk=definition.pk)
    draft = definition.versions.filter(published_at=None).order_by("-number").first()
    if draft is not None:
        return draft
    counts = published(definition)
    number = (definition.versions.aggregate(last=Max("number"))["last"] or 0) + 1
    wording = {name: getattr(counts, name) for name in _RULES} if counts else {}
    draft = LeadVersion.objects.create(definition=definition, number=number, created_at=now, **wording)
    lines = counts.score_lines.all() if counts else ()
    ScoreLine.objects.bulk_create(
        ScoreLine(
            version=draft,
            label=line.label,
            rule=line.rule,
            points=line.points,
            halves_days=line.halves_days,
            position=line.position,
        )
        for line in lines
    )
    return draft


@transaction.atomic
def publish(version: LeadVersion, now: datetime, by: str) -> None:
    """Let this wording count. Refused while anything in it cannot be read; never changed again afterwards."""
    stored = LeadVersion.objects.select_for_update().get(pk=version.pk)
    if stored.published_at is not None:
        raise Refused([f"Version {stored.number} was published already."])
    found = problems(stored)
    if found:
        raise Refused(found)
    version.published_at, version.published_by = now, by[:120]
    version.save(update_fields=["published_at", "published_by"])
    LeadDefinition.objects.filter(pk=stored.definition_id).update(problem="")
    ask_anew(stored.definition)


def ask_anew(definition: LeadDefinition) -> None:
    """The rules or stages were changed: the next refresh asks everybody. Call it after changing stages."""
    LeadDefinition.objects.filter(pk=definition.pk).update(marked=0)


def problems(version: LeadVersion) -> list[str]:
    """Everything that keeps the wording from counting, with the place it stands at; stages included."""
    found = []
    if rules.is_blank(version.is_lead):
        found.append("Is a lead: no condition is given, so nobody would be one")
    for name, label in _RULES.items():
        found += _of(label, getattr(version, name), _offers(version, name))
    for line in version.score_lines.all():
        found += _of(
            f"Score, {line.label or 'a line'}", line.rule, frozenset(), blank="no condition is given"
        )
    stages = list(version.definition.stages.all())
    for stage in stages:
        found += _of(f"Stage {stage.name}", stage.rule, _offers(stage, "rule"))
    if not any(stage.meaning == Meaning.LEAD for stage in stages):
        found.append("Stages: there is none that means “is a lead”, where a new lead would begin")
    return found


def remove_stage(stage: Stage) -> None:
    """Take away a stage nobody was ever at. One with a history stays, or the past would be forgotten."""
    if Lead.objects.filter(stage=stage).exists() or StageMove.objects.filter(to_stage=stage).exists():
        raise Refused([f"People were at the stage “{stage}”: rename it, or take away its rule, instead."])
    definition = stage.definition
    stage.delete()
    ask_anew(definition)


def _of(label: str, rule: Any, offers: frozenset[str], *, blank: str = "") -> list[str]:
    if rules.is_blank(rule):
        return [f"{label}: {blank}"] if blank else []
    return [f"{label}: {problem}" for problem in rules.problems(rule, offers)]


def _offers(row: Any, name: str) -> frozenset[str]:
    return row._meta.get_field(name).offers
