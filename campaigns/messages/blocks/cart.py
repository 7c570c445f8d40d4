"""The cart as it was left, and the button that brings it back."""

from __future__ import annotations

from typing import Any

from django import forms

from campaigns.messages.kinds import Block, blocks
from campaigns.messages.look import Look
from campaigns.messages.markup import attribute, fill, line


@blocks.register
class Cart(Block):
    """What lies in the person's cart: pictures, quantities and prices, the total, and one button that brings
    the cart back on any device. Falls away for somebody without a cart.
    """

    key = "campaigns.cart"
    label = "Cart"
    icon = "shopping_cart"
    help = "What they left in the cart, and a button that brings it back."
    place = 30

    class Params(forms.Form):
        button = forms.CharField(label="on the button", max_length=60, initial="Bring my cart back")

    def mjml(self, params: dict[str, Any], look: Look) -> str:
        return fill("blocks/cart.mjml", look, button_words=attribute(params["button"]))

    def text(self, params: dict[str, Any]) -> str:
        return fill("blocks/cart.txt", button_words=line(params["button"]))
