"""The question to those who came and did not buy: a person asks, once, and wants nothing else."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from campaigns.flows.drafting import DAY, Message, Play, lately_in, none_of, send, true_of
from campaigns.flows.kinds import playbooks
from campaigns.flows.triggers.clicked_not_bought import ClickedNotBought
from campaigns.messages import pieces
from campaigns.messages.pieces import HELLO, letter, text
from campaigns.models import Survey, SurveyChoice

SLUG = "why_not"
QUESTION = "What held you back?"
ANSWERS = [
    ("The price", "Thank you, that helps. Tell us which one it was, and we write to you when it costs less."),
    (
        "Delivery: how long, or what it costs",
        "Thank you. Tell us where it should go, and a person answers with the day and the price.",
    ),
    ("I did not find what I wanted", "Thank you. Tell us what it was, and a person will look for it."),
    ("I am still making up my mind", "Of course, take your time. If a question is left, ask it below."),
    ("Something else", "Thank you. A person reads this, and answers if you ask something."),
]
MESSAGE = Message(
    name="Ask them why, as it comes with the program",
    subject="What held you back?",
    preheader="One tap is enough, and I have nothing to sell you.",
    blocks=letter(
        text(
            "you had a look around our shop a few days ago and left without buying. That is perfectly all"
            " right. I would only like to know why, so that we can do better.",
            "One tap is enough, and I have nothing to sell you today.",
            heading=HELLO,
        ),
        pieces.survey(SLUG),
        reply="Rather say it in your own words? **Just reply**, it reaches me.",
        because="You get this one question because you came to our shop from one of our messages."
        " We ask at most once in three months.",
    ),
)


@playbooks.register
class AskThemWhy(Play):
    """Three days after somebody clicked in a message, came and bought nothing, a person asks why: one
    question, five answers to tap, and room for words. No offer, or the answer would be bought.

    At most once in ninety days, behind everything else, and never to somebody with a cart standing open.
    Whoever is lost, or was asked within the month whether to go on writing, answered another question by that
    click, and is not asked this one. Whoever buys in time is not asked. A fifth is held out: being asked
    makes some people come back, and that is worth knowing.
    """

    key = "campaigns.ask_why"
    label = "Ask them why"
    group = "Listen"
    help = "Clicked, came, did not buy: three days later one question from a person, answered by one tap."
    trigger = ClickedNotBought.key
    trigger_params = {"hours": "72"}
    priority = 90
    reentry_days = 90
    expires_after = 2 * DAY
    flow = [send("first-message", MESSAGE)]

    def settings(self, now: datetime) -> dict[str, Any]:
        survey(now)
        return {"entry_rule": none_of(true_of("crm.stands", state="lost"), *lately_in("campaigns.sunset"))}


def survey(now: datetime) -> Survey:
    """The play's own question; made once, and theirs to change from then on."""
    found, made = Survey.objects.get_or_create(
        slug=SLUG,
        defaults={
            "question": QUESTION,
            "words_label": "Would you tell us more? A person reads every word.",
            "created_at": now,
        },
    )
    if made:
        SurveyChoice.objects.bulk_create(
            SurveyChoice(survey=found, label=label, thanks=thanks, position=place)
            for place, (label, thanks) in enumerate(ANSWERS)
        )
    return found
