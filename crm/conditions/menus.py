"""Fields that conditions share: menus of what is really there, lists typed with commas, answers in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from django import forms
from django.db import connection
from phonenumbers.geodata.locale import LOCALE_DATA

# A look into an index for each value there is, however many people have it.
_DISTINCT = """
    WITH RECURSIVE found AS (
        (SELECT {column} AS value FROM crm_contact WHERE {column} > '' ORDER BY {column} LIMIT 1)
        UNION ALL
        SELECT (SELECT {column} FROM crm_contact WHERE {column} > found.value ORDER BY {column} LIMIT 1)
        FROM found WHERE found.value IS NOT NULL
    )
    SELECT value FROM found WHERE value IS NOT NULL LIMIT 300
"""


def values_of(column: str) -> list[str]:
    """Every value that some contact has in a column with an index."""
    with connection.cursor() as cursor:
        cursor.execute(_DISTINCT.format(column=connection.ops.quote_name(column)))
        return [value for (value,) in cursor.fetchall()]


MOST_WORDS = 100
SEVERAL = "Several: hold Ctrl, or ⌘, while choosing."


class Several(forms.MultipleChoiceField):
    """Some of a menu of what is there today. A value that nobody has (any more) means nobody.

    Text with commas, as such lists were once typed, is read as well.
    """

    def __init__(
        self,
        *,
        offered: Callable[[], list[tuple[str, str]]],
        called: Callable[[str], str] = str,
        **kwargs: Any,
    ) -> None:
        super().__init__(choices=offered, **({"help_text": SEVERAL} | kwargs))
        self.offered, self.called = offered, called

    def to_python(self, value: Any) -> list[str]:
        return list(dict.fromkeys(split(value) if isinstance(value, str) else super().to_python(value)))

    def valid_value(self, value: Any) -> bool:
        return len(str(value)) <= 200

    def get_bound_field(self, form: Any, field_name: str) -> Any:
        """What is chosen stays in the menu, whoever has it."""
        bound = super().get_bound_field(form, field_name)
        chosen = bound.value() or []
        chosen = split(chosen) if isinstance(chosen, str) else [str(value) for value in chosen]

        def menu() -> list[tuple[str, str]]:
            listed = self.offered()
            there = {value for value, _ in listed}
            return listed + [(value, self.called(value)) for value in chosen if value not in there]

        self.choices = menu
        return bound


class Words(forms.CharField):
    """A list typed with commas between its members, or semicolons where a member has a comma itself."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**({"max_length": 1000} | kwargs))

    def clean(self, value: Any) -> Any:
        words = split(super().clean(value))
        if len(words) > MOST_WORDS:
            raise forms.ValidationError(
                f"These are more than {MOST_WORDS}: a rule of its own would be clearer."
            )
        if self.required and not words:
            raise forms.ValidationError(self.error_messages["required"], code="required")
        return words


def split(typed: str) -> list[str]:
    between = ";" if ";" in typed else ","
    return list(dict.fromkeys(filter(None, (" ".join(word.split()) for word in typed.split(between)))))


def either(words: Iterable[Any]) -> str:
    """Some words as one: “a”, “b” or “c”."""
    quoted = [f"“{word}”" for word in words]
    return " or ".join([", ".join(quoted[:-1]), quoted[-1]] if len(quoted) > 1 else quoted)


def listed(words: Iterable[str]) -> str:
    found = list(words)
    return " or ".join([", ".join(found[:-1]), found[-1]] if len(found) > 1 else found)


def days(number: int) -> str:
    return "1 day" if number == 1 else f"{number} days"


def in_days(number: int) -> str:
    """The span of the last so many days in words."""
    return "day" if number == 1 else f"{number} days"


@cache
def country_name(code: str) -> str:
    """The English name of a country by its code; the code itself where there is none."""
    names = LOCALE_DATA.get(code, {})
    name = names.get("en", code)
    return str(names.get(name[1:], code)) if name.startswith("*") else str(name)


def country_and_code(code: str) -> str:
    return f"{country_name(code.upper())} ({code})"


def countries() -> list[tuple[str, str]]:
    found = [(code, country_and_code(code)) for code in values_of("country")]
    return sorted(found, key=lambda choice: choice[1])


def sources() -> list[tuple[str, str]]:
    return [(value, value) for value in values_of("source")]
