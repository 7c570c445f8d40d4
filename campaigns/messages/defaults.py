"""The messages that come with the program, as a marketer would have written them."""

from dataclasses import dataclass
from pathlib import Path

_FOLDER = Path(__file__).resolve().parents[2] / "templates" / "mail"


@dataclass(frozen=True, slots=True)
class Written:
    """What a template version is made of."""

    name: str
    subject: str
    preheader: str
    mjml: str
    text: str


def _read(name: str, title: str, *, subject: str, preheader: str) -> Written:
    return Written(
        title,
        subject,
        preheader,
        (_FOLDER / f"{name}.mjml").read_text(),
        (_FOLDER / f"{name}.txt").read_text(),
    )


def abandoned_cart() -> Written:
    """One hour of somebody's shopping, handed back in one click by a person with a telephone."""
    return _read(
        "abandoned_cart",
        "Abandoned cart: the first reminder",
        subject=(
            "Still in your cart: {{ cart.lines[0].name | truncate: 48, '…' }}"
            "{% if cart.lines.size > 1 %} and more{% endif %}"
        ),
        preheader="We kept it for you, just as you left it.",
    )
