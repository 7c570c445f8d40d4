"""The play after an order: has it arrived, how is it, and what goes with it."""

from __future__ import annotations

from campaigns.flows.drafting import DAY, Message, Play, none_of, send, true_of, wait
from campaigns.flows.kinds import playbooks
from campaigns.messages.pieces import HELLO, also, button, letter, ordered, recommended, text

BECAUSE = (
    "You get this because you ordered from us and agreed to hear from us. We write at most three times about"
    " an order."
)
ARRIVED = Message(
    name="After an order: has it arrived?",
    subject="Has everything arrived?",
    preheader="If not, reply to this, and I'll see to it.",
    blocks=letter(
        text(
            "your order{% if order.number %} {{ order.number }}{% endif %} should be with you by"
            " now, or nearly. If it is late, broken, or not what you expected, reply to this, and I'll see"
            " to it. If all is well, you need not do anything. Thank you for buying from us.",
            heading=HELLO,
        ),
        ordered("You ordered"),
        reply="**Something not right?** Reply to this message, or call. It reaches me.",
        because=BECAUSE,
    ),
)
REVIEW = Message(
    name="After an order: how is it?",
    subject="How do you like it?",
    preheader="Two sentences help the next one who cannot decide.",
    blocks=letter(
        text(
            "you have had it for a while now. Would you write two or three sentences for others who cannot"
            " decide? The bad as well as the good: it helps them, and it helps us.",
            heading=HELLO,
        ),
        ordered("You ordered"),
        button("Write a few words", "{{ order.lines[0].url | default: shop.url }}"),
        reply="**Not happy with it?** Tell me first, and I'll put it right.",
        because=BECAUSE,
    ),
)
GOES_WITH = Message(
    name="After an order: what goes with it",
    subject="Goes well with what you have",
    preheader="What others took with it.",
    blocks=letter(
        text(
            "people who bought what you bought often took one of these with it, or later. If you would like"
            " to know whether something fits what you have, ask me.",
            heading=HELLO,
        ),
        recommended("together", "Often bought with it", 4),
        also(),
        button("Look around"),
        reply="**Will it fit?** Just reply, I know what we sell.",
        because=BECAUSE,
    ),
)


# Whoever orders the same every month has said how they like it.
ORDERS_SELDOM = none_of(true_of("crm.ordered", within_days="60", times="2"))


@playbooks.register
class PostPurchase(Play):
    """After every order: four days later whether it has arrived, after two weeks how it is, after a month
    what goes with it. A new order begins it anew; one that is cancelled or sent back ends it.

    The first two sell nothing, and the second is left out for whoever orders every few weeks. Whoever is
    asked whether all is well complains to you, not to others; and the second order is the one that makes a
    customer. Change four days to what your parcels take.
    """

    key = "campaigns.post_purchase"
    label = "After an order"
    group = "Sell again"
    help = "Has it arrived (4 days), how is it (14), what goes with it (30). The first two sell nothing."
    trigger = "campaigns.ordered"
    trigger_params = {"which": "any", "days": "0"}
    priority = 20
    reentry_days = 30  # Of no weight while an order ends it: the next one begins it anew.
    expires_after = 3 * DAY
    flow = [
        wait(4),
        send("arrived", ARRIVED),
        wait(10),
        send("review", REVIEW, only_if=ORDERS_SELDOM),
        wait(16),
        send("goes-with", GOES_WITH),
    ]
