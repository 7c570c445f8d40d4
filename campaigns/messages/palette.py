"""What a message may speak of, as the editor offers it: in groups, with what to write."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from campaigns.messages import kinds, liquid, variables
from campaigns.messages.liquid import BrokenTemplate, RenderFailed
from campaigns.messages.variables import Variable

_GROUPS = {
    "contact": "The person",
    "cart": "Their cart",
    "sender": "Who writes",
    "shop": "The shop",
    "links": "Links",
    "preheader": "This message",
    "now": "This message",
}
_FALLBACKS = {
    "contact.first_name": "there",
    "contact.last_name": "",
    "cart.lines[].name": "what you chose",
}
SUBJECTS = (
    "{{ offer.headline | default: 'Still yours' }}: complete your"
    " {{ cart.lines[0].name | default: 'order' | truncate: 40, '…' }} purchase today",
    "{{ contact.first_name | default: 'Hello' }}, your cart is waiting",
    "Still in your cart: {{ cart.lines[0].name | default: 'what you chose' | truncate: 40, '…' }}"
    "{% if cart.lines.size > 1 %} and more{% endif %}",
    "🛒 {{ cart.item_count }} in your cart, {{ cart.total | money: cart.currency }}",
    "{% if contact.first_name %}{{ contact.first_name }}, something{% else %}Something{% endif %} for you",
    "A word from {{ sender.name }} at {{ shop.name }}",
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One variable: what it means, what it could say, and what to write to say it."""

    path: str
    meaning: str
    sample: str
    write: str
    may_be_missing: bool


@dataclass(frozen=True, slots=True)
class Group:
    label: str
    entries: list[Entry]


def groups() -> list[Group]:
    """Every variable there is, the person's own first, then what facts tell."""
    found: dict[str, list[Entry]] = {}
    names = {fact.name: fact.label or fact.name.capitalize() for fact in kinds.facts} | _GROUPS
    catalogue = dict(variables.catalogue(kinds.shapes()))
    for path, variable in catalogue.items():
        label = names.get(path.replace("[", ".").split(".")[0], "More")
        found.setdefault(label, []).append(_entry(path, variable, catalogue))
    return [Group(label, entries) for label, entries in found.items()]


def subjects() -> Iterator[str]:
    """Subject lines to begin with: those that speak of nothing unknown here."""
    shapes = kinds.shapes()
    for line in SUBJECTS:
        try:
            if not variables.problems(liquid.parse(line, html=False), line, shapes):
                yield line
        except BrokenTemplate:
            continue


def read_out(line: str) -> str:
    """A line with examples in the place of its variables, as people would read it; as it was written where it
    cannot be read.
    """
    try:
        return liquid.render(liquid.parse(line, html=False), variables.example(kinds.shapes()))
    except (BrokenTemplate, RenderFailed):
        return line


def _entry(path: str, variable: Variable, known: Collection[str]) -> Entry:
    can_lack = variable.may_be_missing or "[]" in path
    filters, fallback = "", _FALLBACKS.get(path, "")
    if isinstance(variable.example, Decimal):
        below = path.rpartition(".")[0]
        currency = next((one for one in (f"{below}.currency", "cart.currency") if one in known), "")
        filters = f" | money: {currency.replace('[]', '[0]')}"
    elif isinstance(variable.example, date):
        filters = ' | date: "%-d %B"'
    elif isinstance(variable.example, str) and not fallback and not variable.example.startswith("http"):
        fallback = "…"
    if can_lack:
        filters += f" | default: '{fallback}'"
    written = f"{{{{ {path.replace('[]', '[0]')}{filters} }}}}"
    return Entry(path, variable.meaning, _sample(variable.example), written, can_lack)


def _sample(value: object) -> str:
    if isinstance(value, date):
        return f"{value:%-d %B %Y}"
    return str(value)
