"""A flow as an outline: the steps in the order people meet them, paths side by side where they part, together
again where a step is for everyone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from campaigns.flows.kinds import steps
from campaigns.models import Step
from crm.kernel.kinds import BrokenParams, UnknownKind


@dataclass(eq=False)
class Node:
    """A step with the paths that part below it. Without a step: paths that go on after people had met."""

    row: Step | None
    lanes: list[Lane] = field(default_factory=list)

    def rows(self) -> Iterator[Step]:
        if self.row is not None:
            yield self.row
        for lane in self.lanes:
            yield from lane.rows()


@dataclass(eq=False)
class Lane:
    """The steps of one path, or with a blank name those for everyone. `is_fed`: a step above puts people on
    it.
    """

    name: str = ""
    is_fed: bool = True
    nodes: list[Node] = field(default_factory=list)

    def rows(self) -> Iterator[Step]:
        for node in self.nodes:
            yield from node.rows()


@dataclass(frozen=True)
class Place:
    """Where a step stands: in which lane, at which place of it."""

    lane: Lane
    index: int


def paths_of(row: Step) -> list[str]:
    """The paths this step puts people on, each once; none where the step cannot be read."""
    try:
        kind = steps.get(row.kind)
        return list(dict.fromkeys(name for name in kind.paths(kind.read(row.params)) if name))
    except (UnknownKind, BrokenParams):
        return []


def outline(rows: Iterable[Step]) -> Lane:
    """The lane of everyone, with all others below the steps at which they part."""
    top = Lane()
    ahead = list(rows)
    open_lanes: dict[str, Lane] = {}
    fed: set[str] = set()
    while ahead:
        row = ahead.pop(0)
        if not row.path:
            lane, open_lanes = top, {}
        elif row.path in open_lanes:
            lane = open_lanes[row.path]
        else:
            lane = open_lanes[row.path] = Lane(row.path, row.path in fed)
            _block_at_the_end(top).lanes.append(lane)
        node = Node(row)
        lane.nodes.append(node)
        names = paths_of(row)
        fed |= set(names)
        if names and _begins_here(names, row, ahead):
            node.lanes = [Lane(name) for name in names]
            open_lanes |= {one.name: one for one in node.lanes}
    return top


def _block_at_the_end(top: Lane) -> Node:
    if not top.nodes or top.nodes[-1].row is not None:
        top.nodes.append(Node(None))
    return top.nodes[-1]


def _begins_here(names: Sequence[str], row: Step, ahead: Sequence[Step]) -> bool:
    """Whether the paths part right below the step. Where a step for everyone comes first, they part below
    that one.
    """
    if not ahead or ahead[0].path in names:
        return True
    return not any(later.path in names for later in ahead) or bool(row.path and ahead[0].path)


def find(top: Lane, key: str) -> Place | None:
    """Where the step with this key stands."""
    found = _way(top, key)
    return found[-1] if found else None


def place_after(top: Lane, after: str, path: str) -> Place | None:
    """Where something on this path would stand right below the step `after`: at the very beginning where that
    is blank, nothing where the step is gone.
    """
    if not after:
        return Place(top, 0)
    way = _way(top, after)
    if not way:
        return None
    for place in reversed(way):
        if place.lane.name == path:
            return Place(place.lane, place.index + 1)
    last = way[-1]
    parted = next((lane for lane in last.lane.nodes[last.index].lanes if lane.name == path), None)
    return Place(parted, 0) if parted else None


def _way(lane: Lane, key: str) -> list[Place]:
    """From the lane of everyone down to the step: the places it stands below, its own the last."""
    for index, node in enumerate(lane.nodes):
        if node.row is not None and node.row.key == key:
            return [Place(lane, index)]
        for below in node.lanes:
            if found := _way(below, key):
                return [Place(lane, index), *found]
    return []


def unfed(top: Lane) -> list[Step]:
    """The steps on paths that no step above them puts anybody on."""
    return [row for node in top.nodes for lane in node.lanes if not lane.is_fed for row in lane.rows()]


def nowhere(rows: Sequence[Step]) -> dict[str, list[str]]:
    """By the key of a step: the paths it puts people on that no later step is for."""
    found = {}
    for number, row in enumerate(rows):
        later = {other.path for other in rows[number + 1 :]}
        if lost := [name for name in paths_of(row) if name not in later]:
            found[row.key] = lost
    return found
