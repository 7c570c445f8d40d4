"""A rule as one English sentence, so that a marketer can check it meant what it says."""

from __future__ import annotations

from typing import Any

from crm.kernel.rules.compiling import UNREADABLE, read
from crm.kernel.rules.tree import ALL, ANY, Group, Leaf, Malformed, is_blank, parse


def sentence(document: Any) -> str:
    """The whole rule in one sentence; one that cannot be read says so, and that it means nobody."""
    if is_blank(document):
        return "Nobody: no condition is given."
    try:
        root = parse(document)
    except Malformed as malformed:
        return f"Nobody: the rule cannot be read ({malformed})."
    broken = [leaf for leaf in root.leaves() if words(leaf) is None]
    spoken = f"People who {_said(root)}."
    if broken:
        return f"Nobody, because {len(broken)} of its conditions cannot be read: {spoken}"
    return spoken


def clause(document: Any) -> str:
    """A rule that can be read as the words that follow "people who". Raises Malformed."""
    return _said(parse(document))


def words(leaf: Leaf) -> str | None:
    """One condition in words, or None where it cannot be read."""
    try:
        condition, params = read(leaf)
        return condition.sentence(params)
    except UNREADABLE:
        return None


def _said(node: Group | Leaf, *, inner: bool = False) -> str:
    if isinstance(node, Leaf):
        return words(node) or f"[a condition that cannot be read: {node.kind}]"
    parts = [_said(member, inner=True) for member in node.members]
    if node.op == ALL:
        # A comma where a group stands between, so that one hears where it ends.
        comma = "," if any(isinstance(member, Group) for member in node.members) else ""
        joined = f"{comma} and ".join(parts)
        return f"({joined})" if inner and len(parts) > 1 else joined
    joined = " or ".join(parts)
    if node.op == ANY:
        return f"either {joined}" if len(parts) > 1 else joined
    return f"are not among those who {joined}"
