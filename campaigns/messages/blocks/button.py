"""One thing to do next."""

from __future__ import annotations

from typing import Any

from django import forms

from campaigns.messages.kinds import Block, blocks
from campaigns.messages.look import Look
from campaigns.messages.markup import attribute, fill, line
from campaigns.messages.typed import ALIGNMENTS, Line, Target

STYLES = [("filled", "filled"), ("quiet", "with a line around it")]


@blocks.register
class Button(Block):
    """A button. One a message is best: people do the one thing that is easy to see."""

    key = "campaigns.button"
    label = "Button"
    icon = "smart_button"
    help = "One thing to do next."
    place = 20

    class Params(forms.Form):
        words = Line(label="on the button", max_length=80, initial="See it in the shop")
        link = Target(
            label="leads to",
            initial="{{ shop.url }}",
            help_text="A page, such as https://…, or a variable: {{ links.restore }} brings the cart back.",
        )
        style = forms.ChoiceField(label="looks", choices=STYLES, initial="filled")
        align = forms.ChoiceField(label="stands", choices=ALIGNMENTS, initial="center")

    def mjml(self, params: dict[str, Any], look: Look) -> str:
        return fill(
            f"blocks/button_{params['style']}.mjml",
            look,
            words=attribute(params["words"]),
            link=attribute(params["link"]),
            align=params["align"],
        )

    def text(self, params: dict[str, Any]) -> str:
        return f"{line(params['words'])}: {line(params['link'])}"
