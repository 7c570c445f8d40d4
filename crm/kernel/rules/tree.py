"""What a stored rule looks like: groups *all / any / none* over conditions, to a depth, and nothing else.

{"all": [{"kind": "crm.bought", "params": {"times": "2"}}, {"none": [{"kind": "crm.tagged", "params": {}}]}]}
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

ALL, ANY, NONE = "all", "any", "none"
GROUPS = (ALL, ANY, NONE)
DEEPEST = 10
MOST = 200

Path = tuple[int, ...]


@dataclass(frozen=True)
class Problem:
    """What keeps a rule from being read, and where it stands: 1.2 is the second of the first."""

    path: Path
    message: str
    field: str = ""

    @property
    def where(self) -> str:
        return ".".join(str(step + 1) for step in self.path)

    def __str__(self) -> str:
        prefix = f"{self.where}: " if self.path else ""
        field = f"{self.field}: " if self.field else ""
        return f"{prefix}{field}{self.message}"


@dataclass(frozen=True)
class Leaf:
    """One condition as stored: which, and with what."""

    path: Path
    kind: str
    params: dict[str, Any]


@dataclass(frozen=True)
class Group:
    """All, any or none of what stands below."""

    path: Path
    op: str
    members: tuple[Group | Leaf, ...]

    def leaves(self) -> Iterator[Leaf]:
        for member in self.members:
            if isinstance(member, Leaf):
                yield member
            else:
                yield from member.leaves()


class Malformed(ValueError):
    """The document is no rule; carries every problem found."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(str(problem) for problem in problems))
        self.problems = problems


def is_blank(document: Any) -> bool:
    """Whether nothing was said at all: no document, or one group without members."""
    if not document:
        return True
    return isinstance(document, dict) and len(document) == 1 and next(iter(document.items()))[1] == []


def parse(document: Any) -> Group:
    """The tree of a stored document, its shape checked to the last key; kinds and parameters are not."""
    reader = _Reader()
    root = reader.node(document, (), 1)
    if not reader.problems and reader.count == 0:
        reader.problems.append(Problem((), "no condition is given, so nobody is meant"))
    if not reader.problems and not isinstance(root, Group):
        reader.problems.append(Problem((), "a rule begins with a group: all, any or none"))
    if reader.problems or not isinstance(root, Group):
        raise Malformed(reader.problems)
    return root


class _Reader:
    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.count = 0

    def node(self, document: Any, path: Path, depth: int) -> Group | Leaf | None:
        if not document and not path:
            return self._problem(path, "no condition is given, so nobody is meant")
        if not isinstance(document, dict):
            return self._problem(path, "is neither a group nor a condition")
        if set(document) <= {"kind", "params"} and "kind" in document:
            return self._leaf(document, path)
        if len(document) == 1 and next(iter(document)) in GROUPS:
            return self._group(*next(iter(document.items())), path, depth)
        return self._problem(
            path, "is neither one group (all, any or none) nor a condition with kind and params"
        )

    def _leaf(self, document: dict[str, Any], path: Path) -> Leaf | None:
        self.count += 1
        if self.count == MOST + 1:
            self._problem(path, f"a rule holds {MOST} conditions at most")
        kind, params = document["kind"], document.get("params", {})
        if not isinstance(kind, str):
            return self._problem(path, "the kind of a condition is a text")
        if not isinstance(params, dict):
            return self._problem(path, "parameters are a list of names and values")
        return Leaf(path, kind, params)

    def _group(self, op: str, members: Any, path: Path, depth: int) -> Group | None:
        if depth > DEEPEST:
            return self._problem(path, f"groups stand {DEEPEST} deep at most")
        if not isinstance(members, list):
            return self._problem(path, "a group holds a list")
        if not members and path:
            return self._problem(path, "an empty group says nothing: fill it or remove it")
        if self.count > MOST:
            return None
        found = [
            self.node(member, (*path, place), depth + 1) for place, member in enumerate(members[: MOST + 1])
        ]
        return Group(path, op, tuple(member for member in found if member is not None))

    def _problem(self, path: Path, message: str) -> Any:
        self.problems.append(Problem(path, message))
        return None
