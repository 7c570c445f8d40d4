"""A message written as MJML source: the reminder of a left cart, with everything a hand may put into it."""

from dataclasses import dataclass
from pathlib import Path

_HERE = Path(__file__).resolve()


@dataclass(frozen=True, slots=True)
class Written:
    """What a template version is made of."""

    name: str
    subject: str
    preheader: str
    mjml: str
    text: str


def abandoned_cart() -> Written:
    """One hour of somebody's shopping, handed back in one click by a person with a telephone."""
    return Written(
        "Abandoned cart: the first reminder",
        "Still in your cart: {{ cart.lines[0].name | truncate: 48, '…' }}"
        "{% if cart.lines.size > 1 %} and more{% endif %}",
        "We kept it for you, just as you left it.",
        _HERE.with_suffix(".mjml").read_text(),
        _HERE.with_suffix(".txt").read_text(),
    )
