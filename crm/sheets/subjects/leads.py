"""Leads: people found or made as contacts are, each at a stage of one definition and with an owner."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast

from crm.audience.leads import bringing
from crm.audience.leads.definitions import Refused
from crm.models import Import, ImportRow, Lead, LeadDefinition, Stage
from crm.sheets.matching import Target
from crm.sheets.persons import applying
from crm.sheets.persons.applying import actor_of
from crm.sheets.persons.cells import REMEMBERED
from crm.sheets.subjects import OVERWRITE, Applied, Reader, Staged, Undone, Wrong, subjects
from crm.sheets.subjects.contacts import Contacts
from crm.sheets.things import cells
from crm.sheets.vocabulary import spelled

Meaning = Stage.Meaning
Verdict = ImportRow.Verdict
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
_ROWS = """
    r.run_id = %(run)s AND r.number > %(after)s AND r.number <= %(upto)s AND r.object_id IS NOT NULL
        AND r.verdict <> 'refused'
"""
# Whose a row is was looked up again for those that bring something.
_WHOSE = "COALESCE(b.contact_id, r.object_id)"
_SOME = 5_000  # rows of a batch, as they mostly come
# Of several rows about one person the last one counts.
_TOLD = f"""
    CREATE TEMP TABLE {bringing.TOLD} ON COMMIT DROP AS
    SELECT DISTINCT ON ({_WHOSE}) {_WHOSE} AS contact_id, r.number, s.id AS stage_id, u.id AS owner_id,
        (r.told->>'became_at')::timestamptz AS since, round((r.told->>'expected_value')::numeric, 2) AS value
    FROM crm_importrow AS r LEFT JOIN import_batch AS b ON b.number = r.number
    LEFT JOIN crm_stage AS s ON s.definition_id = %(definition)s AND s.name = r.told->>'stage'
    LEFT JOIN {{users}} AS u ON u.username = r.told->>'owner'
    WHERE {_ROWS} ORDER BY {_WHOSE}, r.number DESC
"""  # noqa: S608 - our own columns
_LEAD = ("old_stage", "new_stage", "old_owner", "new_owner", "old_value::text", "new_value::text")
_NOTED = f"""
    INSERT INTO import_besides (number, note)
    SELECT t.number, jsonb_build_object('lead', jsonb_build_object({
    ", ".join(f"'{name.partition(':')[0]}', w.{name}" for name in _LEAD)
}))
    FROM {bringing.WAS} AS w JOIN {bringing.TOLD} AS t ON t.contact_id = w.contact_id
"""  # noqa: S608 - our own columns
_WAS = f"""
    CREATE TEMP TABLE {bringing.WAS} ON COMMIT DROP AS
    SELECT DISTINCT ON (object_id) object_id AS contact_id,
        (before->'lead'->>'old_stage')::uuid AS old_stage, (before->'lead'->>'new_stage')::uuid AS new_stage,
        (before->'lead'->>'old_owner')::bigint AS old_owner,
        (before->'lead'->>'new_owner')::bigint AS new_owner,
        (before->'lead'->>'old_value')::numeric AS old_value,
        (before->'lead'->>'new_value')::numeric AS new_value
    FROM crm_importrow AS r WHERE {_ROWS} AND before ? 'lead' ORDER BY object_id, number DESC
"""  # noqa: S608 - our own columns


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
        crew, stage_of = _crew(), _stage_of(run)

        def read(rows: Sequence[Sequence[str]]) -> list[Staged]:
            staged = people(rows)
            for row, said in zip(rows, staged, strict=True):
                if not said.refused:
                    _lead(said, *columns.read(row), stage_of, crew)
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
        upto = upto if applied.reached is None else applied.reached
        changed = self._rows(run, after, upto).filter(before__isnull=False).exclude(verdict=Verdict.NEW)
        return Applied(applied.made, changed.count(), reached=applied.reached)

    def besides(self, run: Import, now: datetime, overwrites: bool) -> applying.Besides:
        definition = LeadDefinition.objects.get(pk=run.options["definition"])

        def bring(cursor: Any, values: dict[str, Any]) -> None:
            if (values["after"] // _SOME).bit_length() != (values["upto"] // _SOME).bit_length():
                # Each time the file has brought twice as many. By what was true when it began, the planner
                # would have each batch read all leads there are.
                cursor.execute("ANALYZE crm_lead")
            told = values | {"definition": definition.pk}
            cursor.execute(_TOLD.format(users=get_user_model()._meta.db_table), told)
            bringing.bring(definition, now, actor_of(run), overwrites=overwrites)
            cursor.execute(_NOTED)
            cursor.execute(f"DROP TABLE {bringing.TOLD}, {bringing.WAS}")

        return bring

    def undo(self, run: Import, after: int, upto: int, now: datetime) -> Undone:
        if definition := LeadDefinition.objects.filter(pk=run.options["definition"]).first():
            with connection.cursor() as cursor:
                if not after:
                    # Undone right after it came in: what the planner knows is of before, and it would read
                    # all moves of the definition for each person.
                    cursor.execute("ANALYZE crm_lead, crm_stagemove, crm_scorechange")
                cursor.execute(_WAS, {"run": run.pk, "after": after, "upto": upto})
                bringing.take_back(definition, now, actor_of(run))
                cursor.execute(f"DROP TABLE {bringing.WAS}")
        return super().undo(run, after, upto, now)

    def _rows(self, run: Import, after: int, upto: int) -> QuerySet[ImportRow]:
        rows = ImportRow.objects.filter(run=run, number__gt=after, number__lte=upto, object_id__isnull=False)
        return rows.exclude(verdict=Verdict.REFUSED)


def _lead(
    said: Staged,
    told: Mapping[str, Any],
    wrong: str,
    stage_of: Callable[[str], str],
    crew: Mapping[str, str],
) -> None:
    """Add to what a row says of a person what it says of the lead."""
    said.refused = wrong
    remarks = [said.remark] if said.remark else []
    if typed := told.get("stage"):
        try:
            said.told["stage"] = stage_of(typed)
        except Wrong as unknown:
            said.refused = str(unknown)
    if typed := told.get("owner"):
        if owner := crew.get(" ".join(typed.casefold().split())):
            said.told["owner"] = owner
        else:
            remarks.append(f"owner “{typed[:60]}” is no colleague here: left out")
    for name in ("became_at", "expected_value"):
        if told.get(name) is not None:
            said.told[name] = told[name]
    said.remark = "; ".join(remarks)


def _stage_of(run: Import) -> Callable[[str], str]:
    """What says which stage of the definition is meant. Raises Wrong."""
    stages = _stages(run)

    @lru_cache(REMEMBERED)
    def stage_of(typed: str) -> str:
        if stage := stages.get(spelled(typed)):
            return stage
        known = ", ".join(dict.fromkeys(stages.values()))
        raise Wrong(f"Stage “{typed[:60]}” is none of this definition: {known}.")

    return stage_of


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
