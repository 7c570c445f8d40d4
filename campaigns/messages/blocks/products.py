"""Products: those a person looked at, and those we recommend."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms

from campaigns.messages.joining import MOST_EACH, MOST_JOIN, PLACE
from campaigns.messages.kinds import Block, blocks
from campaigns.messages.look import Look
from campaigns.messages.markup import attribute, fill, line
from campaigns.messages.recommend import LABELS, MOST
from campaigns.messages.typed import Line

GRID, LIST = "grid", "list"
LOOKS = [(GRID, "two beside each other, one on a phone"), (LIST, "one below the other, with small pictures")]


class _Shown(forms.Form):
    number = forms.IntegerField(label="how many", min_value=1, max_value=MOST, initial=4)
    look = forms.ChoiceField(label="they stand", choices=LOOKS, initial=GRID)


class _Products(Block):
    """A heading and products with picture, name and price, each a link to its page."""

    def number(self, params: dict[str, Any]) -> int:
        """So many at the most."""
        return params["number"]

    def mjml(self, params: dict[str, Any], look: Look) -> str:
        goods, number = self.goods(params), self.number(params)
        if params["look"] == LIST:
            rows = fill("blocks/products_list.mjml", look, goods=goods, number=str(number))
        else:
            rows = "\n".join(
                fill(
                    "blocks/products_pair.mjml",
                    goods=goods,
                    left=str(left),
                    cells=_cells(goods, left, number),
                )
                for left in range(0, number, 2)
            )
        return fill("blocks/products.mjml", goods=goods, title=attribute(params["title"]), rows=rows)

    def text(self, params: dict[str, Any]) -> str:
        return fill(
            "blocks/products.txt",
            goods=self.goods(params),
            title=line(params["title"]),
            number=str(self.number(params)),
        )


def _cells(goods: str, left: int, number: int) -> str:
    """Two columns of one row; an odd last product stands alone on the left."""
    places = [place for place in (left, left + 1) if place < number]
    filled = [fill("blocks/products_cell.mjml", goods=goods, place=str(place)) for place in places]
    return "\n".join([*filled, *["      <mj-column></mj-column>"] * (2 - len(filled))])


@blocks.register
class Viewed(_Products):
    """The products the person looked at in the last thirty days and has not bought, the last one first. Falls
    away for somebody who looked at nothing that can still be bought.
    """

    key = "campaigns.viewed"
    label = "Products viewed"
    icon = "visibility"
    help = "What they looked at lately and did not buy."
    place = 32

    class Params(_Shown):
        title = Line(label="heading", max_length=120, initial="You looked at")
        field_order = ("title", "number", "look")

    def goods(self, params: Mapping[str, Any]) -> str:
        return "viewed.products"


@blocks.register
class Recommendations(_Products):
    """Products this person is likely to want, never sold out and never what they just bought. Where there is
    too little to go by, best sellers stand in their place: it is never empty while the shop has something to
    sell.
    """

    key = "campaigns.recommendations"
    label = "Recommendations"
    icon = "auto_awesome"
    help = "Similar, bought together, what they buy most, new in their brands, or best sellers."
    place = 34

    class Params(_Shown):
        sort = forms.ChoiceField(
            label="which",
            choices=list(LABELS.items()),
            initial="similar",
            help_text="Similar: beside what they left or looked at. Often bought together: to what is in the"
            " cart or was ordered. What they buy most: what is used up by now counts double.",
        )
        title = Line(label="heading", max_length=120, initial="You may also like")
        field_order = ("sort", "title", "number", "look")

    def goods(self, params: Mapping[str, Any]) -> str:
        return f"recommend.{params['sort']}"


@blocks.register
class Also(_Products):
    """The place for what other campaigns wanted to say to the same person at the same time, where they say
    that their products may join the message that goes first. Falls away where nothing joined.
    """

    key = "campaigns.also"
    label = "Also for you"
    icon = "merge"
    help = "A place for products of other campaigns whose message gives way to this one."
    place = 36

    class Params(forms.Form):
        title = Line(label="heading", max_length=120, initial="Also for you")
        look = forms.ChoiceField(label="they stand", choices=LOOKS, initial=LIST)

    def goods(self, params: Mapping[str, Any]) -> str:
        return PLACE

    def number(self, params: dict[str, Any]) -> int:
        return MOST_JOIN * MOST_EACH
