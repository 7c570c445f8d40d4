"""The broadcast: one message to many at one time, each in their own zone."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from campaigns.flows.drafting import (
    DAY,
    SOMETHING_IS_OPEN,
    Message,
    Play,
    all_of,
    any_of,
    compare,
    none_of,
    not_inside,
    segment,
    send,
    true_of,
    wait,
)
from campaigns.flows.kinds import playbooks
from campaigns.messages.pieces import HELLO, also, button, letter, reading, recommended, text
from crm.shop.settings import shop_zone

BECAUSE = "You get this because you signed up to hear from us."
BODY = letter(
    text(
        "we have put new things on the shelves, and some of them may be for you. I picked these by what you"
        " like to look at.",
        heading=HELLO,
    ),
    recommended("fresh", "New in the shop", 4),
    also(),
    reading("Worth reading"),
    button("See all that is new"),
    reply="**A question, or a wish?** Just reply, it reaches me.",
    because=BECAUSE,
)
PLAIN = Message(
    name="Broadcast: what is new",
    subject="New in the shop",
    preheader="A few things that may be for you.",
    blocks=BODY,
)
BY_NAME = Message(
    name="Broadcast: what is new, by name",
    subject="{{ contact.first_name | default: 'Hello' }}, have you seen these?",
    preheader="A few things that may be for you.",
    blocks=BODY,
)
AGAIN = Message(
    name="Broadcast: once more, to those who did not click",
    subject="In case you missed it: what is new",
    preheader="The same once more, and then no more of it.",
    blocks=BODY,
)
NOT_CLICKED = none_of(true_of("tracking.did_since_entering", event="click", times="1"))
READERS = all_of(
    true_of("crm.consent", purpose="newsletter", channel="email"),
    any_of(
        true_of("tracking.last_seen", which="within", days="90"),
        true_of("campaigns.clicked", which="least", times="1", days="90"),
    ),
    none_of(true_of("crm.ordered", within_days="3", times="1"), SOMETHING_IS_OPEN),
)
# Asked again of whoever is in: an order may be told of late, after the hour at which the segment was read.
JUST_BOUGHT = any_of(true_of("crm.ordered", within_days="3", times="1"))
BUSY_WITH = ("campaigns.abandoned_cart", "campaigns.abandoned_checkout", "campaigns.at_risk")


@playbooks.register
class Broadcast(Play):
    """One message to the segment “Active, not just bought” at ten in the morning where each lives: people
    seen within ninety days, less those who bought in the last three, those whose order was cancelled or
    refunded in the last month, who carry the tag “complaint”, and those whom the cart or the win-back
    play is writing to. Two subject lines are set against each other, on a tenth and a tenth, and the better
    one goes to the rest a day later (to fewer than 20,000 people half and half at once); after three days it
    goes once more to those who did not click.

    The date is a week from now until you change it, and the message is one to begin with: say what you have
    to say in the first three lines.
    """

    key = "campaigns.broadcast"
    label = "Broadcast"
    group = "Tell them"
    help = "One message to one segment at one time, each in their own zone; two subject lines compared."
    trigger = "campaigns.on_date"
    priority = 80
    exit_rule = JUST_BOUGHT
    reentry_days = 1
    expires_after = DAY
    flow = [
        compare("news", variants={"Plain": PLAIN, "By name": BY_NAME}, params={"first_percent": "10"}),
        wait(3),
        send("once-more", AGAIN, only_if=NOT_CLICKED),
    ]

    def settings(self, now: datetime) -> dict[str, Any]:
        readers = segment(
            "Active, not just bought",
            "Seen within 90 days, has not bought in the last three, may be sent the newsletter; no order "
            "undone in the last month, no complaint open.",
            READERS,
            now,
        )
        day = (now.astimezone(shop_zone()) + timedelta(days=7)).date()
        at = datetime.combine(day, time(10)).isoformat(timespec="minutes")
        return {
            "trigger_params": {"segment": str(readers.pk), "at": at, "zone": "person"},
            "entry_rule": not_inside(*BUSY_WITH),
        }
