"""The abandoned cart play: a person writes, with the cart, while it is still in the customer's mind."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction

from campaigns.flows.kinds import Playbook, playbooks
from campaigns.flows.steps.send import SendEmail
from campaigns.flows.triggers.abandoned_cart import AbandonedCart as CartWasLeft
from campaigns.messages import defaults, editing
from campaigns.models import Campaign, FlowVersion, Sender, Step, Template
from crm.models import Purpose

EXPIRES_AFTER = timedelta(hours=3)


@playbooks.register
class AbandonedCart(Playbook):
    """Eight minutes after somebody left a cart, one message from a person, with that cart and a telephone
    number.

    No discount: most of those who come back would have bought, and a discount teaches the others to wait.
    Anyone who buys, empties the cart or takes back their consent gets nothing. A fifth is held out, so
    that what it earns can be told from what would have been bought anyway.
    """

    key = "campaigns.abandoned_cart"
    label = "Abandoned cart"
    group = "Win back"
    help = "Eight minutes after a cart was left: the cart, a person, a telephone. No discount."

    def make(
        self,
        now: datetime,
        *,
        name: str = "",
        delay_minutes: Decimal | int = 8,
        control_share: Decimal | str = "0.2",
        reentry_days: Decimal | int = 7,
        expires_after: timedelta = EXPIRES_AFTER,
        **overrides: Any,
    ) -> Campaign:
        """A draft, ready to launch once the shop's address and a sender are set. `overrides` are fields of
        the campaign.
        """
        with transaction.atomic():
            campaign = Campaign.objects.create(
                name=name or self.label,
                playbook=self.key,
                description=self.help,
                purpose=Purpose.objects.get(key="cart_recovery"),
                sender=Sender.objects.filter(is_default=True).first(),
                priority=30,
                trigger=CartWasLeft.key,
                trigger_params={"delay_minutes": str(delay_minutes)},
                exit_on_purchase=True,
                control_share=Decimal(control_share),
                reentry_days=Decimal(reentry_days),
                expires_after=expires_after,
                created_at=now,
                **overrides,
            )
            version = FlowVersion.objects.create(campaign=campaign, number=1, created_at=now)
            Step.objects.create(
                version=version, key="first-message", position=1, kind=SendEmail.key, template=message(now)
            )
            return campaign


def message(now: datetime) -> Template:
    """The play's own message; made once: a second campaign starts from what the first one says by now."""
    written = defaults.abandoned_cart()
    template, made = Template.objects.get_or_create(name=written.name, defaults={"created_at": now})
    if made or template.current_id is None:
        editing.save_version(
            template,
            subject=written.subject,
            preheader=written.preheader,
            mjml=written.mjml,
            text=written.text,
            by=None,
            now=now,
        )
        template.refresh_from_db()
    return template
