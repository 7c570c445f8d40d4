"""The birthday play: a wish, and nothing else."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from campaigns.flows.drafting import DAY, Message, Play, send
from campaigns.flows.kinds import playbooks
from campaigns.messages.pieces import button, letter, text
from crm.models import OwnField

FIELD = "birthday"
MESSAGE = Message(
    name="Birthday: all the best",
    subject="Happy birthday{% if contact.first_name %}, {{ contact.first_name }}{% endif %}",
    preheader="All the best, from all of us.",
    blocks=letter(
        text(
            "all of us at {{ shop.name }} wish you a very good day, and a year with more good days than bad"
            " ones.",
            "There is nothing to buy. If you would like to have a look around all the same, you know where"
            " we are.",
            heading="Happy birthday{% if contact.first_name %}, {{ contact.first_name }}{% endif %}",
        ),
        button("Look in on us"),
        reply="**Is there something you have been wishing for?** Tell me, and I'll look for it.",
        because="You get this because you told us your birthday and agreed to hear from us. Once a year.",
    ),
)


@playbooks.register
class Birthday(Play):
    """On a person's birthday a wish from a person, by day where they live, once a year. An order does not end
    it, and nothing is off: a present that has to be bought is none.

    Makes a field “Birthday” where there is none. If you do give something, choose it as the step's offer, add
    the coupon to the message, and take “follows the ladder” out of the offer: it was promised.
    """

    key = "campaigns.birthday"
    label = "Birthday"
    group = "Tell them"
    help = "On their birthday a wish from a person, by day where they live. Nothing to buy."
    trigger = "campaigns.birthday"
    priority = 52
    exit_on_purchase = False
    reentry_days = 300
    expires_after = DAY
    flow = [send("first-message", MESSAGE)]

    def settings(self, now: datetime) -> dict[str, Any]:
        return {"trigger_params": {"field": birthday(now).key, "days_before": "0"}}


def birthday(now: datetime) -> OwnField:
    """The field the day stands in; a date field of that name that the shop has already is used."""
    return OwnField.objects.get_or_create(
        key=FIELD,
        defaults={
            "label": "Birthday",
            "type": OwnField.Type.DATE,
            "help": "For the wish on the day. The year may be any.",
            "created_at": now,
        },
    )[0]
