"""The sunset play: ask those who are lost whether to go on, and stop where nobody answers."""

from __future__ import annotations

from campaigns.flows.drafting import CAME_BACK, DAY, Message, Play, any_of, send, then, true_of, wait
from campaigns.flows.kinds import playbooks
from campaigns.flows.steps.stop_writing import StopWriting
from campaigns.messages.pieces import HELLO, button, letter, text

BECAUSE = "You get this because you once agreed to hear from us, and we have not heard from you for long."
CHOOSE = "[Choose what you get]({{ links.preferences }})"
STAY = Message(
    name="Sunset: shall we keep writing?",
    subject="Shall we keep writing to you?",
    preheader="One tap is enough. If you do nothing, we stop.",
    blocks=letter(
        text(
            "you have not been in our shop for a long time, and I do not want to fill your inbox for nothing."
            " If you would still like to hear from us, one tap is enough. If you do nothing, we stop: that"
            " is all right, too.",
            heading=HELLO,
        ),
        button("Yes, keep writing to me"),
        text(f"Would less do, or only about some things? {CHOOSE}"),
        reply="**Anything we did wrong?** Reply to this message: I would like to know, and nobody will"
        " try to sell you anything.",
        because=BECAUSE,
    ),
)
LAST = Message(
    name="Sunset: the last message",
    subject="This is our last message",
    preheader="Thank you for the time you were with us.",
    blocks=letter(
        text(
            "I asked two weeks ago whether to go on, and heard nothing. So this is the last message."
            " Nothing changes about your orders, and our shop is open to you as ever.",
            "If you would rather stay in touch, tap here within a week. Otherwise: thank you, and"
            " all the best.",
            heading=HELLO,
        ),
        button("Stay in touch after all"),
        reply="**One last word?** Just reply, it reaches me.",
        because=BECAUSE,
    ),
)
SIGN_OF_LIFE = any_of(
    true_of("tracking.did_since_entering", event="click", times="1"),
    true_of("tracking.did_since_entering", event="reply", times="1"),
    CAME_BACK,
)


@playbooks.register
class Sunset(Play):
    """Whoever is lost by their own rhythm is asked whether we shall go on; two weeks later they are told that
    we stop, and a week after that we do: what they agreed to for marketing by e-mail expires.

    A click, a visit, a reply or an order keeps them. Writing on to people who do not read teaches mail
    providers that nobody wants our mail, and then it reaches the others less, too.
    """

    key = "campaigns.sunset"
    label = "Lost: ask to stay, then stop"
    group = "Win back"
    help = "Whoever is lost is asked whether to go on. Who does not answer within three weeks is left alone."
    purpose = "win_back"
    trigger = "campaigns.standing_moves"
    trigger_params = {"to": "lost"}
    priority = 74
    exit_rule = SIGN_OF_LIFE
    reentry_days = 365
    expires_after = 5 * DAY
    flow = [
        send("ask-to-stay", STAY),
        wait(14),
        send("last-message", LAST),
        wait(7),
        then(StopWriting.key, key="stop"),
    ]
