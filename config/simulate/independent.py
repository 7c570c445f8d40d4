"""What a replay must come to, counted straight from the recorded file. Knows nothing of the program it
judges.

A cart opens with the first thing put into it and ends with any purchase of its person, or 30 days after its
last change. It is left when the person has done nothing at all for the delay. Every so many seconds somebody
looks: whoever left and has not come back by then gets one message, and no other for seven days unless they
bought since; and only after another change of their cart.
"""

import csv
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

MINUTE, DAY = 60, 86_400
FORGOTTEN = 30 * DAY

Row = tuple[str, int, str]  # person, Unix seconds, what they did: pv, fav, cart, buy


@dataclass(frozen=True)
class Left:
    """One message that must be written: to whom, when they had left, when it leaves, their last activity."""

    person: str
    due: int
    sent: int
    last_seen: int


def read(path: Path, people: int | None = None) -> list[Row]:
    """The rows of the first so many people, in the order they happened."""
    known: dict[str, None] = {}
    rows: list[Row] = []
    with path.open(newline="") as file:
        for person, _item, _category, act, at in csv.reader(file):
            if person not in known:
                if people is not None and len(known) == people:
                    continue
                known[person] = None
            rows.append((person, int(at), act))
    return sorted(rows, key=lambda row: row[1])


def count(
    rows: Iterable[Row], delay: int = 8 * MINUTE, again_after: int = 7 * DAY, looked_every: int = 1
) -> list[Left]:
    """Every message, in the order they fall due."""
    days: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for person, at, act in rows:
        days[person].append((at, act))
    found = [
        left
        for person, acts in days.items()
        for left in _of_one(person, acts, delay, again_after, looked_every)
    ]
    return sorted(found, key=lambda left: (left.due, left.person))


def bought_meanwhile(rows: Iterable[Row], messages: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    """Messages to somebody who had bought since they last changed their cart: there must be none."""
    acts: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for person, at, act in rows:
        acts[person].append((at, act))
    wrong = []
    for person, at in messages:
        before = [(when, act) for when, act in acts[person] if when <= at]
        carts = [when for when, act in before if act == "cart"]
        buys = [when for when, act in before if act == "buy"]
        if not carts or (buys and buys[-1] >= carts[-1]):
            wrong.append((person, at))
    return wrong


def _of_one(
    person: str, acts: list[tuple[int, str]], delay: int, again_after: int, looked_every: int
) -> Iterable[Left]:
    opened = changed = written = bought = None
    for place, (at, act) in enumerate(acts):
        if act == "cart":
            if opened is None or (changed is not None and at - changed >= FORGOTTEN):
                opened = at
            changed = at
        elif act == "buy":
            opened = changed = None
            bought = at
        if opened is None or changed is None:
            continue
        due = at + delay
        looked = -(-due // looked_every) * looked_every
        came_back = place + 1 < len(acts) and acts[place + 1][0] <= looked
        if came_back or due - changed >= FORGOTTEN:
            continue
        if written is not None:
            is_new = changed > written
            bought_since = bought is not None and bought > written
            if not is_new or not (bought_since or due - written >= again_after):
                continue
        written = looked
        yield Left(person, due, looked, at)
