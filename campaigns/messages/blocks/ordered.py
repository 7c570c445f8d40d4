"""The goods of the order a message is about."""

from __future__ import annotations

from typing import Any

from django import forms

from campaigns.messages.kinds import Block, blocks
from campaigns.messages.look import Look
from campaigns.messages.markup import attribute, fill, line
from campaigns.messages.typed import Line

ALL, AGAIN = "all", "again"
LINES = {ALL: "order.lines", AGAIN: 'order.lines | where: "in_stock", true'}


@blocks.register
class Ordered(Block):
    """What somebody ordered, without prices, for it is paid: all of it, or what of it can be bought again.
    For flows about an order: after it was placed, or a year later. Falls away where there is nothing to show.
    """

    key = "campaigns.ordered"
    label = "What was ordered"
    icon = "package_2"
    help = "The goods of the order the flow is about: all, or what can be bought again."
    place = 33

    class Params(forms.Form):
        title = Line(label="heading", max_length=120, initial="You ordered")
        which = forms.ChoiceField(
            label="show", choices=[(ALL, "all of it"), (AGAIN, "what can be bought again")], initial=ALL
        )

    def mjml(self, params: dict[str, Any], look: Look) -> str:
        title, lines = attribute(params["title"]), LINES[params["which"]]
        return fill("blocks/ordered.mjml", look, title=title, lines=lines)

    def text(self, params: dict[str, Any]) -> str:
        return fill("blocks/ordered.txt", title=line(params["title"]), lines=LINES[params["which"]])
