"""Thanks to those who clicked and bought: they are treated as what they are, without a discount."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction

from campaigns.flows import drafting
from campaigns.flows.kinds import Playbook, playbooks
from campaigns.flows.triggers.clicked_and_bought import ClickedAndBought
from campaigns.models import Campaign
from crm.models import Status

VIP = "vip"
LASTS_DAYS = 365
BLOCKS = [
    {"kind": "campaigns.header", "params": {"align": "center", "height": "40"}},
    {
        "kind": "campaigns.text",
        "params": {
            "heading": 'Thank you, {{ contact.first_name | default: "and welcome back" }}',
            "words": "you came back to us and bought something. I hope it has arrived and is what you wanted;"
            " if anything is not right, tell me and I put it right.\n\n"
            "{% if status.vip %}You are one of our regulars now: until"
            ' {{ status.vip.until | date: "%-d %B %Y" }} you see what is new'
            " before everybody else, and I keep things aside for you when you ask."
            "{% else %}From now on I keep things aside for you when you ask.{% endif %}"
            " Just write to me.",
            "align": "left",
        },
    },
    {
        "kind": "campaigns.button",
        "params": {
            "words": "See what is new",
            "link": "{{ shop.url }}",
            "style": "filled",
            "align": "center",
        },
    },
    {
        "kind": "campaigns.sender",
        "params": {"words": "Shall I put something aside for you? **Just reply**, it reaches me."},
    },
    {
        "kind": "campaigns.footer",
        "params": {"because": "You get this thank-you because you bought from us a few days ago."},
    },
]


@playbooks.register
class ThankYouVip(Playbook):
    """Three days after somebody clicked in a message and bought, a person thanks them and offers early
    access. No discount: they have just paid the full price gladly, and a discount would teach them to wait.

    Makes the status *VIP*, which whoever clicks and buys holds for a year, and which rules, messages and
    priorities may ask for. At most once in a hundred and eighty days. A fifth is held out.
    """

    key = "campaigns.thank_vip"
    label = "Thank you, VIP"
    group = "Listen"
    help = "Clicked and bought: thanks from a person three days later, early access instead of a discount."

    def make(self, now: datetime, **overrides: Any) -> Campaign:
        """A draft with its message, and the status."""
        with transaction.atomic():
            vip(now)
            template = drafting.message(
                "Thank you, VIP, as it comes with the program",
                'Thank you, {{ contact.first_name | default: "from all of us" }}',
                "And something that is not a discount.",
                BLOCKS,
                now,
            )
            return drafting.one_message(
                self,
                template,
                now,
                **{
                    "priority": 60,
                    "trigger": ClickedAndBought.key,
                    "trigger_params": {"within_days": "5", "wait_days": "3"},
                    # They may well buy again before it comes.
                    "exit_on_purchase": False,
                    "control_share": Decimal("0.2"),
                    "reentry_days": Decimal(180),
                    "expires_after": timedelta(days=2),
                    "quiet_hours": True,
                    **overrides,
                },
            )


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
