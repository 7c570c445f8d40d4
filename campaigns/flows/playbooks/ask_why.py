"""The question to those who came and did not buy: a person asks, once, and wants nothing else."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction

from campaigns.flows import drafting
from campaigns.flows.kinds import Playbook, playbooks
from campaigns.flows.triggers.clicked_not_bought import ClickedNotBought
from campaigns.models import Campaign, Survey, SurveyChoice

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
BLOCKS = [
    {"kind": "campaigns.header", "params": {"align": "center", "height": "40"}},
    {
        "kind": "campaigns.text",
        "params": {
            "heading": 'Hello {{ contact.first_name | default: "there" }},',
            "words": "you had a look around our shop a few days ago and left without buying. That is"
            " perfectly all right. I would only like to know why, so that we can do better.\n\n"
            "One tap is enough, and I have nothing to sell you today.",
            "align": "left",
        },
    },
    {"kind": "campaigns.survey", "params": {"survey": SLUG}},
    {
        "kind": "campaigns.sender",
        "params": {"words": "Rather say it in your own words? **Just reply**, it reaches me."},
    },
    {
        "kind": "campaigns.footer",
        "params": {
            "because": "You get this one question because you came to our shop from one of our messages."
            " We ask at most once in three months."
        },
    },
]


@playbooks.register
class AskThemWhy(Playbook):
    """Three days after somebody clicked in a message, came and bought nothing, a person asks why: one
    question, five answers to tap, and room for words. No offer, or the answer would be bought.

    At most once in ninety days, behind everything else, and never to somebody with a cart standing open.
    Whoever buys in time is not asked. A fifth is held out: being asked makes some people come back, and that
    is worth knowing.
    """

    key = "campaigns.ask_why"
    label = "Ask them why"
    group = "Listen"
    help = "Clicked, came, did not buy: three days later one question from a person, answered by one tap."

    def make(self, now: datetime, **overrides: Any) -> Campaign:
        """A draft with its message and its survey."""
        with transaction.atomic():
            survey(now)
            template = drafting.message(
                "Ask them why, as it comes with the program",
                "What held you back?",
                "One tap is enough, and I have nothing to sell you.",
                BLOCKS,
                now,
            )
            return drafting.one_message(
                self,
                template,
                now,
                **{
                    "priority": 90,
                    "trigger": ClickedNotBought.key,
                    "trigger_params": {"hours": "72"},
                    "exit_on_purchase": True,
                    "control_share": Decimal("0.2"),
                    "reentry_days": Decimal(90),
                    "expires_after": timedelta(days=2),
                    "quiet_hours": True,
                    **overrides,
                },
            )


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
