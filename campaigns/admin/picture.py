"""A flow as a picture: cards from top to bottom, paths side by side, numbers on each, and what to mend."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from campaigns.admin import lengths
from campaigns.flows import permitted
from campaigns.flows.kinds import steps, triggers
from campaigns.flows.outline import Lane, Node, nowhere, outline, unfed
from campaigns.flows.permitted import May
from campaigns.models import Campaign, Step
from campaigns.results.steps import AtStep, AtSteps
from crm.kernel import rules
from crm.kernel.kinds import BrokenParams, UnknownKind


@dataclass(frozen=True)
class Said:
    """A step (or what lets people in) in words, and what keeps it from working."""

    title: str
    words: str
    problem: str = ""


@dataclass
class Card:
    """One step of the picture, with the paths that part below it."""

    key: str
    icon: str
    said: Said
    number: int
    path: str
    at: AtStep
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    is_chosen: bool = False
    is_held: bool = False  # whoever looks may not touch it


@dataclass
class Shown:
    """A place of a lane: a card or none, the lanes below, and the step below which a new one would go."""

    card: Card | None
    lanes: list[ShownLane]
    last: str


@dataclass
class ShownLane:
    """One path. `first` is the step at which it parts; `hint` says what is odd about it."""

    name: str
    first: str
    places: list[Shown]
    may_begin: bool = True
    hint: str = ""


@dataclass(frozen=True)
class Picture:
    trigger: Said
    leaves: list[str]
    top: ShownLane
    problems: int


def draw(
    campaign: Campaign, rows: list[Step], at: AtSteps, chosen: str = "", may: May | None = None
) -> Picture:
    """The picture of these steps, one of them chosen, for somebody who `may` touch some of them."""
    drawing = _Drawing(rows, at, chosen, may)
    top = drawing.lane(drawing.top, "")
    trigger = of_trigger(campaign)
    problems = sum(bool(card.problems) for card in drawing.cards) + bool(trigger.problem)
    return Picture(trigger, _leaves(campaign), top, problems)


class _Drawing:
    def __init__(self, rows: list[Step], at: AtSteps, chosen: str, may: May | None) -> None:
        self.at, self.chosen, self.may = at, chosen, may
        self.top = outline(rows)
        self.unfed = {row.key for row in unfed(self.top)}
        self.lost = nowhere(rows)
        self.cards: list[Card] = []

    def lane(self, lane: Lane, first: str, *, may_begin: bool = True, hint: str = "") -> ShownLane:
        return ShownLane(lane.name, first, [self.place(node) for node in lane.nodes], may_begin, hint)

    def place(self, node: Node) -> Shown:
        last = [row.key for row in node.rows()][-1]
        if node.row is None:
            lanes = [self.lane(lane, "", may_begin=False, hint=_hint(lane)) for lane in node.lanes]
            return Shown(None, lanes, last)
        card = self.card(node.row)
        lanes = [
            self.lane(lane, card.key, hint=EMPTY if lane.name in self.lost.get(card.key, []) else "")
            for lane in node.lanes
        ]
        return Shown(card, lanes, last)

    def card(self, row: Step) -> Card:
        said = of_step(row)
        problems = [said.problem] if said.problem else []
        if row.key in self.unfed:
            problems.append(
                f"Nobody is on the path “{row.path}” here: choose another path for it, or add a step above "
                "that puts people on it."
            )
        card = Card(
            row.key,
            steps.get(row.kind).icon if row.kind in steps else "help",
            said,
            len(self.cards) + 1,
            row.path,
            self.at.by_key.get(row.key, AtStep()),
            notes_of(row),
            problems,
            row.key == self.chosen,
            bool(self.may and permitted.refusal(row.kind, self.may)),
        )
        self.cards.append(card)
        return card


EMPTY = "Nothing happens on this path: people go straight on."


def _hint(lane: Lane) -> str:
    return "" if lane.is_fed else "Nobody is on this path."


def of_trigger(campaign: Campaign) -> Said:
    try:
        kind = triggers.get(campaign.trigger)
        words = kind.sentence(kind.read(campaign.trigger_params))
    except (UnknownKind, BrokenParams) as error:
        return Said("Who enters", "", f"Mend what lets people in: {error}.")
    if not rules.is_blank(campaign.entry_rule):
        words = f"{words}. Only {_lowered(rules.sentence(campaign.entry_rule))}"
    return Said("Who enters", words)


def of_step(row: Step) -> Said:
    """A step in words, and the first thing to mend. The same as the checklist says."""
    try:
        kind = steps.get(row.kind)
    except UnknownKind as error:
        return Said(row.kind, "", f"Delete it: {error}.")
    try:
        params = kind.read(row.params)
    except BrokenParams as error:
        return Said(kind.label, "", _named(kind, error))
    problems = kind.problems(params, row)
    if not rules.is_blank(row.only_if) and (found := rules.problems(row.only_if, _inside())):
        problems = [*problems, f"Mend its condition: {found[0]}."]
    return Said(kind.label, kind.sentence(params, row), " ".join(problems))


def sentence(row: Step) -> str:
    """The step in words; what it is called where it cannot be read."""
    said = of_step(row)
    return said.words or said.title


def _named(kind: Any, error: BrokenParams) -> str:
    """What is wrong with a field, under the name it has in the form."""
    asked = kind.Params.base_fields.get(error.field)
    if asked is None:
        return f"Mend its settings: {str(error).removesuffix('.')}."
    label = str(asked.label or error.field.replace("_", " "))
    label = label[:1].upper() + label[1:]
    if error.message == asked.error_messages.get("required"):
        return f"Fill in “{label}”."
    return f"Mend “{label}”: {error.message.removesuffix('.')}."


def _inside() -> frozenset[str]:
    return Step._meta.get_field("only_if").offers


def notes_of(row: Step) -> list[str]:
    """Whom the step is for and until when, as far as that was said of it."""
    notes = []
    if not rules.is_blank(row.only_if):
        notes.append(f"Only {_lowered(rules.sentence(row.only_if))}")
    if row.expires_after:
        notes.append(f"Too late after {lengths.said(row.expires_after)}.")
    return notes


def _leaves(campaign: Campaign) -> list[str]:
    """What ends it for somebody at any time."""
    leaves = ["whoever buys"] if campaign.exit_on_purchase else []
    if not rules.is_blank(campaign.exit_rule):
        leaves.append(_lowered(rules.sentence(campaign.exit_rule)).removesuffix("."))
    return leaves


def _lowered(words: str) -> str:
    return words[:1].lower() + words[1:]
