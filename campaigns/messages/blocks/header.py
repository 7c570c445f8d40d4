"""The top of a message: whose it is."""

from __future__ import annotations

from typing import Any

from django import forms

from campaigns.messages.kinds import Block, blocks
from campaigns.messages.look import Look
from campaigns.messages.markup import fill
from campaigns.messages.typed import ALIGNMENTS


@blocks.register
class Header(Block):
    """The shop's logo, or its name where there is no logo, with a link to the shop."""

    key = "campaigns.header"
    label = "Head with logo"
    icon = "storefront"
    help = "The shop's logo, or its name, at the top."
    place = 0
    on_paper = False

    class Params(forms.Form):
        align = forms.ChoiceField(label="stands", choices=ALIGNMENTS, initial="center")
        height = forms.IntegerField(
            label="height of the logo",
            min_value=16,
            max_value=160,
            initial=40,
            help_text="In pixels; 40 suits most.",
        )

    def mjml(self, params: dict[str, Any], look: Look) -> str:
        return fill("blocks/header.mjml", look, align=params["align"], height=str(params["height"]))

    def text(self, params: dict[str, Any]) -> str:
        return fill("blocks/header.txt")
