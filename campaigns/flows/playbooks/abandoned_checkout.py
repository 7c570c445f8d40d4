"""The abandoned checkout play: the cart's messages for those who were about to pay."""

from __future__ import annotations

from campaigns.flows.drafting import Play
from campaigns.flows.kinds import playbooks
from campaigns.flows.playbooks import abandoned_cart


@playbooks.register
class AbandonedCheckout(Play):
    """Eight minutes after somebody left the checkout, the messages of the abandoned cart play, made once and
    shared with it. Whoever came that far wanted to buy: most often something got in the way.

    A play of its own means that its delay and what it earns can be looked at apart. A cart play made after it
    leaves these people to it; in one that is there already, tick “not those that got as far as the checkout”.
    """

    key = abandoned_cart.OF_CHECKOUTS
    label = "Abandoned checkout"
    group = "Win back"
    help = "Eight minutes after the checkout was left: the cart, a person, a telephone. No discount."
    purpose = "cart_recovery"
    trigger = "campaigns.abandoned_checkout"
    trigger_params = {"delay_minutes": "8"}
    priority = 29
    reentry_days = 7
    expires_after = abandoned_cart.EXPIRES_AFTER
    flow = [abandoned_cart.FIRST, *abandoned_cart.LATER]
