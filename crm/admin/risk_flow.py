"""From where people stood thirty days ago to where they stand now, as a picture of bands and as rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from crm.audience.risk_report import GONE, NEW
from crm.models import State

WIDTH, TALL, GAP, NODE = 640, 240, 14, 12
LEFT, RIGHT = 150, WIDTH - 150
ORDER = [*State.values, GONE, NEW]


@dataclass(frozen=True)
class Node:
    """A state on one side, with its place in the picture."""

    key: str
    label: str
    people: int
    x: int
    y: float
    height: float
    words_x: int
    anchor: str

    @property
    def words_y(self) -> float:
        return round(self.y + self.height / 2, 1)


@dataclass(frozen=True)
class Band:
    """So many people from one state to another; `percent` of the largest that moved."""

    key: str
    words: str
    people: int
    path: str
    thickness: float
    moved: bool
    percent: int


@dataclass(frozen=True)
class Picture:
    nodes: list[Node]
    bands: list[Band]
    width: int
    height: float

    @property
    def moves(self) -> list[Band]:
        return sorted((band for band in self.bands if band.moved), key=lambda band: -band.people)


def draw(ways: Mapping[tuple[str, str], int]) -> Picture | None:
    """Bands as thick as people are many; None where nobody stands anywhere."""
    total = sum(ways.values())
    if not total:
        return None
    left = _side(ways, 0, LEFT, total)
    right = _side(ways, 1, RIGHT, total)
    starts, ends = ({key: node.y for key, node in side.items()} for side in (left, right))
    most = max((people for (one, other), people in ways.items() if one != other), default=0) or 1
    bands = []
    for one, other in sorted(ways, key=lambda way: (ORDER.index(way[0]), ORDER.index(way[1]))):
        people = ways[one, other]
        thick = TALL * people / total
        y1, y2 = starts[one] + thick / 2, ends[other] + thick / 2
        starts[one] += thick
        ends[other] += thick
        x1, x2, middle = LEFT + NODE, RIGHT, WIDTH // 2
        path = f"M{x1},{y1:.1f} C{middle},{y1:.1f} {middle},{y2:.1f} {x2},{y2:.1f}"
        words = f"{_label(one).capitalize()} → {_label(other)}"
        bands.append(
            Band(other, words, people, path, round(max(thick, 0.8), 1), one != other, 100 * people // most)
        )
    bands.sort(key=lambda band: band.moved)
    nodes = [*left.values(), *right.values()]
    return Picture(nodes, bands, WIDTH, round(max(node.y + node.height for node in nodes) + GAP, 1))


def _side(ways: Mapping[tuple[str, str], int], end: int, x: int, total: int) -> dict[str, Node]:
    nodes, y = {}, float(GAP)
    for key in ORDER:
        people = sum(number for way, number in ways.items() if way[end] == key)
        if not people:
            continue
        height = max(TALL * people / total, 2)
        words_x, anchor = (x - 8, "end") if end == 0 else (x + NODE + 8, "start")
        nodes[key] = Node(key, _label(key), people, x, round(y, 1), round(height, 1), words_x, anchor)
        y += max(height, 16) + GAP
    return nodes


def _label(key: str) -> str:
    return {NEW: "new", GONE: "no longer counted"}.get(key) or str(State(key).label)
