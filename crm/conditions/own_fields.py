"""Conditions about the shop's own fields, each by the type of the field, as answers were then."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.db.models import Case, DecimalField, Func, Q, TextField, Value, When
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce, Upper
from django.db.models.lookups import (
    Exact,
    GreaterThanOrEqual,
    IContains,
    In,
    IStartsWith,
    LessThanOrEqual,
)

from crm.conditions import menus
from crm.conditions.attributes import Attribute
from crm.kernel.kinds import BrokenParams
from crm.kernel.rules import Scope, conditions
from crm.models import OwnField
from crm.people import own_fields
from crm.people.changes import as_of

GROUP = "Own fields"
GIVEN, BLANK = "given", "blank"
TEXTS = (OwnField.Type.TEXT, OwnField.Type.WORDS, OwnField.Type.LINK)
ANSWERED = [(GIVEN, "is given"), (BLANK, "is blank")]


def fields_of(*types: str) -> Callable[[], list[tuple[str, str]]]:
    """The menu of the fields of some types."""
    return lambda: list(OwnField.objects.filter(type__in=types).values_list("key", "label"))


def answer(key: str, at: datetime, scope: Scope) -> Any:
    """What a person had answered, as text; blank where they had not."""
    kept = KeyTextTransform(key, as_of("fields", at, current=scope.current))
    return Coalesce(kept, Value(""), output_field=TextField())


class OwnFieldCondition(Attribute):
    """Asks one field; a field that was deleted makes it broken."""

    group = GROUP

    def field(self, params: dict[str, Any]) -> OwnField:
        found = OwnField.objects.filter(key=params["field"]).first()
        if found is None:
            raise BrokenParams("field", "there is no such field (any more)")
        return found

    def given(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        asked = ~Q(Exact(answer(params["field"], at, scope), Value("")))
        return asked if params["how"] == GIVEN else ~asked

    def evidence(self, params: dict[str, Any], at: datetime, scope: Scope) -> Any:
        return answer(params["field"], at, scope)

    def tell(self, params: dict[str, Any], value: Any) -> str:
        field = self.field(params)
        if value in (None, ""):
            return f"{field.label}: no answer"
        return f"{field.label}: {self.in_words(field, value)}"

    def in_words(self, field: OwnField, value: str) -> str:
        return value

    def sentence(self, params: dict[str, Any]) -> str:
        field = self.field(params)
        if params["how"] in (GIVEN, BLANK):
            return f"have {'an' if params['how'] == GIVEN else 'no'} answer for {field.label}"
        return f"have {field.label} {self.asked(params)}"

    def asked(self, params: dict[str, Any]) -> str:
        raise NotImplementedError


def needed(form: forms.Form, *names: str) -> None:
    """Say beside each of these inputs that it is needed."""
    for name in names:
        if form.cleaned_data.get(name) in (None, "", []) and name not in form.errors:
            form.add_error(name, "This is needed here.")


_TEXTS = [
    ("is", "is one of"),
    ("isnt", "is none of"),
    ("contains", "contains"),
    ("begins", "begins with"),
    *ANSWERED,
]


@conditions.register
class OwnText(OwnFieldCondition):
    """What a person's answer in a field of text, words or a web address is, is not, contains or begins with;
    upper and lower case are one. *Is none of* is also true of who has not answered.
    """

    key = "crm.own_text"
    label = "Own field: text"

    class Params(forms.Form):
        field = forms.ChoiceField(label="field", choices=fields_of(*TEXTS))
        how = forms.ChoiceField(label="answer", choices=_TEXTS, initial="is")
        words = menus.Words(label="words", required=False, help_text="Several with commas between them.")

        def clean(self) -> None:
            if self.cleaned_data.get("how") not in (GIVEN, BLANK):
                needed(self, "words")

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        if params["how"] in (GIVEN, BLANK):
            return self.given(params, at, scope)
        text = answer(params["field"], at, scope)
        if params["how"] in ("is", "isnt"):
            found = Q(In(Upper(text), [Upper(Value(word)) for word in params["words"]]))
            return ~found if params["how"] == "isnt" else found
        lookup = IContains if params["how"] == "contains" else IStartsWith
        whole = Q(pk__in=[])
        for word in params["words"]:
            whole |= Q(lookup(text, word))
        return whole

    def asked(self, params: dict[str, Any]) -> str:
        how = {"is": "", "isnt": "not ", "contains": "containing ", "begins": "beginning with "}
        return how[params["how"]] + menus.either(params["words"])


_NUMBERS = [
    ("least", "is at least"),
    ("most", "is at most"),
    ("exactly", "is exactly"),
    ("between", "is between"),
    *ANSWERED,
]
_NUMBER = DecimalField(max_digits=30, decimal_places=10)


@conditions.register
class OwnNumber(OwnFieldCondition):
    """How large a person's answer in a number field is. Who has not answered is meant by *is blank*
    alone.
    """

    key = "crm.own_number"
    label = "Own field: number"

    class Params(forms.Form):
        field = forms.ChoiceField(label="field", choices=fields_of(OwnField.Type.NUMBER))
        how = forms.ChoiceField(label="answer", choices=_NUMBERS, initial="least")
        number = forms.DecimalField(label="number", max_digits=20, decimal_places=6, required=False)
        upto = forms.DecimalField(
            label="and", max_digits=20, decimal_places=6, required=False, help_text="For between: both count."
        )

        def clean(self) -> None:
            how = self.cleaned_data.get("how")
            if how not in (GIVEN, BLANK):
                needed(self, "number", *(["upto"] if how == "between" else []))
            low, high = self.cleaned_data.get("number"), self.cleaned_data.get("upto")
            if how == "between" and low is not None and high is not None and high < low:
                self.add_error("upto", "This is smaller than the first number.")

    def number(self, params: dict[str, Any], at: datetime, scope: Scope) -> Case:
        kept = as_of("fields", at, current=scope.current)
        is_number = Exact(_TypeOf(kept, Value(params["field"])), Value("number"))
        text = KeyTextTransform(params["field"], kept)
        return Case(When(is_number, then=Cast(text, _NUMBER)), default=None, output_field=_NUMBER)

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        if params["how"] in (GIVEN, BLANK):
            return self.given(params, at, scope)
        number = self.number(params, at, scope)
        if params["how"] == "exactly":
            return Q(Exact(number, params["number"]))
        whole = Q()
        if params["how"] in ("least", "between"):
            whole &= Q(GreaterThanOrEqual(number, params["number"]))
        if params["how"] in ("most", "between"):
            upper = params["upto"] if params["how"] == "between" else params["number"]
            whole &= Q(LessThanOrEqual(number, upper))
        return whole

    def asked(self, params: dict[str, Any]) -> str:
        number = _plain(params["number"])
        if params["how"] == "between":
            return f"between {number} and {_plain(params['upto'])}"
        return {"least": "at least ", "most": "at most ", "exactly": "exactly "}[params["how"]] + number

    def change(self, params: dict[str, Any], value: Any, *, wanted: bool) -> str:
        try:
            has = Decimal(value)
        except (ArithmeticError, TypeError, ValueError):
            return ""
        label, how = self.field(params).label, params["how"]
        if wanted and how in ("least", "between", "exactly") and has < params["number"]:
            return f"{label} higher by {_plain(params['number'] - has)}"
        top = params["upto"] if how == "between" else params["number"]
        if wanted and how in ("most", "between", "exactly") and has > top:
            return f"{label} lower by {_plain(has - top)}"
        return ""


class _TypeOf(Func):
    """The JSON type of a member."""

    template = "jsonb_typeof(%(expressions)s)"
    arg_joiner = " -> "
    output_field = TextField()


def _plain(number: Decimal) -> str:
    text = f"{number:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


@conditions.register
class OwnFlag(OwnFieldCondition):
    """What a person's answer in a yes-or-no field is: yes, no, or none at all."""

    key = "crm.own_flag"
    label = "Own field: yes or no"

    class Params(forms.Form):
        field = forms.ChoiceField(label="field", choices=fields_of(OwnField.Type.FLAG))
        how = forms.ChoiceField(
            label="answer", choices=[("yes", "is yes"), ("no", "is no"), *ANSWERED], initial="yes"
        )

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        if params["how"] in (GIVEN, BLANK):
            return self.given(params, at, scope)
        wanted = "true" if params["how"] == "yes" else "false"
        return Q(Exact(answer(params["field"], at, scope), Value(wanted)))

    def asked(self, params: dict[str, Any]) -> str:
        return f"answered with {params['how']}"

    def in_words(self, field: OwnField, value: str) -> str:
        return {"true": "yes", "false": "no"}.get(value, value)


@conditions.register
class OwnChoice(OwnFieldCondition):
    """Which answer of its list a person has in a field with a list. *Is none of* is also true of
    who has none.
    """

    key = "crm.own_choice"
    label = "Own field: one of a list"

    class Params(forms.Form):
        field = forms.ChoiceField(label="field", choices=fields_of(OwnField.Type.CHOICE))
        how = forms.ChoiceField(
            label="answer", choices=[("is", "is one of"), ("isnt", "is none of"), *ANSWERED], initial="is"
        )
        answers = menus.Words(
            label="answers", required=False, help_text="Of the field's list, with commas between them."
        )

        def clean(self) -> None:
            if self.cleaned_data.get("how") in (GIVEN, BLANK):
                return
            needed(self, "answers")
            field = OwnField.objects.filter(key=self.cleaned_data.get("field")).first()
            if field is None:
                return
            try:
                found = [own_fields.read(field, word) for word in self.cleaned_data.get("answers") or []]
            except own_fields.Unfit as unfit:
                self.add_error("answers", f"{unfit}")
            else:
                self.cleaned_data["answers"] = found

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        if params["how"] in (GIVEN, BLANK):
            return self.given(params, at, scope)
        found = Q(In(answer(params["field"], at, scope), params["answers"]))
        return ~found if params["how"] == "isnt" else found

    def asked(self, params: dict[str, Any]) -> str:
        return ("not " if params["how"] == "isnt" else "") + menus.either(params["answers"])
