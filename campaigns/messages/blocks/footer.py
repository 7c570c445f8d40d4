"""The end of every message: who writes, from where, why, and how to stop it."""

from __future__ import annotations

from typing import Any

from django import forms

from campaigns.messages.kinds import Block, blocks
from campaigns.messages.look import Look
from campaigns.messages.markup import fill, plain, words


@blocks.register
class Footer(Block):
    """The shop's name and postal address, why the person gets this, and the links to stop it. The law asks
    for it: no message leaves without one.
    """

    key = "campaigns.footer"
    label = "Footer"
    icon = "bottom_navigation"
    help = "Postal address, unsubscribe, why am I getting this. Every message needs one."
    place = 100
    on_paper = False

    class Params(forms.Form):
        because = forms.CharField(
            label="why they get it",
            max_length=500,
            initial="You get this because you agreed to hear from us.",
            widget=forms.Textarea(attrs={"rows": 2}),
        )

    def mjml(self, params: dict[str, Any], look: Look) -> str:
        return fill("blocks/footer.mjml", look, because=words(params["because"]))

    def text(self, params: dict[str, Any]) -> str:
        return fill("blocks/footer.txt", because=plain(params["because"]))
