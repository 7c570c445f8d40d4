"""What we say, to whom and when, what became of it, and what it earned."""

from campaigns.models.campaigns import Campaign, FlowVersion, Step, StepVariant
from campaigns.models.deliveries import Decision, Delivery, DeliveryAttempt, DeliveryState, OrderCredit
from campaigns.models.enrolments import Due, Enrolment
from campaigns.models.images import Image
from campaigns.models.senders import Sender, SendingControl
from campaigns.models.templates import Template, TemplateVersion

__all__ = [
    "Campaign",
    "Decision",
    "Delivery",
    "DeliveryAttempt",
    "DeliveryState",
    "Due",
    "Enrolment",
    "FlowVersion",
    "Image",
    "OrderCredit",
    "Sender",
    "SendingControl",
    "Step",
    "StepVariant",
    "Template",
    "TemplateVersion",
]
