"""Pages of the reference from the registries: a kind's docstring, its parameters, a sentence it would say."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from typing import Any

from django import forms
from django.utils.choices import CallableChoiceIterator

from campaigns.flows.kinds import Step, steps, triggers
from config.reference import samples
from crm.kernel.kinds import Kind
from crm.kernel.rules import Condition, RuleFormField, conditions

NOTE = "*Written by `make docs` from the program itself; a test fails when this page is old.*"
_LISTED = 12


def pages() -> dict[str, str]:
    """Name of the file to its text. Asks the database: call it where `samples.cast` has made its rows."""
    return {
        "conditions.md": _page(
            "Conditions",
            "What a rule can say of a person. Conditions compose in groups, *all*, *any* and *none*, to any"
            " depth. A rule with a condition that cannot be read, because what it names was deleted, means"
            " nobody.",
            conditions,
        ),
        "triggers.md": _page("Triggers", "What lets people into a campaign.", triggers),
        "steps.md": _page(
            "Steps", "What a campaign does with the people in it, one step after another.", steps
        ),
    }


def _page(title: str, about: str, kinds: Iterable[Kind]) -> str:
    parts = [f"# {title}", about, NOTE]
    heading = None
    for kind in kinds:
        if kind.group != heading:
            heading = kind.group
            parts.append(f"## {heading or 'Others'}")
        parts += _about(kind)
    return "\n\n".join(parts) + "\n"


def _about(kind: Kind) -> Iterator[str]:
    yield f"### {kind.label}"
    yield _said(kind)
    if kind.help:
        yield kind.help
    if isinstance(kind, Step) and kind.permission:
        yield f"Who adds or changes it needs the permission `{kind.permission}`: {kind.takes_care}."
    if isinstance(kind, Condition) and (sentence := samples.sentence(kind)):
        yield f"> People who {sentence}."
    if kind.Params.base_fields:
        yield "\n".join(_parameters(kind))
    yield f"Key: `{kind.key}`." + (_limits(kind) if isinstance(kind, Condition) else "")


def _said(kind: Kind) -> str:
    paragraphs = inspect.cleandoc(type(kind).__doc__ or "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _limits(kind: Condition) -> str:
    told = " Of a day in the past it answers exactly."
    if not kind.exact_in_past:
        told = " Of a day in the past it answers with what is so now, and says so."
    if kind.needs:
        known = " and ".join(
            _NEEDED.get(need, f"the {need.rpartition(':')[2]} it is about") for need in sorted(kind.needs)
        )
        told += f" It can only be asked within a campaign that knows {known}."
    return told


_NEEDED = {"entered_at": "when somebody entered", "subject": "what it is about"}


def _parameters(kind: Kind) -> Iterator[str]:
    yield "| Parameter | What to fill in | |"
    yield "|---|---|---|"
    for name, field in kind.Params.base_fields.items():
        about = " ".join(filter(None, [str(field.help_text), "" if field.required else "May stay blank."]))
        yield f"| {_cell(field.label or name)} | {_cell(_what(field))} | {_cell(about)} |"


def _what(field: forms.Field) -> str:
    if isinstance(field, forms.ModelChoiceField):
        return "one of a menu"
    if isinstance(field, forms.ChoiceField):
        if isinstance(field.choices, CallableChoiceIterator):
            return "some of a menu" if isinstance(field, forms.MultipleChoiceField) else "one of a menu"
        labels = list(_labels(field.choices))
        shown = "; ".join(f"*{label}*" for label in labels[:_LISTED])
        return shown + (f" and {len(labels) - _LISTED} more" if len(labels) > _LISTED else "")
    least, most = getattr(field, "min_value", None), getattr(field, "max_value", None)
    if isinstance(field, forms.DecimalField | forms.FloatField | forms.IntegerField):
        sort = "a whole number" if type(field) is forms.IntegerField else "a number"
        if least is not None and most is not None:
            return f"{sort} from {least:,} to {most:,}"
        return f"{sort}, at least {least:,}" if least is not None else sort
    return next((words for one, words in _SORTS if isinstance(field, one)), "text")


_SORTS: list[tuple[type[forms.Field], str]] = [
    (forms.BooleanField, "yes or no"),
    (forms.DateTimeField, "a moment"),
    (forms.DateField, "a day"),
    (forms.TimeField, "a time of the day"),
    (RuleFormField, "a rule"),
]


def _labels(choices: Any) -> Iterator[str]:
    for value, label in choices:
        if isinstance(label, list | tuple):
            yield from _labels(label)
        elif value not in ("", None):
            yield str(label)


def _cell(text: Any) -> str:
    plain = " ".join(str(text).split()).replace("|", "\\|")
    return plain[:1].upper() + plain[1:]
