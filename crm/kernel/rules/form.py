"""A rule in a form: rows that a server renders and that work without a script; or the document itself."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.template.loader import render_to_string

from crm.kernel.kinds import UnknownKind
from crm.kernel.rules.compiling import problem_of, problems
from crm.kernel.rules.condition import conditions
from crm.kernel.rules.sentences import sentence
from crm.kernel.rules.tree import ALL, ANY, DEEPEST, GROUPS, MOST, NONE, Leaf, is_blank

OPS = [(ALL, "all of these"), (ANY, "any of these"), (NONE, "none of these")]
NEW_GROUP = "group"


class RuleWidget(forms.Widget):
    """Nested groups of conditions. Names of inputs spell the place: rule-0-1-kind is in the first group."""

    offers: frozenset[str] = frozenset()

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> Any:
        document = value if isinstance(value, dict) and not is_blank(value) else {ALL: []}
        if len(document) != 1 or next(iter(document)) not in GROUPS:
            document = {ALL: [document]} if "kind" in document else {ALL: []}
        context = {
            "root": self._group_row(name, document, 1),
            "ops": OPS,
            "choices": _grouped(conditions.choices()),
            "new_group": NEW_GROUP,
            "sentence": "" if is_blank(document) else sentence(document),
            "attrs": self.build_attrs(self.attrs, attrs),
        }
        # Not through the form renderer: its engine does not look into the project's templates.
        return render_to_string("crm/rule_widget.html", context)

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        if data.get(name):
            return data[name]
        return self._posted_group(data, name, 1) if f"{name}-op" in data else None

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return name not in data and f"{name}-op" not in data

    def use_required_attribute(self, initial: Any) -> bool:
        return False

    def id_for_label(self, id_: str) -> str:
        return ""

    def _posted_group(self, data: Any, name: str, depth: int) -> dict[str, Any]:
        members: list[Any] = []
        for place in range(_count(data.get(f"{name}-count"))):
            child = f"{name}-{place}"
            if data.get(f"{child}-remove"):
                continue
            if f"{child}-op" in data and depth <= DEEPEST:
                group = self._posted_group(data, child, depth + 1)
                members += [] if is_blank(group) else [group]
            elif data.get(f"{child}-kind"):
                members.append(self._posted_leaf(data, child))
        added = data.get(f"{name}-add")
        if added == NEW_GROUP:
            members.append({ANY: []})
        elif added:
            members.append(
                {"kind": added, "params": conditions.get(added).blank() if added in conditions else {}}
            )
        return {data.get(f"{name}-op") or ALL: members}

    def _posted_leaf(self, data: Any, name: str) -> dict[str, Any]:
        kind = data[f"{name}-kind"]
        try:
            return {"kind": kind, "params": conditions.get(kind).typed(data, prefix=f"{name}-with")}
        except UnknownKind:
            return {"kind": kind, "params": {}}

    def _group_row(self, name: str, document: dict[str, Any], depth: int) -> dict[str, Any]:
        op, members = next(iter(document.items()))
        rows = []
        for place, member in enumerate(members if isinstance(members, list) else []):
            child = f"{name}-{place}"
            if (
                isinstance(member, dict)
                and len(member) == 1
                and next(iter(member)) in GROUPS
                and depth < DEEPEST
            ):
                rows.append(self._group_row(child, member, depth + 1))
            else:
                rows.append(self._leaf_row(child, member if isinstance(member, dict) else {}))
        return {"name": name, "op": op, "rows": rows, "deepest": depth >= DEEPEST}

    def _leaf_row(self, name: str, document: dict[str, Any]) -> dict[str, Any]:
        key, params = document.get("kind", ""), document.get("params") or {}
        row: dict[str, Any] = {"name": name, "kind": key, "label": str(key), "form": None, "problem": ""}
        try:
            condition = conditions.get(key)
            row |= {"label": condition.label, "help": condition.help}
            row["form"] = _dressed(condition.form(params, prefix=f"{name}-with"))
            problem = problem_of(Leaf((), key, params), self.offers)
        except UnknownKind as unknown:
            row["problem"] = str(unknown)
            return row
        if problem and problem.field not in row["form"].fields:
            row["problem"] = str(problem)
        return row


class RuleFormField(forms.Field):
    """The form's side of a rule: a document that can be read, or the reasons why not."""

    widget = RuleWidget
    default_error_messages = {"json": "This is not a rule: it is not a JSON document."}

    def __init__(
        self, *, offers: frozenset[str] = frozenset(), encoder: Any = None, decoder: Any = None, **kwargs: Any
    ) -> None:
        self.offers = offers
        super().__init__(**kwargs)
        if isinstance(self.widget, RuleWidget):
            self.widget.offers = offers

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str):
            try:
                value = json.loads(value, parse_constant=_refuse)
            except (ValueError, RecursionError):
                raise ValidationError(self.error_messages["json"], code="json") from None
        return {} if is_blank(value) else value

    def validate(self, value: Any) -> None:
        if not value:
            if self.required:
                raise ValidationError(self.error_messages["required"], code="required")
            return
        found = problems(value, self.offers)
        if found:
            raise ValidationError([ValidationError(str(problem), code="rule") for problem in found])

    def bound_data(self, data: Any, initial: Any) -> Any:
        try:
            return self.to_python(data)
        except ValidationError:
            return initial

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return self.to_python(data) != ({} if is_blank(initial) else initial)
        except ValidationError:
            return True


def _dressed(form: forms.Form) -> forms.Form:
    # Models import this module before the admin's theme can be loaded.
    from crm.kernel.backoffice import dress

    return dress(form)


def _grouped(choices: list[tuple[str, Any]]) -> list[tuple[str, list[tuple[str, str]]]]:
    loose = [(key, label) for key, label in choices if isinstance(label, str)]
    return [("", loose), *[(heading, kinds) for heading, kinds in choices if not isinstance(kinds, str)]]


def _count(posted: Any) -> int:
    return (
        min(int(posted), MOST + 1)
        if isinstance(posted, str) and posted.isdecimal() and len(posted) < 5
        else 0
    )


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no value")
