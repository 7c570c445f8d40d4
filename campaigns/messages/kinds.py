"""What messages are made of: facts they may speak of, and blocks a marketer puts together.

A new fact is one class in one file of `facts/`, a new block one in `blocks/`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms

from campaigns.messages import variables
from campaigns.messages.look import Look
from campaigns.models import Delivery
from crm.kernel.kinds import Kind, Registry
from crm.models import Contact, ShopSettings

NOWHERE = "https://example.invalid/preview"
"""Where the links of a preview lead."""


@dataclass(frozen=True, slots=True)
class Missing:
    """Why there is nothing to speak of: a code, and words for people."""

    reason: str
    words: str


@dataclass(slots=True)
class Recipient:
    """One message of a batch: who gets it and what it is about. `delivery` is None in a preview."""

    key: int
    contact: Contact
    address: str
    subject_kind: str = ""
    subject_id: UUID | None = None
    delivery: Delivery | None = None
    shown: dict[UUID, datetime | None] = field(default_factory=dict)
    """The products the message shows, and when each had last changed: what the fence looks at again."""


def is_tried(recipient: Recipient) -> bool:
    """Whether it is a preview or a test that goes to ourselves, which may show an example."""
    return recipient.delivery is None or recipient.delivery.origin == Delivery.Origin.TEST


@dataclass(frozen=True, slots=True)
class Asked:
    """What a fact is asked: of whom, which of the names below its own, and as of when.

    `names` holds `variables.EVERYTHING` where a template does not tell which of them it will use.
    """

    recipients: Sequence[Recipient]
    names: frozenset[str]
    shop: ShopSettings
    now: datetime

    def wants(self, name: str) -> bool:
        return name in self.names or variables.EVERYTHING in self.names


class Fact(Kind):
    """What a message may speak of beyond the basics: `name` is how templates call it.

    `shape` says what stands below that name, as `variables.VARIABLES` does: groups, lists, variables with
    an example each, `Named` for what colleagues name.
    """

    name = ""
    shape: Any = {}
    is_personal = True
    """Whether it depends on who is asked. What does not is asked for previews of nobody, too."""

    def load(self, asked: Asked) -> dict[int, Any]:
        """By the key of each recipient: plain data in the shape, or `Missing` where the message must not
        leave. In a fixed number of queries; who is left out gets the shape's own emptiness.
        """
        return {}

    def subject_of(self, contact: Contact, now: datetime) -> tuple[str, UUID] | None:
        """What a message that speaks of it would be about for this person, for previews: its kind and id."""
        return None

    def goods(self, told: Any) -> Mapping[str, Sequence[dict[str, Any]]]:
        """The products in what it told, by what messages call the list (`viewed.products`): what a message
        that speaks of it brings where it joins another. Of a fact that tells of no products none.
        """
        return {}

    def problems(self, names: Iterable[str]) -> list[str]:
        """What is wrong with these names below ours, in words; asked when a template is saved."""
        return []


class Block(Kind):
    """A piece of a message: what a marketer fills in, and the MJML and text with Liquid it becomes."""

    icon = "article"
    place = 50
    """Where it stands in the menu: the lower the further up."""
    on_paper = True
    """Whether it stands on the sheet; head and footer stand above and below it."""
    example: Mapping[str, Any] = {}
    """Parameters of an example, beyond what it begins with."""

    def mjml(self, params: dict[str, Any], look: Look) -> str:
        """One or more `<mj-section>`; what was typed may hold Liquid and nothing else that is special."""
        return ""

    def text(self, params: dict[str, Any]) -> str:
        """The same for people who read plain text."""
        return ""

    def bleeds(self, params: dict[str, Any]) -> bool:
        """Whether it reaches the edges of the sheet it stands on, so that the sheet adds no margin."""
        return False

    def goods(self, params: Mapping[str, Any]) -> str:
        """The list of products it shows, as the template calls it: a message shows a list once."""
        return ""

    def summary(self, params: Mapping[str, Any]) -> str:
        """A few words of what is in it, of parameters as they were typed: the first words there are."""
        names = (name for name, one in self.Params.base_fields.items() if isinstance(one, forms.CharField))
        typed = (" ".join(str(params.get(name, "")).split()) for name in names)
        return next(filter(None, typed), "")

    def shown(self) -> dict[str, Any] | None:
        """Parameters of an example; None where somebody has to choose first (which survey, say)."""
        params = {**self.blank(), **self.example}
        return params if self.form(params).is_valid() else None


facts: Registry[Fact] = Registry(Fact)
blocks: Registry[Block] = Registry(Block)


def shapes() -> dict[str, Any]:
    """All a message may speak of: the basics, and every fact under its name."""
    return variables.VARIABLES | {fact.name: fact.shape for fact in facts}


def named(used: Iterable[str]) -> dict[str, frozenset[str]]:
    """Of what templates speak of (`variables.used`), the facts and their names, by the fact's key."""
    below: dict[str, set[str]] = {}
    for one in used:
        first, _, name = one.partition(".")
        below.setdefault(first, set()).add(name)
    return {fact.key: frozenset(below[fact.name]) for fact in facts if fact.name in below}


def problems(used: Iterable[str]) -> list[str]:
    """Names below facts that do not exist, in words."""
    found = named(used)
    return [
        words
        for fact in facts
        if fact.key in found
        for words in fact.problems(found[fact.key] - {variables.EVERYTHING})
    ]
