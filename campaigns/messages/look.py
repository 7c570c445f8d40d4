"""What a shop's messages look like, whatever they say."""

from dataclasses import dataclass

FONT = "-apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif"


@dataclass(frozen=True, slots=True)
class Look:
    """What the shop's messages look like. Colours are `#rrggbb`, sizes pixels of the screen."""

    text: str = "#22262e"
    muted: str = "#63686f"
    link: str = "#22262e"
    paper: str = "#ffffff"
    page: str = "#f3f1ee"
    tint: str = "#f7f5f2"
    line: str = "#e8e5e1"
    button: str = "#1f6f5c"
    button_text: str = "#ffffff"
    font: str = FONT
    radius: int = 12


PLAIN = Look()
"""The look of a shop that has not chosen any."""
