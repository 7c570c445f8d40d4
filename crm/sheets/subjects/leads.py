"""Leads: people found or made as contacts are, each at a stage of one definition and with an owner."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast
from psycopg.types.json import Jsonb

from crm.audience.leads import bringing
from crm.audience.leads.bringing import Told, Was
from crm.audience.leads.definitions import Refused
from crm.models import Import, ImportRow, Lead, LeadDefinition, Stage
from crm.sheets.matching import Target
from crm.sheets.persons.applying import actor_of
from crm.sheets.subjects import OVERWRITE, Applied, Reader, Staged, Undone, subjects
from crm.sheets.subjects.contacts import Contacts
from crm.sheets.things import cells
from crm.sheets.vocabulary import spelled

Meaning = Stage.Meaning
Verdict = ImportRow.Verdict
_CENT = Decimal("0.01")
# What stages are called elsewhere, where the definition has none of that name.
_MEANT = {
    Meaning.LEAD: "new|open|lead|subscriber|neu|offen|nouveau|nuevo|nieuw",
    Meaning.NURTURE: "nurturing|nurture|contacted|in contact|kontaktiert|contacte|contactado",
    Meaning.SALES_READY: "sales ready|qualified|sales qualified lead|sql|qualifiziert|qualifie|calificado",
    Meaning.ACCEPTED: "accepted|working|in progress|opportunity|in bearbeitung|en cours|en curso",
    Meaning.WON: "won|converted|customer|closed won|gewonnen|kunde|gagne|client|ganado|cliente|klant",
    Meaning.LOST: "lost|disqualified|unqualified|closed lost|dead|junk|verloren|perdu|perdido",
}
_MEANINGS = {word: meaning for meaning, words in _MEANT.items() for word in words.split("|")}
_NOTED = """
    UPDATE crm_importrow AS r
    SET before = COALESCE(r.before, jsonb_build_object('at', %s::timestamptz)) || n.lead
    FROM unnest(%s::uuid[], %s::jsonb[]) AS n(contact_id, lead)
    WHERE r.run_id = %s AND r.number > %s AND r.number <= %s AND r.object_id = n.contact_id
        AND r.verdict <> 'refused'
"""


def _definitions() -> list[tuple[str, str]]:
    found = LeadDefinition.objects.filter(is_active=True).order_by("name")
    return [("", "Choose a definition"), *((str(one.pk), one.name) for one in found)]


@subjects.register
class Leads(Contacts):
    """A row is a person who is a lead. They are found or made as contacts are, and learn what the row says.
    Whoever is at no stage begins at the first one of the definition. Nobody is told of a lead that came so,
    or handed it over, and no flow begins: the file tells of what was.
    """

    key = "crm.leads"
    label = "Leads"
    many = "leads"
    permission = "crm.change_lead"
    undo_says = (
        "Leads it made are none any more, and those it moved are where they were, unless somebody or a rule"
        f" moved them since. {Contacts.undo_says}"
    )

    class Params(Contacts.Params):
        definition = forms.ChoiceField(
            label="What they are a lead of",
            choices=_definitions,
            error_messages={"required": "Choose the definition. A new one is made under Lead definitions."},
        )
        dates = cells.which_is_the_month()
        field_order = ("definition", "known", "blanks", "region", "dates")

        def clean_definition(self) -> str:
            chosen = self.cleaned_data["definition"]
            try:
                bringing.version_of(LeadDefinition.objects.get(pk=chosen))
            except Refused as refused:
                raise ValidationError(refused.problems) from None
            return chosen

    def targets(self) -> list[Target]:
        return [*super().targets(), *_TARGETS]

    def reader(self, run: Import) -> Reader:
        people, columns = super().reader(run), cells.columns(run, _TARGETS)
        crew, stages = _crew(), _stages(run)

        def read(rows: Sequence[Sequence[str]]) -> list[Staged]:
            staged = people(rows)
            for row, said in zip(rows, staged, strict=True):
                if not said.refused:
                    _lead(said, *columns.read(row), stages, crew)
            return staged

        return read

    def judge(self, run: Import, now: datetime) -> None:
        super().judge(run, now)
        rows = ImportRow.objects.filter(run=run, verdict=Verdict.UNCHANGED, object_id__isnull=False)
        leads = Lead.objects.filter(
            contact=OuterRef("object_id"), definition=run.options["definition"], ended_at=None
        )
        rows.filter(~Exists(leads)).update(verdict=Verdict.CHANGED)
        overwrites = self._options(run)["known"] == OVERWRITE
        for name, field in (("stage", "stage__name"), ("owner", "owner__username")):
            told = rows.filter(told__has_key=name).annotate(said=KeyTextTransform(name, "told"))
            other = leads.exclude(**{field: OuterRef("said"), f"{field}__isnull": False})
            other = other if overwrites else other.filter(**{f"{name}__isnull": True})
            told.filter(Exists(other)).update(verdict=Verdict.CHANGED)
        value = Cast(KeyTextTransform("expected_value", "told"), Lead._meta.get_field("expected_value"))
        valued = rows.filter(told__has_key="expected_value").annotate(value=value)
        other = leads.exclude(expected_value=OuterRef("value"), expected_value__isnull=False)
        other = other if overwrites else other.filter(expected_value=None)
        valued.filter(Exists(other)).update(verdict=Verdict.CHANGED)

    def apply(self, run: Import, after: int, upto: int, now: datetime) -> Applied:
        applied = super().apply(run, after, upto, now)
        rows = self._rows(run, after, upto if applied.reached is None else applied.reached)
        definition = LeadDefinition.objects.get(pk=run.options["definition"])
        stages = {stage.name: stage for stage in definition.stages.all()}
        owners = dict(get_user_model().objects.values_list("username", "pk"))
        told: dict[UUID, Told] = {}
        for contact_id, says in rows.order_by("number").values_list("object_id", "told"):
            assert contact_id is not None
            since = says.get("became_at")
            told[contact_id] = Told(
                stages.get(says.get("stage")),
                owners.get(says.get("owner")),
                datetime.fromisoformat(since) if since else None,
                Decimal(says["expected_value"]).quantize(_CENT) if "expected_value" in says else None,
            )
        overwrites = self._options(run)["known"] == OVERWRITE
        done = bringing.bring(definition, told, now, actor_of(run), overwrites=overwrites)
        with connection.cursor() as cursor:
            notes = [Jsonb({"lead": _plain(was)}) for was in done.values()]
            cursor.execute(_NOTED, [now, list(done), notes, run.pk, after, upto])
        changed = rows.filter(before__isnull=False).exclude(verdict=Verdict.NEW)
        return Applied(applied.made, changed.count(), reached=applied.reached)

    def undo(self, run: Import, after: int, upto: int, now: datetime) -> Undone:
        rows = self._rows(run, after, upto).filter(before__has_key="lead")
        was = {
            pk: _was(before["lead"])
            for pk, before in rows.values_list("object_id", "before")
            if pk and before
        }
        if definition := LeadDefinition.objects.filter(pk=run.options["definition"]).first():
            bringing.take_back(definition, was, now, actor_of(run))
        return super().undo(run, after, upto, now)

    def _rows(self, run: Import, after: int, upto: int) -> QuerySet[ImportRow]:
        rows = ImportRow.objects.filter(run=run, number__gt=after, number__lte=upto, object_id__isnull=False)
        return rows.exclude(verdict=Verdict.REFUSED)


def _lead(
    said: Staged, told: Mapping[str, Any], wrong: str, stages: Mapping[str, str], crew: Mapping[str, str]
) -> None:
    """Add to what a row says of a person what it says of the lead."""
    said.refused = wrong
    remarks = [said.remark] if said.remark else []
    if typed := told.get("stage"):
        if stage := stages.get(spelled(typed)):
            said.told["stage"] = stage
        else:
            known = ", ".join(dict.fromkeys(stages.values()))
            said.refused = f"Stage “{typed[:60]}” is none of this definition: {known}."
    if typed := told.get("owner"):
        if owner := crew.get(" ".join(typed.casefold().split())):
            said.told["owner"] = owner
        else:
            remarks.append(f"owner “{typed[:60]}” is no colleague here: left out")
    for name in ("became_at", "expected_value"):
        if told.get(name) is not None:
            said.told[name] = told[name]
    said.remark = "; ".join(remarks)


def _stages(run: Import) -> dict[str, str]:
    """The stages of the definition by what they may be called: their names, and what they mean."""
    stages = list(Stage.objects.filter(definition=run.options["definition"]).order_by("position", "pk"))
    found = {spelled(stage.name): stage.name for stage in stages}
    for word, meaning in _MEANINGS.items():
        name = next((stage.name for stage in stages if stage.meaning == meaning), None)
        if name:
            found.setdefault(word, name)
    return found


def _crew() -> dict[str, str]:
    """Colleagues by their user name, address and whole name, in small letters; of two alike, neither."""
    found: dict[str, str] = {}
    for user in get_user_model().objects.filter(is_active=True):
        name = user.get_username()
        for called in {name, user.email, user.get_full_name()}:
            key = " ".join(called.casefold().split())
            found[key] = "" if found.get(key, name) != name else name
    return found | {name.casefold(): name for name in found.values() if name}


def _plain(was: Was) -> dict[str, Any]:
    return {
        "old_stage": str(was.old_stage) if was.old_stage else None,
        "new_stage": str(was.new_stage),
        "old_owner": was.old_owner,
        "new_owner": was.new_owner,
        "old_value": None if was.old_value is None else str(was.old_value),
        "new_value": None if was.new_value is None else str(was.new_value),
    }


def _was(told: Mapping[str, Any]) -> Was:
    old = told["old_stage"]
    values = (Decimal(value) if (value := told.get(name)) else None for name in ("old_value", "new_value"))
    return Was(
        UUID(old) if old else None, UUID(told["new_stage"]), told["old_owner"], told["new_owner"], *values
    )


_TARGETS = [
    Target("stage", "Stage", help="By its name, or a usual word for what it means."),
    Target("owner", "Owner", help="A colleague: the name they log in with, their address or whole name."),
    Target(
        "expected_value",
        "Expected value",
        "money",
        ("Deal value", "Deal amount", "Opportunity amount", "Opportunity value", "Expected revenue"),
        help="In the shop's currency.",
    ),
    Target("became_at", "A lead since", "date"),
]
