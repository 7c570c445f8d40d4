"""What an act told, as conditions ask for it: its own name, its page, the words searched for, any property.

A property is found by a name that travels beside the statement, never within it, and compared by one of a few
comparisons; numbers as numbers, all else as text whatever its capitals.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.db.models import Case, DecimalField, F, Func, IntegerField, Q, TextField, Value, When
from django.db.models.functions import Cast, Left, Lower
from django.db.models.lookups import Exact, GreaterThan, IContains, IStartsWith, LessThan, Regex

from crm.conditions.words import joined
from tracking.models import EventKind

IS, CONTAINS, BEGINS, MORE, LESS, GIVEN = "is", "contains", "begins", "more", "less", "given"
TEXTS = [(CONTAINS, "contains"), (IS, "is"), (BEGINS, "begins with")]
COMPARISONS = [
    (IS, "is"),
    (CONTAINS, "contains"),
    (BEGINS, "begins with"),
    (MORE, "is more than"),
    (LESS, "is less than"),
    (GIVEN, "is given"),
]
_SAID = {CONTAINS: "containing", IS: "", BEGINS: "beginning with", MORE: "above", LESS: "below"}
_NUMBER = r"^-?[0-9]{1,15}(\.[0-9]{1,10})?$"
_AMOUNT: DecimalField[Any, Any] = DecimalField(max_digits=25, decimal_places=10)


class ToldForm(forms.Form):
    """Only acts that told this; all blank means any."""

    address_is = forms.ChoiceField(label="page address", choices=TEXTS, initial=CONTAINS, required=False)
    address = forms.CharField(
        label="address", max_length=500, required=False, help_text="Such as /sale. Blank: any page."
    )
    search_words = forms.CharField(
        label="search words contain", max_length=200, required=False, help_text="For searches alone."
    )
    told = forms.CharField(
        label="property", max_length=60, required=False, help_text="Such as price, title, or one of your own."
    )
    told_is = forms.ChoiceField(label="compared", choices=COMPARISONS, initial=IS, required=False)
    told_value = forms.CharField(label="with", max_length=200, required=False)

    def clean_address_is(self) -> str:
        return self.cleaned_data["address_is"] or CONTAINS

    def clean_told_is(self) -> str:
        return self.cleaned_data["told_is"] or IS

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("search_words") and cleaned.get("event") not in (None, EventKind.SEARCH):
            self.add_error("search_words", "only searches have words: choose “searched”, or leave this blank")
        name, how, value = (cleaned.get(field) for field in ("told", "told_is", "told_value"))
        if value and not name:
            self.add_error("told", "say of which property")
        if name and not value and how != GIVEN:
            self.add_error("told_value", "say what to compare it with")
        if name and value and how in (MORE, LESS) and _number(value) is None:
            self.add_error("told_value", "this comparison needs a number, such as 19.90")
        return cleaned


def is_asked(params: dict[str, Any]) -> bool:
    """Whether only the acts themselves can answer: daily counts do not know of this."""
    return bool(params["address"] or params["search_words"] or params["told"])


def on_events(params: dict[str, Any]) -> Q:
    """Acts that told what is asked."""
    found = Q()
    if params["address"]:
        found &= _compared(F("url"), params["address_is"], params["address"])
    if params["search_words"]:
        found &= Q(IContains(prop("query"), params["search_words"]))
    if params["told"]:
        found &= _compared(prop(params["told"]), params["told_is"], params["told_value"])
    return found


def prop(name: str) -> Func:
    """A property of an event as text."""
    key = Value(name, output_field=TextField())
    return Func(F("props"), key, function="jsonb_extract_path_text", output_field=TextField())


def small(text: Any, longest: int) -> Left:
    """Letters made small by the database, as daily counts have them."""
    return Left(Lower(text), Value(longest, output_field=IntegerField()), output_field=TextField())


def in_words(params: dict[str, Any]) -> str:
    return joined(
        joined("at the address", _SAID[params["address_is"]], f"“{params['address']}”")
        if params["address"]
        else "",
        f"for words containing “{params['search_words']}”" if params["search_words"] else "",
        _told_in_words(params) if params["told"] else "",
    )


def _told_in_words(params: dict[str, Any]) -> str:
    if params["told_is"] == GIVEN:
        return f"with “{params['told']}” given"
    return joined(f"with “{params['told']}”", _SAID[params["told_is"]], f"“{params['told_value']}”")


def _compared(text: Any, how: str, value: str) -> Q:
    match how:
        case "contains":
            return Q(IContains(text, value))
        case "begins":
            return Q(IStartsWith(text, value))
        case "given":
            return ~Q(Exact(_or_blank(text), Value("")))
        case "more" | "less":
            number = Case(When(Regex(text, _NUMBER), then=Cast(text, _AMOUNT)), output_field=_AMOUNT)
            compare = GreaterThan if how == "more" else LessThan
            return Q(compare(number, Value(_number(value), output_field=_AMOUNT)))
        case _:
            return Q(Exact(Lower(text), Lower(Value(value))))


def _or_blank(text: Any) -> Func:
    return Func(text, Value(""), function="COALESCE", output_field=TextField())


def _number(text: str) -> Decimal | None:
    try:
        found = Decimal(text.replace(",", "."))
    except InvalidOperation:
        return None
    return found if found.is_finite() and abs(found) < 10**15 else None
