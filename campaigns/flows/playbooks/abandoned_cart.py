"""The abandoned cart play: a person writes, with the cart, while it is still in the customer's mind."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from campaigns.flows.drafting import DAY, Message, Planned, Play, all_of, compare, send, true_of, wait
from campaigns.flows.kinds import playbooks
from campaigns.flows.triggers.abandoned_cart import AbandonedCart as CartWasLeft
from campaigns.messages.pieces import HELLO, cart, coupon, letter, recommended, text
from campaigns.models import Campaign

EXPIRES_AFTER = timedelta(hours=3)
OF_CHECKOUTS = "campaigns.abandoned_checkout"

SUBJECT = (
    "Still in your cart{% if cart.lines.size > 0 %}: {{ cart.lines[0].name | truncate: 48, '…' }}"
    "{% if cart.lines.size > 1 %} and more{% endif %}{% endif %}"
)
KEPT = (
    "you left {% if cart.item_count > 1 %}a few things{% else %}something{% endif %} in your cart."
    " We kept {% if cart.item_count > 1 %}them{% else %}it{% endif %} for you, just as you left"
    " {% if cart.item_count > 1 %}them{% else %}it{% endif %}."
)
REPLY = "**Anything unclear?** Just reply to this message, it reaches me. Or call me."
ALREADY = "*Already bought it? Then please take no notice of this, and thank you.*"
BECAUSE = "You get this reminder because you left a cart at our shop. We write three times at the most."

CART_ALONE = Message(
    name="Abandoned cart: the first reminder",
    subject=SUBJECT,
    preheader="We kept it for you, just as you left it.",
    blocks=letter(text(KEPT, heading=HELLO), cart(), text(ALREADY), reply=REPLY, because=BECAUSE),
)
WITH_ALTERNATIVES = Message(
    name="Abandoned cart: the first reminder, with two alternatives",
    subject=SUBJECT,
    preheader="We kept it for you, just as you left it.",
    blocks=letter(
        text(KEPT, heading=HELLO),
        cart(),
        text(ALREADY),
        recommended("similar", "Or rather one of these?"),
        reply=REPLY,
        because=BECAUSE,
    ),
)
QUESTIONS = Message(
    name="Abandoned cart: what people ask before they buy",
    subject="Is anything unclear about your cart?",
    preheader="Delivery, returns, and a person who answers.",
    blocks=letter(
        text(
            "your cart is still here, and there is no hurry. This is what people ask me most before they"
            " buy:",
            "- **Is it any good?** Ask me what other customers say of it, the good and the bad.\n"
            "- **When does it arrive, and what does that cost?** You see both before you pay.\n"
            "- **And if it isn't right for me?** Tell me, and I'll explain how to send it back.",
            "If you wonder about something else, just reply.",
            heading=HELLO,
        ),
        cart(),
        text(ALREADY),
        recommended("similar", "Others looked at these, too"),
        reply="**Ask me.** Reply to this message, or call. I know what we sell.",
        because=BECAUSE,
    ),
)
FIRST_ORDER = Message(
    name="Abandoned cart: something for the first order",
    subject=(
        "{{ offer.headline | default: 'Your cart' }}"
        "{% if cart.lines.size > 0 %}: {{ cart.lines[0].name | truncate: 40, '…' }}{% endif %}"
    ),
    preheader="For your first order with us. Good once.",
    blocks=letter(
        text(
            "this is the last time I write about your cart. It would be your first order with us, so"
            " here is something to make it easier.",
            heading=HELLO,
        ),
        coupon("For your first order"),
        cart(),
        text(ALREADY),
        reply=REPLY,
        because=BECAUSE,
    ),
)
FIRST = compare(
    "first-message",
    variants={"Cart alone": CART_ALONE, "Two alternatives": WITH_ALTERNATIVES},
    expires_after=EXPIRES_AFTER,
)
ONLY_FIRST = [send("first-message", CART_ALONE)]
NEVER_BOUGHT = all_of(true_of("crm.not_ordered"))
LATER = [
    wait(24, "hours"),
    send("questions", QUESTIONS, expires_after=DAY),
    wait(48, "hours"),
    send("first-order", FIRST_ORDER, needs_offer=True, only_if=NEVER_BOUGHT, expires_after=DAY),
]


@playbooks.register
class AbandonedCart(Play):
    """Eight minutes after somebody left a cart, one message from a person, with that cart and a telephone
    number. A day later what people ask before they buy; after three days, for those who never bought,
    something that makes the first order easier.

    No discount before: most of those who come back would have bought, and a discount teaches the others to
    wait. Anyone who buys, empties the cart or takes back their consent gets nothing.
    """

    key = "campaigns.abandoned_cart"
    label = "Abandoned cart"
    group = "Win back"
    help = "Eight minutes after a cart was left: the cart, a person, a telephone. No discount."
    purpose = "cart_recovery"
    trigger = CartWasLeft.key
    trigger_params = {"delay_minutes": "8"}
    priority = 30
    reentry_days = 7
    expires_after = EXPIRES_AFTER
    flow = [FIRST, *LATER]

    def settings(self, now: datetime) -> dict[str, Any]:
        """Where a play of its own writes about checkouts that were left, they are left to it."""
        others = Campaign.objects.filter(playbook=OF_CHECKOUTS).exclude(state=Campaign.State.STOPPED)
        apart = {"not_checkouts": True} if others.exists() else {}
        return {"trigger_params": {**self.trigger_params, **apart}}

    def make(
        self,
        now: datetime,
        *,
        flow: Sequence[Planned] | None = None,
        only_first: bool = False,
        **overrides: Any,
    ) -> Campaign:
        """With `only_first` the first message alone, the same for everybody: what the sample shop shows."""
        return super().make(now, flow=ONLY_FIRST if only_first else flow, **overrides)
