"""The browse abandonment play: what they looked at, once, without pressing."""

from __future__ import annotations

from campaigns.flows.drafting import DAY, Message, Play, all_of, send, true_of, wait
from campaigns.flows.kinds import playbooks
from campaigns.messages.pieces import HELLO, letter, reading, recommended, text, viewed

BECAUSE = (
    "You get this because you looked around our shop and agreed to hear from us about products. We write"
    " about a visit at most once in ten days."
)
FIRST = Message(
    name="Browsed and left: what you looked at",
    subject="Did you find what you were looking for?",
    preheader="{% if viewed.products.size > 0 %}{{ viewed.products[0].name }}"
    "{% if viewed.products.size > 1 %}, and what else you looked at{% endif %}"
    "{% else %}If not, I'll help you look.{% endif %}",
    blocks=letter(
        text(
            "you looked around our shop a little while ago."
            "{% if viewed.products.size > 0 %} So that you need not search again, here is what you looked at,"
            " and two that come close."
            "{% else %} If you did not find it, tell me what you are after, and I'll help you look."
            "{% endif %}",
            heading=HELLO,
        ),
        viewed("You looked at"),
        recommended("similar", "Close to what you looked at"),
        reply="**Can't decide?** Tell me in a line what it is for, and I'll say which I would choose.",
        because=BECAUSE,
    ),
)
SECOND = Message(
    name="Browsed and left: a question first",
    subject="Shall I answer a question first?",
    preheader="One line is enough, a person answers.",
    blocks=letter(
        text(
            "you came back for a second look. If something is still open, such as the size, the delivery, or"
            " whether it fits what you have, ask me before you buy. One line is enough.",
            heading=HELLO,
        ),
        viewed("You looked at", 2),
        reading("Worth reading before you choose"),
        reply="**Just reply.** It reaches me, and I answer the same day where I can.",
        because=BECAUSE,
    ),
)
CLICKED = all_of(true_of("tracking.did_since_entering", event="click", times="1"))


@playbooks.register
class BrowsedAndLeft(Play):
    """An hour after a visit ended in which somebody looked at products and put none into the cart: one
    message with just those, and two that come close. A second after two days, only for those who clicked.

    Nothing off: looking around is not hesitating, and a discount for leaving teaches people to leave. Once in
    ten days is at most three times in thirty. Whoever fills a cart belongs to the cart play from then on.
    """

    key = "campaigns.browsed_and_left"
    label = "Browsed and left"
    group = "Win back"
    help = "An hour after a visit without a cart: what they looked at and two alternatives. Once in ten days."
    purpose = "product_reminder"
    trigger = "campaigns.browsed"
    trigger_params = {"hours": "1", "products": "2", "without_order_days": "14"}
    priority = 40
    reentry_days = 10
    expires_after = DAY
    flow = [
        send("first-message", FIRST),
        wait(48, "hours"),
        send("second-message", SECOND, only_if=CLICKED),
    ]
