"""The welcome play: what somebody who signed up may expect."""

from __future__ import annotations

from campaigns.flows.drafting import DAY, Message, Play, send, wait
from campaigns.flows.kinds import playbooks
from campaigns.messages.pieces import HELLO, also, button, letter, reading, recommended, text

BECAUSE = "You get this because you signed up to hear from us."
FIRST = Message(
    name="Welcome: what to expect",
    subject="Welcome{% if contact.first_name %}, {{ contact.first_name }}{% endif %}. What to expect from us",
    preheader="What you get, how often, and how to stop it.",
    blocks=letter(
        text(
            "thank you for signing up. This is what you can expect:",
            "- You hear from us **when there is something to say**, and seldom more than once a week.\n"
            "- **A person writes and reads.** Reply to any message, and you get an answer.\n"
            "- **You can stop it** at any time, by one tap at the bottom of each message.",
            heading=HELLO,
        ),
        button("Have a look around"),
        recommended("best", "What others like best"),
        reply="**I am glad you are here.** If you look for something, just reply.",
        because=BECAUSE,
    ),
)
BEGIN = Message(
    name="Welcome: where to begin",
    subject="Where to begin",
    preheader="What people read and look at first.",
    blocks=letter(
        text(
            "a shop can feel large at first. This is where most people begin; and if you tell me what you"
            " are after, I'll point you straight to it.",
            heading=HELLO,
        ),
        reading("To read first"),
        recommended("similar", "Picked for you", 4),
        also(),
        button("See the whole shop"),
        reply="**What are you looking for?** One line is enough.",
        because=BECAUSE,
    ),
)


@playbooks.register
class Welcome(Play):
    """At once when somebody signs up: thanks, what they may expect and how to stop it; three days later where
    to begin. Whoever buys is looked after by the play after an order.

    The message that is read more than any other: it makes the promise that all others keep. They asked for
    it, so no limit and no other message holds it back; it counts, and what comes after it waits. Nothing off;
    if your form promised something, choose it as the offer of the first step and add the coupon to its
    message.
    """

    key = "campaigns.welcome"
    label = "Welcome"
    group = "Welcome"
    help = (
        "At once when somebody signs up: thanks, what to expect, a person. Three days later where to begin."
    )
    trigger = "campaigns.agreed"
    trigger_params = {"purpose": "newsletter"}
    priority = 10
    reentry_days = 365
    expires_after = DAY
    flow = [send("first-message", FIRST, asked_for=True), wait(3), send("where-to-begin", BEGIN)]
