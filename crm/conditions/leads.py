"""Conditions about being a lead: of which definition, at which stage, since when, with which score, whose.

Of this moment they ask the lead itself, of the past its moves and the changes of its score.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import JSONObject
from django.db.models.lookups import GreaterThanOrEqual, LessThanOrEqual

from crm.conditions.spans import Span, turned
from crm.kernel.rules import Condition, Scope, conditions
from crm.models import Lead, LeadDefinition, ScoreChange, Stage, StageMove

GROUP = "Leads"
_LATER = Q(occurred_at__gt=OuterRef("occurred_at")) | Q(
    occurred_at=OuterRef("occurred_at"), pk__gt=OuterRef("pk")
)


def _definitions() -> list[tuple[str, str]]:
    rows = LeadDefinition.objects.order_by("name").values_list("pk", "name")
    return [(str(pk), name) for pk, name in rows]


def any_or_one() -> list[tuple[str, str]]:
    """The menu of definitions, of which any may be meant."""
    return [("", "any"), *_definitions()]


def _stages() -> list[tuple[str, str]]:
    rows = Stage.objects.select_related("definition").order_by("definition__name", "position", "name")
    return [(str(stage.pk), f"{stage.definition}: {stage}") for stage in rows]


def _colleagues() -> list[tuple[str, str]]:
    users = get_user_model().objects.filter(is_staff=True).order_by("username")
    return [("", "nobody"), *((str(user.pk), user.get_full_name() or user.get_username()) for user in users)]


def moves_by(at: datetime, contact: str = "pk") -> QuerySet[StageMove]:
    """The moves of the contact in the query around, as happened and known by then."""
    return StageMove.objects.filter(contact=OuterRef(contact), occurred_at__lte=at, recorded_at__lte=at)


def places_at(at: datetime, contact: str = "pk") -> QuerySet[StageMove]:
    """The last move in each definition by then: where the contact stood; nowhere where it has no stage."""
    after = StageMove.objects.filter(
        _LATER,
        contact=OuterRef("contact"),
        definition=OuterRef("definition"),
        occurred_at__lte=at,
        recorded_at__lte=at,
    )
    return moves_by(at, contact).filter(~Exists(after), to_stage__isnull=False)


def leads_now() -> QuerySet[Lead]:
    return Lead.objects.filter(contact=OuterRef("pk"), ended_at=None)


class _Standing(Condition):
    """Where somebody stands as a lead: one query over leads of now, one over moves for any instant."""

    group = GROUP

    def of_lead(self, params: dict[str, Any], at: datetime) -> Q:
        """Over leads."""
        raise NotImplementedError

    def of_move(self, params: dict[str, Any], at: datetime) -> Q:
        """Over the last moves."""
        raise NotImplementedError

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        if scope.current:
            return Q(Exists(leads_now().filter(self.of_lead(params, at))))
        return Q(Exists(places_at(at).filter(self.of_move(params, at))))

    def drift(
        self, params: dict[str, Any], since: datetime, at: datetime, scope: Scope
    ) -> Sequence[QuerySet[Any]] | None:
        return []

    def evidence(self, params: dict[str, Any], at: datetime, scope: Scope) -> Any:
        told = JSONObject(stage="to_stage__name", definition="definition__name", since="occurred_at")
        places = places_at(at)
        if params.get("definition"):
            places = places.filter(definition=uuid.UUID(params["definition"]))
        elif params.get("stage"):
            places = places.filter(definition__stages=uuid.UUID(params["stage"]))
        return Subquery(places.order_by("-occurred_at").values(told=told)[:1])

    def tell(self, params: dict[str, Any], value: Any) -> str:
        if not value:
            return "is no lead"
        since = datetime.fromisoformat(value["since"])
        return f"{value['stage']} in “{value['definition']}” since {since.day} {since:%B %Y}"


@conditions.register
class IsLead(_Standing):
    """Who is a lead at that moment, at whatever stage: of one definition, or of any of them."""

    key = "crm.is_lead"
    label = "Is a lead"

    class Params(forms.Form):
        definition = forms.ChoiceField(label="of", choices=any_or_one, required=False)

    def of_lead(self, params: dict[str, Any], at: datetime) -> Q:
        return Q(definition=uuid.UUID(params["definition"])) if params["definition"] else Q()

    of_move = of_lead

    def sentence(self, params: dict[str, Any]) -> str:
        return f"are leads of “{_name_of(params['definition'])}”" if params["definition"] else "are leads"


@conditions.register
class AtStage(_Standing):
    """Who stands at one stage of the board at that moment, moved there by a rule or by hand."""

    key = "crm.lead_stage"
    label = "At a stage"

    class Params(forms.Form):
        stage = forms.ChoiceField(label="is", choices=_stages)
        days = forms.IntegerField(
            label="for at least so many days",
            min_value=1,
            max_value=36_500,
            required=False,
            help_text="Blank: however short.",
        )

    def of_lead(self, params: dict[str, Any], at: datetime) -> Q:
        return Q(stage=uuid.UUID(params["stage"])) & self._since(params, at, "stage_since")

    def of_move(self, params: dict[str, Any], at: datetime) -> Q:
        return Q(to_stage=uuid.UUID(params["stage"])) & self._since(params, at, "occurred_at")

    def _since(self, params: dict[str, Any], at: datetime, name: str) -> Q:
        return Q(**{f"{name}__lte": at - timedelta(days=params["days"])}) if params["days"] else Q()

    def drift(
        self, params: dict[str, Any], since: datetime, at: datetime, scope: Scope
    ) -> Sequence[QuerySet[Any]] | None:
        here = Lead.objects.filter(stage=uuid.UUID(params["stage"]))
        return [turned(here, params["days"], since, at, "stage_since")] if params["days"] else []

    def sentence(self, params: dict[str, Any]) -> str:
        span = f" for at least {_days(params['days'])}" if params["days"] else ""
        return f"are at the stage {_stage_in_words(params['stage'])}{span}"


@conditions.register
class StageMeans(_Standing):
    """Who stands at a stage of this meaning at that moment, whatever the stage is called."""

    key = "crm.lead_meaning"
    label = "At a stage that means"

    class Params(forms.Form):
        meaning = forms.ChoiceField(label="is", choices=Stage.Meaning.choices)
        definition = forms.ChoiceField(label="of", choices=any_or_one, required=False)

    def of_lead(self, params: dict[str, Any], at: datetime) -> Q:
        return self._of(params, "stage__meaning")

    def of_move(self, params: dict[str, Any], at: datetime) -> Q:
        return self._of(params, "to_stage__meaning")

    def _of(self, params: dict[str, Any], name: str) -> Q:
        where = Q(definition=uuid.UUID(params["definition"])) if params["definition"] else Q()
        return where & Q(**{name: params["meaning"]})

    def sentence(self, params: dict[str, Any]) -> str:
        of = f" of “{_name_of(params['definition'])}”" if params["definition"] else ""
        return f"are leads{of} at a stage that means “{Stage.Meaning(params['meaning']).label}”"


@conditions.register
class EnteredStage(Condition):
    """Who came to one stage of the board lately or ever, by rule or by hand; they may have left since."""

    key = "crm.lead_entered_stage"
    label = "Came to a stage"
    group = GROUP

    class Params(forms.Form):
        stage = forms.ChoiceField(label="is", choices=_stages)
        within_days = forms.IntegerField(
            label="in the last days", min_value=1, max_value=36_500, required=False, help_text="Blank: ever."
        )

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        came = moves_by(at).filter(to_stage=uuid.UUID(params["stage"]))
        return Q(Exists(came.filter(Span(params["within_days"]).q(at))))

    def drift(
        self, params: dict[str, Any], since: datetime, at: datetime, scope: Scope
    ) -> Sequence[QuerySet[Any]] | None:
        came = StageMove.objects.filter(to_stage=uuid.UUID(params["stage"]))
        return Span(params["within_days"]).passed(came, since, at)

    def sentence(self, params: dict[str, Any]) -> str:
        span = Span(params["within_days"]).words
        return f"came to the stage {_stage_in_words(params['stage'])} {span}".rstrip()

    def evidence(self, params: dict[str, Any], at: datetime, scope: Scope) -> Any:
        came = moves_by(at).filter(to_stage=uuid.UUID(params["stage"]))
        return Subquery(came.order_by("-occurred_at", "-pk").values("occurred_at")[:1])

    def tell(self, params: dict[str, Any], value: Any) -> str:
        return f"came there on {value.day} {value:%B %Y}" if value else "never came there"


class _ScoreForm(forms.Form):
    definition = forms.ChoiceField(label="of", choices=_definitions)
    at_least = forms.IntegerField(label="at least", required=False, min_value=-1_000_000, max_value=1_000_000)
    at_most = forms.IntegerField(label="at most", required=False, min_value=-1_000_000, max_value=1_000_000)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        least, most = given.get("at_least"), given.get("at_most")
        if least is None and most is None:
            raise forms.ValidationError("say at least how many points, or at most, or both")
        if least is not None and most is not None and least > most:
            raise forms.ValidationError("nobody has at least more points than at most")
        return given


@conditions.register
class LeadScore(Condition):
    """Whose score as a lead of one definition lies between two bounds at that moment. Only leads have one."""

    key = "crm.lead_score"
    label = "Score"
    group = GROUP

    class Params(_ScoreForm):
        pass

    def _score(self, params: dict[str, Any], at: datetime, scope: Scope) -> Subquery:
        definition = uuid.UUID(params["definition"])
        if scope.current:
            return Subquery(leads_now().filter(definition=definition).values("score"))
        changes = ScoreChange.objects.filter(
            Exists(places_at(at, "contact").filter(definition=definition)),
            contact=OuterRef("pk"),
            definition=definition,
            occurred_at__lte=at,
            recorded_at__lte=at,
        )
        return Subquery(changes.order_by("-occurred_at", "-pk").values("score")[:1])

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        score = self._score(params, at, scope)
        within = Q()
        if params["at_least"] is not None:
            within &= Q(GreaterThanOrEqual(score, params["at_least"]))
        if params["at_most"] is not None:
            within &= Q(LessThanOrEqual(score, params["at_most"]))
        return within

    def drift(
        self, params: dict[str, Any], since: datetime, at: datetime, scope: Scope
    ) -> Sequence[QuerySet[Any]] | None:
        return []

    def sentence(self, params: dict[str, Any]) -> str:
        bounds = [
            f"{words} {params[name]}"
            for name, words in (("at_least", "at least"), ("at_most", "at most"))
            if params[name] is not None
        ]
        return f"have a score of {' and '.join(bounds)} as leads of “{_name_of(params['definition'])}”"

    def evidence(self, params: dict[str, Any], at: datetime, scope: Scope) -> Any:
        return self._score(params, at, scope)

    def tell(self, params: dict[str, Any], value: Any) -> str:
        return "no score: is no lead of it" if value is None else f"a score of {value}"

    def change(self, params: dict[str, Any], value: Any, *, wanted: bool) -> str:
        if value is None or not wanted:
            return ""
        if params["at_least"] is not None and value < params["at_least"]:
            return f"{params['at_least'] - value} more points"
        if params["at_most"] is not None and value > params["at_most"]:
            return f"{value - params['at_most']} points fewer"
        return ""


@conditions.register
class LeadOwner(Condition):
    """Whose lead is a colleague's, or nobody's, as it is now: of one definition, or of any."""

    key = "crm.lead_owner"
    label = "Owner of the lead"
    group = GROUP
    exact_in_past = False

    class Params(forms.Form):
        owner = forms.ChoiceField(label="is", choices=_colleagues, required=False)
        definition = forms.ChoiceField(label="of", choices=any_or_one, required=False)

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        leads = leads_now().filter(owner=int(params["owner"]) if params["owner"] else None)
        if params["definition"]:
            leads = leads.filter(definition=uuid.UUID(params["definition"]))
        return Q(Exists(leads))

    def drift(
        self, params: dict[str, Any], since: datetime, at: datetime, scope: Scope
    ) -> Sequence[QuerySet[Any]] | None:
        return []

    def sentence(self, params: dict[str, Any]) -> str:
        of = f" of “{_name_of(params['definition'])}”" if params["definition"] else ""
        whose = f"of {dict(_colleagues())[params['owner']]}" if params["owner"] else "of nobody"
        return f"are leads{of} {whose}"

    def evidence(self, params: dict[str, Any], at: datetime, scope: Scope) -> Any:
        leads = leads_now()
        if params["definition"]:
            leads = leads.filter(definition=uuid.UUID(params["definition"]))
        return Subquery(leads.order_by("-became_at").values("owner__username")[:1])

    def tell(self, params: dict[str, Any], value: Any) -> str:
        return f"{value}'s lead" if value else "nobody's lead"


def _name_of(definition: str) -> str:
    return LeadDefinition.objects.values_list("name", flat=True).get(pk=definition)


def _stage_in_words(stage: str) -> str:
    found = Stage.objects.select_related("definition").get(pk=stage)
    return f"“{found}” of “{found.definition}”"


def _days(number: int) -> str:
    return "1 day" if number == 1 else f"{number} days"
