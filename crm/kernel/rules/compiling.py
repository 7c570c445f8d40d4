"""A rule becomes a database filter as of an instant, and nothing else. What cannot be read matches nobody."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import BooleanField, Case, Exists, Q, QuerySet, Value, When

from crm.kernel.kinds import BrokenParams, UnknownKind
from crm.kernel.rules.condition import Condition, Scope, conditions
from crm.kernel.rules.narrowing import bare
from crm.kernel.rules.tree import ALL, ANY, NONE, Group, Leaf, Malformed, Problem, parse

# What parameters that passed their form can still run into: a span too long for a date, a number too large.
UNREADABLE = (BrokenParams, UnknownKind, ValueError, ArithmeticError)


def nobody() -> Q:
    """The filter that matches no row, and that the database is not even asked about."""
    return Q(pk__in=[])


def compile(document: Any, at: datetime, scope: Scope | None = None) -> Q:
    """Contacts for whom the rule is true as of `at`. Any problem in it, at whatever depth, means nobody.

    A problem may stand below *none*, where "matches nobody" would have turned into everybody: hence the
    whole rule.
    """
    try:
        root = parse(document)
        return _compiled(root, at, scope or Scope(), negated=False, outright=True)
    except UNREADABLE:
        return nobody()


def drift(
    document: Any, since: datetime, at: datetime, scope: Scope | None = None
) -> list[QuerySet[Any]] | None:
    """Queries of the ids of everybody whose verdict time alone may have changed between two instants.

    None where one condition cannot say, or the rule cannot be read: everybody has to be asked again.
    """
    found: list[QuerySet[Any]] = []
    try:
        for leaf in parse(document).leaves():
            condition, params = read(leaf)
            turned = condition.drift(params, since, at, scope or Scope())
            if turned is None:
                return None
            found += turned
    except UNREADABLE:
        return None
    return found


def problems(document: Any, offers: frozenset[str] | None = None) -> list[Problem]:
    """Everything that keeps the rule from being read, each with its place; no problem means it can be asked.

    `offers` says what the place the rule is for knows of a scope; without it that is not looked at.
    """
    try:
        root = parse(document)
    except Malformed as malformed:
        return malformed.problems
    return [problem for leaf in root.leaves() if (problem := problem_of(leaf, offers))]


def problem_of(leaf: Leaf, offers: frozenset[str] | None) -> Problem | None:
    try:
        condition, params = read(leaf)
        condition.sentence(params)
        if offers is not None:
            _refuse_missing_scope(condition, offers)
    except BrokenParams as broken:
        return Problem(leaf.path, broken.message, broken.field)
    except UNREADABLE as error:
        return Problem(leaf.path, str(error))
    return None


def read(leaf: Leaf) -> tuple[Condition, dict[str, Any]]:
    """The condition of a leaf and its parameters as values. Raises what UNREADABLE lists."""
    condition = conditions.get(leaf.kind)
    return condition, condition.read(leaf.params)


def leaf_q(leaf: Leaf, at: datetime, scope: Scope) -> Q | Exists:
    condition, params = read(leaf)
    _refuse_missing_scope(condition, scope.offers)
    q = condition.q(params, at, scope)
    if not _says_something(q):
        raise BrokenParams("", "says nothing of anybody")
    return q


def _says_something(q: Any) -> bool:
    # An empty Q filters nothing: it would mean everybody.
    return any(_says_something(child) for child in q.children) if isinstance(q, Q) else True


def two_valued(q: Q | Exists) -> Q:
    """The same filter, false where SQL would say NULL: a person is in or out, also after a *none*."""
    if isinstance(q, Exists):
        return Q(q)
    if len(q.children) == 1 and isinstance(q.children[0], Exists):
        return q
    return Q(verdict(q))


def verdict(q: Q | Exists) -> Case:
    return Case(When(q, then=Value(True)), default=Value(False), output_field=BooleanField())


def _refuse_missing_scope(condition: Condition, offers: frozenset[str]) -> None:
    missing = sorted(condition.needs - offers)
    if missing:
        raise BrokenParams("", f"can only be asked within a campaign that knows its {' and '.join(missing)}")


def _compiled(node: Group | Leaf, at: datetime, scope: Scope, *, negated: bool, outright: bool) -> Q:
    """`outright`: nothing but *all* stands above, so that whoever is meant fulfils it."""
    if isinstance(node, Leaf):
        q = leaf_q(node, at, scope)
        if outright:
            return Q(bare(q))
        return two_valued(q) if negated else Q(q)
    negated, outright = negated or node.op == NONE, outright and node.op == ALL
    parts = [_compiled(member, at, scope, negated=negated, outright=outright) for member in node.members]
    whole = Q()
    for part in parts:
        whole = whole | part if node.op in (ANY, NONE) else whole & part
    return ~whole if node.op == NONE else whole
