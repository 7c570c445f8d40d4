"""Why is she in, why is he not: every condition with verdict and evidence for one person, in one query."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from crm.kernel.rules.compiling import UNREADABLE, leaf_q, problem_of, read, verdict
from crm.kernel.rules.condition import Scope
from crm.kernel.rules.sentences import words
from crm.kernel.rules.tree import ALL, NONE, Group, Leaf, Malformed, Path, Problem, parse


@dataclass(frozen=True)
class Verdict:
    """One node of the rule as it stands for one person; a condition that cannot be read has no verdict."""

    path: Path
    is_true: bool | None
    op: str = ""
    kind: str = ""
    sentence: str = ""
    evidence: str = ""
    value: Any = None
    exact: bool = True
    problem: Problem | None = None
    change: str = ""
    members: tuple[Verdict, ...] = ()

    def leaves(self) -> list[Verdict]:
        if not self.op:
            return [self]
        return [leaf for member in self.members for leaf in member.leaves()]


@dataclass(frozen=True)
class Explanation:
    """The answer for one person, and the fewest conditions that must turn out otherwise to change it."""

    is_match: bool
    root: Verdict | None = None
    flips: tuple[Verdict, ...] = ()
    problems: tuple[Problem, ...] = field(default=())

    @property
    def exact(self) -> bool:
        """Whether nothing in it is "as it is now" where the question was about the past."""
        return self.root is not None and all(leaf.exact for leaf in self.root.leaves())

    @property
    def change(self) -> str:
        """The smallest change in words."""
        if not self.flips:
            return ""
        wanted = [leaf.change or ("not: " if leaf.is_true else "") + leaf.sentence for leaf in self.flips]
        return f"It would be {'out' if self.is_match else 'in'} with: {'; '.join(wanted)}"


def explain(
    queryset: QuerySet[Any], document: Any, at: datetime, scope: Scope | None = None
) -> Explanation | None:
    """The rule for the one row of a query over contacts; None where the query has no row."""
    try:
        root = parse(document)
    except Malformed as malformed:
        return Explanation(False, problems=tuple(malformed.problems)) if queryset.exists() else None
    person = queryset.order_by().values_list("pk", flat=True).first()
    if person is None:
        return None
    # Of one person alone, so that what counts everybody's rows counts theirs.
    scope = replace(scope or Scope(), among=[person])
    asked: dict[str, Any] = {}
    troubles: dict[Path, Problem] = {}
    for leaf in root.leaves():
        try:
            condition, params = read(leaf)
            asked[_name("is", leaf)] = verdict(leaf_q(leaf, at, scope))
            evidence = condition.evidence(params, at, scope)
        except UNREADABLE as error:
            troubles[leaf.path] = problem_of(leaf, scope.offers) or Problem(leaf.path, str(error))
            continue
        if evidence is not None:
            asked[_name("ev", leaf)] = evidence
    row = queryset.order_by().annotate(**asked).values("pk", *asked).first()
    if row is None:
        return None
    tree = _judged(root, row, troubles)
    if troubles:
        return Explanation(False, replace(tree, is_true=False), problems=tuple(troubles.values()))
    return Explanation(bool(tree.is_true), tree, tuple(_cheapest(tree, not tree.is_true)))


def _name(prefix: str, leaf: Leaf) -> str:
    return f"rule_{prefix}_{'_'.join(str(step) for step in leaf.path)}"


def _judged(node: Group | Leaf, row: dict[str, Any], troubles: dict[Path, Problem]) -> Verdict:
    if isinstance(node, Leaf):
        return _judged_leaf(node, row, troubles)
    members = tuple(_judged(member, row, troubles) for member in node.members)
    answers = [member.is_true for member in members]
    if None in answers:
        is_true = None
    elif node.op == ALL:
        is_true = all(answers)
    else:
        is_true = any(answers) != (node.op == NONE)
    return Verdict(node.path, is_true, op=node.op, members=members)


def _judged_leaf(leaf: Leaf, row: dict[str, Any], troubles: dict[Path, Problem]) -> Verdict:
    if leaf.path in troubles:
        unread = words(leaf) or f"a condition that cannot be read ({leaf.kind})"
        return Verdict(leaf.path, None, kind=leaf.kind, sentence=unread, problem=troubles[leaf.path])
    condition, params = read(leaf)
    value, is_true = row.get(_name("ev", leaf)), row[_name("is", leaf)]
    return Verdict(
        leaf.path,
        is_true,
        kind=leaf.kind,
        sentence=condition.sentence(params),
        evidence=condition.tell(params, value),
        value=value,
        exact=condition.exact_in_past,
        change=condition.change(params, value, wanted=not is_true),
    )


def _cheapest(node: Verdict, wanted: bool) -> list[Verdict]:
    """The fewest leaves that have to change for the node to become what is wanted; the first of equals."""
    if node.is_true is wanted:
        return []
    if not node.op:
        return [node]
    members_wanted = wanted if node.op != NONE else not wanted
    changes = [_cheapest(member, members_wanted) for member in node.members]
    # *all* becomes true, and *any* false, only by every member; the other way one member is enough.
    if (node.op == ALL) == members_wanted:
        return [leaf for change in changes for leaf in change]
    return min(changes, key=len)
