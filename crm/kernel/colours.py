"""Colours as `#rrggbb`: how well one is read upon another, and what lies between two (WCAG 2.2)."""

import re

READABLE = 4.5
"""The least contrast at which text of usual size is read by nearly everybody."""

HOW_WRITTEN = "A colour is # and six digits or letters from a to f, such as #1f6f5c."
"""What to say of text that is no colour."""

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


def is_colour(text: str) -> bool:
    return bool(_COLOUR.fullmatch(text))


def contrast(one: str, other: str) -> float:
    """From 1, the same, to 21, black on white."""
    first, second = sorted((_luminance(one), _luminance(other)))
    return (second + 0.05) / (first + 0.05)


def readable_on(colour: str) -> str:
    """White or nearly black, whichever is read better on a colour; black where neither is enough."""
    ink = max("#ffffff", "#111111", key=lambda one: contrast(one, colour))
    return ink if contrast(ink, colour) >= READABLE else "#000000"


def between(one: str, other: str, share: float) -> str:
    """The colour that is this share of the way from one to the other."""
    mixed = (
        round(first + (second - first) * share)
        for first, second in zip(_parts(one), _parts(other), strict=True)
    )
    return "#" + "".join(f"{part:02x}" for part in mixed)


def _parts(colour: str) -> list[int]:
    return [int(colour[place : place + 2], 16) for place in (1, 3, 5)]


def _luminance(colour: str) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4
        for part in (part / 255 for part in _parts(colour))
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
