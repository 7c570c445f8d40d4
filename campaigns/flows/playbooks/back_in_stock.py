"""The back in stock play: what they wanted can be bought again."""

from __future__ import annotations

from campaigns.flows.drafting import DAY, Message, Play, send
from campaigns.flows.kinds import playbooks
from campaigns.messages.pieces import HELLO, also, letter, product, recommended, text

MESSAGE = Message(
    name="Back in stock: it is back",
    subject="Back in stock{% if product.name %}: {{ product.name | truncate: 36, '…' }}{% endif %}",
    preheader="It was sold out, and can be bought again.",
    blocks=letter(
        text(
            "you were interested in {{ product.name | default: 'something' }}, and it was sold out. It is"
            " back now. I am telling you once, and will leave it at that.",
            heading=HELLO,
        ),
        product(),
        recommended("similar", "If it is not quite right after all"),
        also(),
        reply="**A question about it?** Just reply, it reaches me.",
        because="You get this note because you wanted something that was sold out, and agreed that we tell"
        " you when things are back. We write once for each.",
    ),
)


@playbooks.register
class BackInStock(Play):
    """When something can be bought again that somebody looked at, saved or had in a cart: one note with it,
    by day. If it is sold out again before the note leaves, nothing is sent.

    Nothing off, and no hurry made: it is news that they wanted. So no limit and no other message holds it
    back; it counts, and what comes after it waits.
    """

    key = "campaigns.back_in_stock"
    label = "Back in stock"
    group = "Tell them"
    help = "What they wanted can be bought again: one note with it. Not sent if it is gone again."
    purpose = "back_in_stock"
    trigger = "campaigns.back_in_stock"
    trigger_params = {"look_back_days": "60"}
    priority = 12
    reentry_days = 2
    expires_after = DAY
    flow = [send("first-message", MESSAGE, asked_for=True)]
