"""Conditions about surveys: who answered what, and who was asked and did not answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.db.models import Exists, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import JSONObject

from campaigns.models import Survey, SurveyAnswer, SurveyChoice
from campaigns.surveys import asking
from crm.conditions import words
from crm.conditions.spans import SpanForm, span_of, turned
from crm.kernel.rules import Condition, Scope, conditions

GROUP = "Surveys"


def _choices() -> list[tuple[str, str]]:
    rows = SurveyChoice.objects.select_related("survey").order_by("survey__question", "position", "pk")
    return [("", "any answer"), *((str(choice.pk), f"{choice.survey}: {choice}") for choice in rows)]


def answers_by(at: datetime, scope: Scope) -> QuerySet[SurveyAnswer]:
    """Everybody's answers that counted and were known by then."""
    rows = SurveyAnswer.objects.filter(occurred_at__lte=at, recorded_at__lte=at)
    counted = Q(replaced_at=None)
    return rows.filter(counted if scope.current else counted | Q(replaced_at__gt=at))


@conditions.register
class Answered(Condition):
    """Who answered a survey, with any of its answers or one of them; ever, in the last days, or between two
    days. An answer that somebody took back by another in the same message counts until then.
    """

    key = "campaigns.answered"
    label = "Answered a survey"
    group = GROUP

    class Params(SpanForm):
        survey = forms.ModelChoiceField(
            Survey.objects.order_by("question"), to_field_name="slug", label="survey"
        )
        answer = forms.ChoiceField(label="with", choices=_choices, required=False)
        field_order = ("survey", "answer")

        def clean(self) -> dict[str, Any]:
            cleaned = super().clean() or self.cleaned_data
            survey, answer = cleaned.get("survey"), cleaned.get("answer")
            if survey and answer:
                choice = SurveyChoice.objects.filter(pk=answer, survey=survey).first()
                if choice is None:
                    self.add_error("answer", f"this is no answer of “{survey}”")
                cleaned["choice"] = choice
            return cleaned

    def rows(self, params: dict[str, Any], at: datetime, scope: Scope) -> QuerySet[SurveyAnswer]:
        rows = answers_by(at, scope).filter(survey=params["survey"]).filter(span_of(params).q(at))
        return rows.filter(choice=params["answer"]) if params["answer"] else rows

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        return Q(Exists(self.rows(params, at, scope).filter(contact_id=OuterRef("pk"))))

    def sentence(self, params: dict[str, Any]) -> str:
        chosen = f"with “{params['choice']}”" if params["answer"] else ""
        return words.joined(f"answered “{params['survey']}”", chosen, span_of(params).words)

    def evidence(self, params: dict[str, Any], at: datetime, scope: Scope) -> Any:
        mine = answers_by(at, scope).filter(survey=params["survey"], contact_id=OuterRef("pk"))
        told = mine.annotate(told=JSONObject(label="label", at="occurred_at"))
        return Subquery(told.order_by("-occurred_at", "-pk").values("told")[:1])

    def tell(self, params: dict[str, Any], value: Any) -> str:
        return f"answered “{value['label']}” on {words.day(value['at'])}" if value else "never answered"

    def drift(
        self, params: dict[str, Any], since: datetime, at: datetime, scope: Scope
    ) -> Sequence[QuerySet[Any]]:
        return span_of(params).passed(SurveyAnswer.objects.filter(survey=params["survey"]), since, at)


SLOWEST = timedelta(hours=1)
"""A message counts as sent at the instant its sender wrote down; by now every earlier one is seen."""


@conditions.register
class AskedNoAnswer(Condition):
    """Who was sent a message that asks a survey, some days ago, and has not answered it since."""

    key = "campaigns.asked_no_answer"
    label = "Was asked a survey and did not answer"
    group = GROUP

    class Params(forms.Form):
        survey = forms.ModelChoiceField(
            Survey.objects.order_by("question"), to_field_name="slug", label="survey"
        )
        days = forms.IntegerField(label="asked in the last days", min_value=1, max_value=3650, initial=90)
        wait = forms.IntegerField(
            label="and at least so many days ago",
            min_value=0,
            max_value=365,
            initial=3,
            required=False,
            help_text="Most who answer do so within three days.",
        )

        def clean_wait(self) -> int:
            return self.cleaned_data["wait"] or 0

        def clean(self) -> dict[str, Any]:
            cleaned = super().clean() or self.cleaned_data
            days, wait = cleaned.get("days"), cleaned.get("wait")
            if days and wait and wait >= days:
                self.add_error("wait", "this leaves no day on which they could have been asked")
            return cleaned

    def asked(self, params: dict[str, Any], at: datetime) -> QuerySet[Any]:
        return asking.deliveries(params["survey"]).filter(
            finished_at__gt=at - timedelta(days=params["days"]),
            finished_at__lte=at - timedelta(days=params["wait"]),
        )

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        answers = answers_by(at, scope).filter(
            survey=params["survey"], occurred_at__gt=at - timedelta(days=params["days"])
        )
        asked = Exists(self.asked(params, at).filter(contact_id=OuterRef("pk")))
        return Q(asked) & ~Q(Exists(answers.filter(contact_id=OuterRef("pk"))))

    def sentence(self, params: dict[str, Any]) -> str:
        lately = f"in the last {words.counted(params['days'], 'day')}"
        ago = f", at least {words.counted(params['wait'], 'day')} ago" if params["wait"] else ""
        return f"were asked “{params['survey']}” {lately}{ago}, and have not answered"

    def evidence(self, params: dict[str, Any], at: datetime, scope: Scope) -> Any:
        asked = asking.deliveries(params["survey"]).filter(contact_id=OuterRef("pk"), finished_at__lte=at)
        answers = answers_by(at, scope).filter(survey=params["survey"], contact_id=OuterRef("pk"))
        return JSONObject(
            asked=Subquery(
                asked.order_by().values("contact_id").annotate(at=Max("finished_at")).values("at")
            ),
            answered=Subquery(
                answers.order_by().values("contact_id").annotate(at=Max("occurred_at")).values("at")
            ),
        )

    def tell(self, params: dict[str, Any], value: Any) -> str:
        if not value or not value["asked"]:
            return "never asked"
        asked = f"asked on {words.day(value['asked'])}"
        return f"{asked}, answered on {words.day(value['answered'])}" if value["answered"] else asked

    def drift(
        self, params: dict[str, Any], since: datetime, at: datetime, scope: Scope
    ) -> Sequence[QuerySet[Any]]:
        asked, survey = asking.deliveries(params["survey"]), params["survey"]
        earlier = since - SLOWEST
        return [
            turned(asked, params["wait"], earlier, at, "finished_at"),
            turned(asked, params["days"], earlier, at, "finished_at"),
            turned(SurveyAnswer.objects.filter(survey=survey), params["days"], since, at),
        ]
