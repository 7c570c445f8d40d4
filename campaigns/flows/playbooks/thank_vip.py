"""Thanks to those who clicked and bought: they are treated as what they are, without a discount."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from campaigns.flows.drafting import DAY, Message, Play, send
from campaigns.flows.kinds import playbooks
from campaigns.flows.triggers.clicked_and_bought import ClickedAndBought
from campaigns.messages.pieces import button, letter, text
from crm.models import Status

VIP = "vip"
LASTS_DAYS = 365
MESSAGE = Message(
    name="Thank you, VIP, as it comes with the program",
    subject='Thank you, {{ contact.first_name | default: "from all of us" }}',
    preheader="And something that is not a discount.",
    blocks=letter(
        text(
            "you came back to us and bought something. I hope it has arrived and is what you wanted; if"
            " anything is not right, tell me and I put it right.",
            "{% if status.vip %}You are one of our regulars now: until"
            ' {{ status.vip.until | date: "%-d %B %Y" }} you see what is new'
            " before everybody else, and I keep things aside for you when you ask."
            "{% else %}From now on I keep things aside for you when you ask.{% endif %}"
            " Just write to me.",
            heading='Thank you, {{ contact.first_name | default: "and welcome back" }}',
        ),
        button("See what is new"),
        reply="Shall I put something aside for you? **Just reply**, it reaches me.",
        because="You get this thank-you because you bought from us a few days ago.",
    ),
)


@playbooks.register
class ThankYouVip(Play):
    """Three days after somebody clicked in a message and bought, a person thanks them and offers early
    access. No discount: they have just paid the full price gladly, and a discount would teach them to wait.

    Makes the status “VIP”, which whoever clicks and buys holds for a year, and which rules, messages and
    priorities may ask for. At most once in a hundred and eighty days. A fifth is held out.
    """

    key = "campaigns.thank_vip"
    label = "Thank you, VIP"
    group = "Listen"
    help = "Clicked and bought: thanks from a person three days later, early access instead of a discount."
    trigger = ClickedAndBought.key
    trigger_params = {"within_days": "5", "wait_days": "3"}
    priority = 60
    exit_on_purchase = False  # They may well buy again before it comes.
    reentry_days = 180
    expires_after = 2 * DAY
    flow = [send("first-message", MESSAGE)]

    def settings(self, now: datetime) -> dict[str, Any]:
        vip(now)
        return {}


def vip(now: datetime) -> Status:
    """The status of whoever clicks and buys; made once, and theirs to change from then on."""
    params = {"then": "bought", "within": "5", "days": "90"}
    return Status.objects.get_or_create(
        key=VIP,
        defaults={
            "name": "VIP",
            "good_for": "Sees what is new before everybody else; things are kept aside on request.",
            "rule": {"all": [{"kind": "campaigns.clicked_then", "params": params}]},
            "lasts_days": LASTS_DAYS,
            "created_at": now,
        },
    )[0]
