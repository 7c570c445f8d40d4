"""The person who writes."""

from __future__ import annotations

from typing import Any

from django import forms

from campaigns.messages.kinds import Block, blocks
from campaigns.messages.look import Look
from campaigns.messages.markup import fill, plain, words
from campaigns.messages.typed import Words


@blocks.register
class SendersCard(Block):
    """Who writes: picture, name, what they do, and how to reach them. People answer people."""

    key = "campaigns.sender"
    label = "Sender's card"
    icon = "contact_mail"
    help = "The person who writes, with picture and telephone number."
    place = 80

    class Params(forms.Form):
        words = Words(
            rows=3,
            max_length=1000,
            required=False,
            initial="**Anything unclear?** Just reply to this message, it reaches me.",
        )

    def mjml(self, params: dict[str, Any], look: Look) -> str:
        return fill("blocks/sender.mjml", look, words=words(params["words"]))

    def text(self, params: dict[str, Any]) -> str:
        return fill("blocks/sender.txt", words=plain(params["words"]))
