"""The win-back play for people who are slipping away by their own rhythm."""

from __future__ import annotations

from campaigns.flows.drafting import (
    DAY,
    SOMETHING_IS_OPEN,
    Message,
    Planned,
    Play,
    any_of,
    branch,
    none_of,
    send,
    true_of,
    wait,
)
from campaigns.flows.kinds import playbooks
from campaigns.messages.pieces import HELLO, button, coupon, letter, reading, recommended, text

BECAUSE = (
    "You get this because you bought from us or signed up, and agreed to hear from us. We write three times"
    " at the most, and then not again for half a year."
)
PAUSE = "[Pause them for a month, or choose what you get]({{ links.preferences }})"
NEWS = Message(
    name="At risk: what is new",
    subject="{{ contact.first_name | default: 'Hello' }}, it has been a while",
    preheader="What came in since, picked for you.",
    blocks=letter(
        text(
            "it has been a while, and I wondered whether all is well with what you have from us. If something"
            " is not, tell me, and I'll put it right. And if you are only busy: here is what came in since,"
            " picked by what you like.",
            heading=HELLO,
        ),
        recommended("fresh", "New, and picked for you", 4),
        reading("Worth reading"),
        button("Look around"),
        reply="**Was something not right?** Reply to this, it reaches me.",
        because=BECAUSE,
    ),
)
OFFER = Message(
    name="At risk: a week to come back",
    subject="{{ offer.headline | default: 'Something' }} for you, if you like",
    preheader="{% if offer.ends_at %}Until {{ offer.ends_at | date: '%-d %B' }}. {% endif %}Yours alone.",
    blocks=letter(
        text(
            "I would be glad to see you again, and this may make it easier. It is yours alone, good once, and"
            " there is no catch.",
            heading=HELLO,
        ),
        coupon("For you"),
        recommended("favourites", "What you know and like", 4),
        button("Look around"),
        reply="**Something else in the way?** Tell me what, and I'll see what I can do.",
        because=BECAUSE,
    ),
)
LAST = Message(
    name="At risk: the last call, and a pause",
    subject="Shall I leave you in peace?",
    preheader="You can pause these messages for a month.",
    blocks=letter(
        text(
            "I wrote to you lately and heard nothing, and that is quite all right. This is the last time for"
            " now. And should you need something: you know where we are.",
            f"Do our messages come at the wrong moment? {PAUSE}",
            heading=HELLO,
        ),
        recommended("best", "What others like best just now", 4),
        reply="**Rather say it in your own words?** Just reply.",
        because=BECAUSE,
    ),
)
LATELY_HERE = any_of(true_of("tracking.last_seen", which="within", days="7"))
VISITED = "Visited"


def unless_here() -> list[Planned]:
    """Whoever was here in the last seven days is left in peace for seven more."""
    return [branch((VISITED, LATELY_HERE), otherwise="Quiet"), wait(7, path=VISITED)]


@playbooks.register
class AtRisk(Play):
    """When somebody falls silent for longer than they usually are: news at once and nothing off; after a week
    a code of their own for seven days, if the discount guard allows it; after three weeks a last call with
    the choice to pause. A visit puts it off by seven days. An order, a reply or a word to stop ends it.

    Nobody gets it whose order was cancelled or refunded in the last month, or who carries the tag
    “complaint”: they have something else to hear from you. Whoever is not won passes to “lost”, and to the
    play that asks them to stay.
    """

    key = "campaigns.at_risk"
    label = "At risk: win them back"
    group = "Win back"
    help = "Silent beyond their own rhythm: news first, a week later a code of their own, then a last call."
    purpose = "win_back"
    trigger = "campaigns.standing_moves"
    trigger_params = {"to": "at_risk"}
    priority = 70
    entry_rule = none_of(SOMETHING_IS_OPEN)
    exit_rule = any_of(
        true_of("tracking.did_since_entering", event="reply", times="1"),
        true_of("campaigns.unsubscribed", days="30"),
    )
    reentry_days = 180
    expires_after = 3 * DAY
    flow = [
        send("news", NEWS),
        wait(7),
        *unless_here(),
        send("offer", OFFER, needs_offer=True),
        wait(14),
        *unless_here(),
        send("last-call", LAST),
    ]
