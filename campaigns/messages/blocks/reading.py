"""Articles and guides."""

from __future__ import annotations

from typing import Any

from django import forms

from campaigns.messages.content import MOST
from campaigns.messages.kinds import Block, blocks
from campaigns.messages.look import Look
from campaigns.messages.markup import attribute, fill, line
from campaigns.messages.typed import Line


@blocks.register
class Reading(Block):
    """Articles and guides for the categories and brands the person looks at or buys. Falls away where nothing
    is published.
    """

    key = "campaigns.reading"
    label = "Articles and guides"
    icon = "menu_book"
    help = "Something to read, chosen by what they look at."
    place = 36

    class Params(forms.Form):
        title = Line(label="heading", max_length=120, initial="Worth reading")
        number = forms.IntegerField(label="how many", min_value=1, max_value=MOST, initial=2)

    def mjml(self, params: dict[str, Any], look: Look) -> str:
        title, number = attribute(params["title"]), str(params["number"])
        return fill("blocks/reading.mjml", look, title=title, number=number)

    def text(self, params: dict[str, Any]) -> str:
        return fill("blocks/reading.txt", title=line(params["title"]), number=str(params["number"]))
