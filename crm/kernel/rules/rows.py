"""A rule as rows of a form: read from what a browser posted, with what was pressed done, and laid out again.

Names of inputs spell the place: rule-0-1-kind is the second condition of the first group of the rule.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django import forms

from crm.kernel.kinds import UnknownKind
from crm.kernel.rules.compiling import problem_of, problems
from crm.kernel.rules.condition import conditions
from crm.kernel.rules.tree import ALL, ANY, DEEPEST, GROUPS, MOST, NONE, Leaf, Path, is_blank

OPS = [(ALL, "all of these"), (ANY, "any of these"), (NONE, "none of these")]
NEW_GROUP = "group"
UP, DOWN = "up", "down"


@dataclass
class Posted:
    """What a browser posted under a name: the rule, and the place the hand goes on at after what it pressed.

    A form that is saved leaves groups without conditions out; one that is still being worked on keeps them.
    """

    name: str
    data: Any
    keeps_empty: bool = False
    document: dict[str, Any] = field(init=False)
    focus: str = field(init=False, default="")
    _moved: tuple[list[int], str] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.document = self._group(self.name, [], 1)
        if self._moved:
            path, direction = self._moved
            place = moved(self.document, path, direction)
            self.focus = f"{self._name(place)}-{direction}"

    def _group(self, name: str, path: list[int], depth: int) -> dict[str, Any]:
        members: list[Any] = []
        for place in range(count_of(self.data.get(f"{name}-count"))):
            child, here = f"{name}-{place}", [*path, len(members)]
            if self.data.get(f"{child}-remove"):
                self.focus = self._name(here)
                continue
            if f"{child}-op" in self.data and depth <= DEEPEST:
                group = self._group(child, here, depth + 1)
                if is_blank(group) and not self.keeps_empty:
                    continue
                members.append(group)
            elif self.data.get(f"{child}-kind"):
                members.append(self._leaf(child))
            else:
                continue
            for direction in (UP, DOWN):
                if self.data.get(f"{child}-{direction}"):
                    self._moved = here, direction
        if added := self.data.get(f"{name}-add"):
            self.focus = self._name([*path, len(members)])
            members.append(_new(added))
        op = self.data.get(f"{name}-op")
        return {op if isinstance(op, str) and op else ALL: members}

    def _leaf(self, name: str) -> dict[str, Any]:
        kind = self.data[f"{name}-kind"]
        try:
            return {"kind": kind, "params": conditions.get(kind).typed(self.data, prefix=f"{name}-with")}
        except UnknownKind:
            return {"kind": kind, "params": {}}

    def _name(self, path: list[int]) -> str:
        return "-".join([self.name, *map(str, path)])


def without_empty(document: dict[str, Any]) -> dict[str, Any]:
    """The rule as it is saved: groups without conditions left out."""
    op, members = next(iter(document.items()))
    kept = [without_empty(member) if "kind" not in member else member for member in members]
    return {op: [member for member in kept if not is_blank(member)]}


def without(document: dict[str, Any], paths: set[Path]) -> tuple[dict[str, Any], int]:
    """The rule without what stands at these places, nor groups that hold nothing then; and how many went."""
    op, members = next(iter(document.items()))
    if () in paths:
        return {op: []}, 1
    kept, gone = [], 0
    for place, member in enumerate(members if isinstance(members, list) else []):
        below = {path[1:] for path in paths if path[0] == place}
        if () in below:
            gone += 1
            continue
        if below:
            member, fewer = without(member, below)
            gone += fewer
        if not is_blank(member):
            kept.append(member)
    return {op: kept}, gone


def readable(document: dict[str, Any], offers: frozenset[str]) -> tuple[dict[str, Any], int]:
    """What of a rule can be asked while the rest is still being mended; and how much that leaves out."""
    left_out = 0
    while not is_blank(document) and (found := problems(document, offers)):
        document, gone = without(document, {problem.path for problem in found})
        left_out += gone
    return document, left_out


def moved(document: dict[str, Any], path: list[int], direction: str) -> list[int]:
    """Move a row one line up or down, into and out of groups as they are passed. Returns its new place."""
    *above, place = path
    siblings = _members(document, above)
    step = -1 if direction == UP else 1
    row, beside = siblings[place], place + step
    if 0 <= beside < len(siblings):
        next_to = siblings[beside]
        if "kind" not in next_to and len(above) + 2 + _height(row) <= DEEPEST:
            inside = next(iter(next_to.values()))
            at = len(inside) if direction == UP else 0
            inside.insert(at, siblings.pop(place))
            return [*above, beside if direction == UP else place, at]
        siblings[place], siblings[beside] = next_to, row
        return [*above, beside]
    if not above:
        return path
    *higher, group = above
    at = group if direction == UP else group + 1
    _members(document, higher).insert(at, siblings.pop(place))
    return [*higher, at]


def laid_out(name: str, document: Any, offers: frozenset[str]) -> dict[str, Any]:
    """The root group as a template shows it, each condition with its form and what is wrong with it."""
    return _group_row(name, as_group(document), (), offers)


def as_group(document: Any) -> dict[str, Any]:
    """Whatever is stored, as one group; what is no rule at all is shown as none."""
    if not isinstance(document, dict):
        return {ALL: []}
    if len(document) == 1 and next(iter(document)) in GROUPS:
        return document
    return {ALL: [document]} if "kind" in document else {ALL: []}


def menu(offers: frozenset[str]) -> list[tuple[str, list[tuple[str, str]]]]:
    """The conditions that can be asked here, by the headings they stand under."""
    found: list[tuple[str, list[tuple[str, str]]]] = []
    for heading, kinds in conditions.choices():
        grouped = [(heading, kinds)] if isinstance(kinds, str) else kinds
        asked = [(key, label) for key, label in grouped if conditions.get(key).needs <= offers]
        if asked:
            found.append(("" if isinstance(kinds, str) else heading, asked))
    return found


def count_of(posted: Any) -> int:
    """A posted number of rows, as far as rows are read."""
    if isinstance(posted, str) and posted.isascii() and posted.isdecimal() and len(posted) < 5:
        return min(int(posted), MOST + 1)
    return 0


def _new(kind: str) -> dict[str, Any]:
    if kind == NEW_GROUP:
        return {ANY: []}
    return {"kind": kind, "params": conditions.get(kind).blank() if kind in conditions else {}}


def _members(document: dict[str, Any], path: list[int]) -> list[Any]:
    members: list[Any] = next(iter(document.values()))
    for step in path:
        members = next(iter(members[step].values()))
    return members


def _height(row: dict[str, Any]) -> int:
    """How many groups stand below one another in a row; none in a condition."""
    if "kind" in row:
        return 0
    return 1 + max((_height(member) for member in next(iter(row.values()))), default=0)


def _group_row(
    name: str, document: dict[str, Any], path: tuple[int, ...], offers: frozenset[str]
) -> dict[str, Any]:
    op, members = next(iter(document.items()))
    rows = []
    listed = members if isinstance(members, list) else []
    for place, member in enumerate(listed):
        child, here = f"{name}-{place}", (*path, place)
        is_group = isinstance(member, dict) and len(member) == 1 and next(iter(member)) in GROUPS
        if is_group and len(here) < DEEPEST:
            row = _group_row(child, member, here, offers)
        else:
            row = _leaf_row(child, member if isinstance(member, dict) else {}, here, offers)
        row |= {"first": here == (0,), "last": here == (len(listed) - 1,)}
        rows.append(row)
    where = ".".join(str(step + 1) for step in path)
    return {"name": name, "op": op, "rows": rows, "deepest": len(path) + 1 >= DEEPEST, "where": where}


def _leaf_row(
    name: str, document: dict[str, Any], path: tuple[int, ...], offers: frozenset[str]
) -> dict[str, Any]:
    key, params = document.get("kind", ""), document.get("params") or {}
    row: dict[str, Any] = {"name": name, "kind": key, "label": str(key), "form": None, "problem": ""}
    row["where"] = ".".join(str(step + 1) for step in path)
    try:
        condition = conditions.get(key)
        row |= {"label": condition.label, "help": condition.help}
        row["form"] = _dressed(condition.form(params, prefix=f"{name}-with"), row["where"])
        problem = problem_of(Leaf((), key, params), offers)
    except UnknownKind as unknown:
        row["problem"] = str(unknown)
        return row
    if problem and problem.field not in row["form"].fields:
        row["problem"] = str(problem)
    return row


def _dressed(form: forms.Form, where: str) -> forms.Form:
    # Models import this module before the admin's theme can be loaded.
    from crm.kernel.backoffice import dress

    for one in form.fields.values():
        if isinstance(one.widget, forms.NumberInput):
            # A text with a keyboard of digits: the wheel of a mouse changes no number by accident.
            one.widget.input_type = "text"
            one.widget.attrs |= {"inputmode": "decimal", "size": 6}
    return dress(form)
