"""A flow as a picture: who enters, steps with the people in them, paths side by side; numbers alone."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

from campaigns.flows.kinds import steps, triggers
from campaigns.models import Campaign, FlowVersion, Step
from crm.kernel.kinds import BrokenParams, UnknownKind

WIDTH, HEIGHT, GAP = 280, 92, 34
LETTERS = 42


@dataclass(frozen=True)
class Said:
    """A step (or what lets people in) in words, and what keeps it from working."""

    title: str
    words: str
    problem: str = ""


@dataclass(frozen=True)
class Card:
    """One card: where it stands, what it says, how many people stand in it."""

    x: int
    y: int
    icon: str
    said: Said
    people: int | None = None

    @property
    def lines(self) -> list[tuple[int, str]]:
        """The words, folded to the card's width, with the height each line stands at."""
        folded = textwrap.wrap(self.said.words, LETTERS, max_lines=2, placeholder=" …")
        return [(47 + 15 * number, line) for number, line in enumerate(folded)]


@dataclass(frozen=True)
class Picture:
    width: int
    height: int
    cards: list[Card]
    lines: list[tuple[int, int, int, int]]
    elsewhere: int
    card_width: int = WIDTH
    card_height: int = HEIGHT


def draw(campaign: Campaign, version: FlowVersion | None, people: dict[tuple[int, int], int]) -> Picture:
    """The picture of one version, with how many people stand in each step; those of other versions apart."""
    rows = (
        list(version.steps.select_related("template", "offer").prefetch_related("variants__template"))
        if version
        else []
    )
    paths = sorted({row.path for row in rows if row.path})
    columns = {path: number for number, path in enumerate(paths)}
    middle = (max(len(paths), 1) - 1) * (WIDTH + GAP) // 2
    cards = [Card(middle, 0, "⚡", of_trigger(campaign))]
    lines: list[tuple[int, int, int, int]] = []
    tips = {"": (middle, 0)}
    y = 0
    for row in rows:
        y += HEIGHT + GAP
        x = columns[row.path] * (WIDTH + GAP) if row.path else middle
        above = [tips.get(row.path, tips[""])] if row.path else list(tips.values())
        lines += [(ax + WIDTH // 2, ay + HEIGHT, x + WIDTH // 2, y) for ax, ay in above]
        tips = tips | {row.path: (x, y)} if row.path else {"": (x, y)}
        icon = steps.get(row.kind).icon if row.kind in steps else "●"
        cards.append(Card(x, y, icon, of_step(row), people.get((row.version_id, row.position), 0)))
    shown = sum(card.people or 0 for card in cards)
    width = max(len(paths), 1) * (WIDTH + GAP) - GAP + 4
    return Picture(width, y + HEIGHT + 4, cards, lines, sum(people.values()) - shown)


def of_trigger(campaign: Campaign) -> Said:
    try:
        kind = triggers.get(campaign.trigger)
        return Said("Who enters", kind.sentence(kind.read(campaign.trigger_params)))
    except (UnknownKind, BrokenParams) as error:
        return Said("Who enters", "", str(error))


def of_step(row: Step) -> Said:
    try:
        kind = steps.get(row.kind)
    except UnknownKind as error:
        return Said(row.kind, "", str(error))
    try:
        params = kind.read(row.params)
    except BrokenParams as error:
        return Said(kind.label, "", str(error))
    return Said(kind.label, kind.sentence(params, row), "; ".join(kind.problems(params, row)))
