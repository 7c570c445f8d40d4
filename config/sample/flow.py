"""The sample shop's running flow: the abandoned cart play, in such a hurry that one can watch it work."""

from datetime import datetime
from decimal import Decimal

from campaigns.flows import launching
from campaigns.flows.kinds import playbooks
from campaigns.models import Campaign, Sender
from config.sample.shop import FLOW_NAME

PLAYBOOK = "campaigns.abandoned_cart"
DESCRIPTION = (
    "The sample's own: writes one minute after a cart is left, holds nobody out, keeps no quiet hours and no "
    "frequency limits, and may write to the same person again after two minutes. A real shop waits eight "
    "minutes and seven days."
)
TWO_MINUTES = Decimal("0.0014")


def start(sender: Sender, now: datetime) -> Campaign:
    """Make and launch it, once."""
    found = Campaign.objects.filter(name=FLOW_NAME, playbook=PLAYBOOK).first()
    if found:
        return found
    campaign = playbooks.get(PLAYBOOK).make(
        now,
        only_first=True,
        name=FLOW_NAME,
        trigger_params={"delay_minutes": "1"},
        control_share=Decimal(0),
        reentry_days=TWO_MINUTES,
        quiet_hours=False,
        in_caps=False,
    )
    campaign.description, campaign.sender = DESCRIPTION, sender
    campaign.save(update_fields=["description", "sender"])
    return launching.launch(campaign, "the sample shop", now)
