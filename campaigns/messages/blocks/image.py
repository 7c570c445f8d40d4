"""A picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms

from campaigns.images import library
from campaigns.messages.kinds import Block, blocks
from campaigns.messages.look import Look
from campaigns.messages.markup import attribute, fill, if_any, line
from campaigns.messages.typed import Line, Picture, Target

WIDTHS = {
    "full": ("from edge to edge", 600, 0),
    "wide": ("with margins", 536, 32),
    "small": ("small", 240, 32),
}


@blocks.register
class Image(Block):
    """A picture from the library or from anywhere on the web, with a link if there is one. A picture that a
    variable names and that is missing for somebody falls away.
    """

    key = "campaigns.image"
    label = "Picture"
    icon = "image"
    help = "A picture, with a link behind it if you like."
    place = 15
    example = {"picture": "{{ shop.logo | default: '' }}", "alt": "What the picture shows"}

    class Params(forms.Form):
        picture = Picture(help_text="Its address, such as https://…, or a variable.")
        alt = Line(
            label="in words",
            required=False,
            help_text="What it shows, for people who see no pictures. Blank: it only decorates.",
        )
        link = Target(label="leads to", required=False)
        width = forms.ChoiceField(
            label="how wide",
            choices=[(key, words) for key, (words, _pixels, _margin) in WIDTHS.items()],
            initial="wide",
        )

    def mjml(self, params: dict[str, Any], look: Look) -> str:
        _words, pixels, margin = WIDTHS[params["width"]]
        bleeds = self.bleeds(params)
        made = fill(
            "blocks/image.mjml",
            look,
            picture=attribute(params["picture"]),
            alt=attribute(params["alt"]),
            link=f' href="{attribute(params["link"])}"' if params["link"] else "",
            width=str(pixels),
            margin=str(margin),
            above="0" if bleeds else "20",
            corners="0" if bleeds else str(look.radius),
            place="bleeds" if bleeds else "inset",
        )
        return if_any(params["picture"], made)

    def summary(self, params: Mapping[str, Any]) -> str:
        """What it shows in words; else the name it has in the library, else the end of its address."""
        if words := " ".join(str(params.get("alt", "")).split()):
            return words
        address = str(params.get("picture", ""))
        return library.name_of(address) or address.rstrip("/").rpartition("/")[2]

    def bleeds(self, params: dict[str, Any]) -> bool:
        return params["width"] == "full"

    def text(self, params: dict[str, Any]) -> str:
        return ": ".join(filter(None, [line(params["alt"]), line(params["link"])]))
