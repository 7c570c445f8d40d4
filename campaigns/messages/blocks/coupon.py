"""The offer as a coupon: what it is, the code, until when."""

from __future__ import annotations

from typing import Any

from django import forms

from campaigns.messages.kinds import Block, blocks
from campaigns.messages.look import Look
from campaigns.messages.markup import attribute, fill, line

NEXT = "If you already bought this, take it off your next order."


@blocks.register
class CouponBlock(Block):
    """The offer of the step: its headline, the code in large letters, and its conditions. Falls away whole
    for somebody who gets the message without an offer.
    """

    key = "campaigns.coupon"
    label = "Coupon"
    icon = "sell"
    help = "The offer chosen in the step, with the person's own code."
    place = 40

    class Params(forms.Form):
        title = forms.CharField(
            max_length=200, initial="For you", help_text="Stands above what the offer is. May use variables."
        )
        already_bought = forms.BooleanField(
            label="say what to do if they already bought",
            required=False,
            initial=True,
            help_text=f"“{NEXT}” Left out where the offer is good for the next order only.",
        )

    def mjml(self, params: dict[str, Any], look: Look) -> str:
        already = fill("blocks/coupon_next.mjml", look, words=NEXT) if params["already_bought"] else ""
        return fill("blocks/coupon.mjml", look, title=attribute(params["title"]), already=already)

    def text(self, params: dict[str, Any]) -> str:
        already = fill("blocks/coupon_next.txt", words=NEXT) if params["already_bought"] else ""
        return fill("blocks/coupon.txt", title=line(params["title"]), already=already)
