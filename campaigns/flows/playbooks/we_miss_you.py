"""The play for people who have not been here for two weeks: what is new, and no reproach."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from campaigns.flows.drafting import (
    CAME_BACK,
    DAY,
    SLIPPING,
    Message,
    Planned,
    Play,
    any_of,
    none_of,
    not_inside,
    send,
    wait,
)
from campaigns.flows.kinds import playbooks
from campaigns.messages.pieces import HELLO, Piece, also, button, coupon, letter, reading, recommended, text
from campaigns.models import Offer

# Whom these write to is not missed: they are on their way, or expected.
AWAITED = ("campaigns.nurture", "campaigns.replenishment")
BECAUSE = (
    "You get this because you agreed to hear from us and have not been in our shop for a while. We write"
    " twice at the most, and not again for two months."
)
SUBJECT = "{{ contact.first_name | default: 'Hello' }}, this is new since you were here"


def _news(*on_now: Piece) -> list[Piece]:
    return letter(
        text(
            "you have not been here for a while, so I picked out what came in since: things that go with what"
            " you like to look at, and nothing that we want to be rid of.",
            heading=HELLO,
        ),
        *on_now,
        recommended("fresh", "New, and picked for you", 4),
        also(),
        reading("Worth reading"),
        button("Look around"),
        reply="**Looking for something?** Tell me in a line, and I'll look for it.",
        because=BECAUSE,
    )


NEWS = Message(
    name="We miss you: what is new",
    subject=SUBJECT,
    preheader="Picked out for you, and a person who answers.",
    blocks=_news(),
)
NEWS_AND_OFFER = Message(
    name="We miss you: what is new, and what the shop has on",
    subject=SUBJECT,
    preheader="Picked out for you, and what the shop has on now.",
    blocks=_news(coupon("On in the shop now, for everybody")),
)
BEST = Message(
    name="We miss you: what others like best",
    subject="What others like best just now",
    preheader="In case there was nothing new for you.",
    blocks=letter(
        text(
            "in case nothing new was for you: here is what other people bought most in the last few months.",
            heading=HELLO,
        ),
        recommended("best", "Best sellers", 4),
        also(),
        button("Look around"),
        reply="**Nothing for you?** Tell me what is missing in our shop, it helps.",
        because=BECAUSE,
    ),
)


@playbooks.register
class WeMissYou(Play):
    """Two weeks without an order and one without a visit: what is new in their categories, with what the site
    has on anyway, if it has something on; a week later the best sellers. Whoever comes by or buys leaves.

    Most of a list qualifies at any time, so it comes back after sixty days at the earliest. People at risk
    or lost by their own rhythm belong to the plays for them: they do not enter, and whoever comes to be at
    risk between the two messages leaves. So do leads in the course and whoever will soon need something
    again belong to theirs.
    """

    key = "campaigns.we_miss_you"
    label = "We miss you"
    group = "Win back"
    help = "Two weeks without an order, one without a visit: what is new for them. Nothing beyond the site's."
    purpose = "win_back"
    trigger = "campaigns.no_purchase"
    trigger_params = {"days": "14", "unseen_days": "7"}
    priority = 72
    exit_rule = any_of(CAME_BACK, *SLIPPING)
    reentry_days = 60
    expires_after = 2 * DAY

    def settings(self, now: datetime) -> dict[str, Any]:
        return {"entry_rule": none_of(*SLIPPING, *not_inside(*AWAITED).get("none", []))}

    def steps(self, now: datetime) -> Sequence[Planned]:
        # What everybody gets on the site costs nothing more; where the site has nothing on, nothing is said.
        on_site = Offer.objects.running(now).filter(place=Offer.Place.SITE).order_by("ends_at", "pk").first()
        news: dict[str, Any] = {"offer": on_site} if on_site else {}
        return [
            send("first-message", NEWS_AND_OFFER if on_site else NEWS, **news),
            wait(7),
            send("best-sellers", BEST),
        ]
