"""The price drop play: what they looked at costs less."""

from __future__ import annotations

from campaigns.flows.drafting import DAY, Message, Play, send
from campaigns.flows.kinds import playbooks
from campaigns.messages.pieces import HELLO, also, letter, product, recommended, text

MESSAGE = Message(
    name="Price drop: it costs less now",
    subject="Costs less now{% if product.name %}: {{ product.name | truncate: 36, '…' }}{% endif %}",
    preheader="No code needed: it is the price in the shop.",
    blocks=letter(
        text(
            "you looked at {{ product.name | default: 'something' }} not long ago. It costs less now"
            "{% if product.was and product.price %}: {{ product.price | money: product.currency }}"
            " instead of {{ product.was | money: product.currency }}{% endif %}."
            " There is no code and no catch: it is the price in the shop, for everybody.",
            heading=HELLO,
        ),
        product(),
        recommended("similar", "Close to it"),
        also(),
        reply="**Was it the price?** If something else held you back, tell me.",
        because="You get this because you looked at this product and agreed to hear from us about products."
        " We tell you of a lower price at most once in two weeks.",
    ),
)


@playbooks.register
class PriceDrop(Play):
    """When something that somebody looked at in the last month costs at least a tenth less: one message with
    it. The right answer to those who said that the price held them back.

    It speaks of what the shop asks everybody, so it gives nothing away that is not given already. Do not
    launch it while prices go up and down by the week: people would learn to wait.
    """

    key = "campaigns.price_drop"
    label = "It costs less now"
    group = "Tell them"
    help = "What they looked at costs a tenth less in the shop: one message with it, once in two weeks."
    purpose = "product_reminder"
    trigger = "campaigns.price_drop"
    trigger_params = {"percent": "10", "look_back_days": "30"}
    priority = 45
    reentry_days = 14
    expires_after = DAY
    flow = [send("first-message", MESSAGE)]
