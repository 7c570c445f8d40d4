"""Air between two pieces, with a line or without."""

from __future__ import annotations

from typing import Any

from django import forms

from campaigns.messages.kinds import Block, blocks
from campaigns.messages.look import Look
from campaigns.messages.markup import fill

SIZES = {"small": ("a little", 12), "middle": ("some", 24), "large": ("much", 48)}


@blocks.register
class Divider(Block):
    """Space between two blocks, with or without a thin line in its middle."""

    key = "campaigns.divider"
    label = "Space or line"
    icon = "horizontal_rule"
    help = "Air between two pieces, with a thin line if you like."
    place = 60

    class Params(forms.Form):
        size = forms.ChoiceField(
            label="how much space",
            choices=[(key, words) for key, (words, _pixels) in SIZES.items()],
            initial="middle",
        )
        has_line = forms.BooleanField(label="with a line", required=False, initial=True)

    def mjml(self, params: dict[str, Any], look: Look) -> str:
        pixels = SIZES[params["size"]][1]
        name = "blocks/divider.mjml" if params["has_line"] else "blocks/space.mjml"
        return fill(name, look, above=str(pixels // 2 + 8), height=str(pixels))

    def text(self, params: dict[str, Any]) -> str:
        return "* * *" if params["has_line"] else ""
