"""The one product a message is about."""

from __future__ import annotations

from typing import Any

from django import forms

from campaigns.messages.kinds import Block, blocks
from campaigns.messages.look import Look
from campaigns.messages.markup import attribute, fill, line
from campaigns.messages.typed import Line


@blocks.register
class TheProduct(Block):
    """The product that let the person into the flow, large, with its price of now, what it cost when they
    last looked where that was more, and a button to its page. For flows about a product: back in stock, a
    lower price, time to order again. A message about a product that is sold out is not sent.
    """

    key = "campaigns.product"
    label = "The product it is about"
    icon = "deployed_code"
    help = "Large, with its price and a button: back in stock, cheaper, used up by now."
    place = 31

    class Params(forms.Form):
        button = Line(label="on the button", max_length=80, initial="See it in the shop")

    def mjml(self, params: dict[str, Any], look: Look) -> str:
        return fill("blocks/product.mjml", look, button_words=attribute(params["button"]))

    def text(self, params: dict[str, Any]) -> str:
        return fill("blocks/product.txt", button_words=line(params["button"]))
