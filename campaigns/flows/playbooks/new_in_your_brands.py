"""The play that tells people once a month what is new in the brands and categories they like."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from campaigns.flows.drafting import (
    DAY,
    SLIPPING,
    Message,
    Play,
    Rule,
    all_of,
    any_of,
    none_of,
    segment,
    send,
    true_of,
)
from campaigns.flows.kinds import playbooks
from campaigns.messages.pieces import HELLO, also, button, letter, reading, recommended, text

MESSAGE = Message(
    name="New in your brands: this month's",
    subject="New in what you like",
    preheader="{% if recommend.fresh.size > 0 %}{{ recommend.fresh[0].name }}, and more"
    "{% else %}What came in lately.{% endif %}",
    blocks=letter(
        text(
            "once a month I go through what came in and pick what is from the brands and shelves you like."
            " Where nothing new fits, you find what others took most.",
            heading=HELLO,
        ),
        recommended("fresh", "Picked for you", 4),
        also(),
        reading("Worth reading"),
        button("See all that is new"),
        reply="**Is a brand missing?** Tell me which, and I'll see what I can do.",
        because="You get this once a month because you looked at or bought such things and agreed to hear"
        " from us.",
    ),
)
INTERESTED: Rule = all_of(
    true_of("crm.consent", purpose="newsletter", channel="email"),
    any_of(
        true_of("crm.ordered", within_days="365", times="1"),
        true_of("tracking.did", event="product", within_days="90", times="2"),
    ),
    none_of(true_of("crm.ordered", within_days="14", times="1"), *SLIPPING),
)
# Asked again of whoever is in: an order may be told of late, after the hour at which the segment was read.
BOUGHT_OR_SLIPPING: Rule = any_of(true_of("crm.ordered", within_days="14", times="1"), *SLIPPING)


@playbooks.register
class NewInYourBrands(Play):
    """On the first of each month, at ten where each lives: what is new in the brands and categories somebody
    buys or looks at. To those who bought within a year or looked at products lately, not to those who have
    just bought, nor to people at risk or lost: the plays for them bring news of their own.

    Nothing off. It is worth reading because it differs for everybody: leave the picking to the program.
    """

    key = "campaigns.new_in_your_brands"
    label = "New in your brands"
    group = "Tell them"
    help = "Once a month what is new in the brands and categories each of them likes. Nothing off."
    trigger = "campaigns.repeating"
    priority = 82
    exit_rule = BOUGHT_OR_SLIPPING
    reentry_days = 20
    expires_after = DAY
    flow = [send("first-message", MESSAGE)]

    def settings(self, now: datetime) -> dict[str, Any]:
        interested = segment(
            "Likes certain brands or categories",
            "Bought within a year or looked at products lately, has not just bought, is not at risk or"
            " lost, may be sent the newsletter.",
            INTERESTED,
            now,
        )
        when = {"every": "month", "day": "1", "time": "10:00", "zone": "person"}
        return {"trigger_params": {"segment": str(interested.pk), **when}}
