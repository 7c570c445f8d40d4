"""What we say, to whom and when, what became of it, and what it earned."""

from campaigns.models.brand import BrandKit, SavedBlock
from campaigns.models.campaigns import Campaign, FlowVersion, Step, StepVariant
from campaigns.models.content import ContentItem
from campaigns.models.deliveries import (
    WEBHOOK,
    Decision,
    Delivery,
    DeliveryAttempt,
    DeliveryState,
    OrderCredit,
)
from campaigns.models.enrolments import Due, Enrolment
from campaigns.models.experiments import EntryDay, VariantPick, VariantTest
from campaigns.models.frequency import ChannelLimit, FrequencySettings, OfferSlot
from campaigns.models.images import Image
from campaigns.models.joinings import Joining
from campaigns.models.launches import LaunchRequest
from campaigns.models.letters import Letter
from campaigns.models.offers import Coupon, Offer, OfferProduct, OfferSettings
from campaigns.models.recommendations import BestSeller, Neighbour, RecommendationRun
from campaigns.models.senders import Sender, SendingControl
from campaigns.models.surveys import Survey, SurveyAnswer, SurveyChoice
from campaigns.models.templates import Template, TemplateVersion

__all__ = [
    "WEBHOOK",
    "BestSeller",
    "BrandKit",
    "Campaign",
    "ChannelLimit",
    "ContentItem",
    "Coupon",
    "Decision",
    "Delivery",
    "DeliveryAttempt",
    "DeliveryState",
    "Due",
    "Enrolment",
    "EntryDay",
    "FlowVersion",
    "FrequencySettings",
    "Image",
    "Joining",
    "LaunchRequest",
    "Letter",
    "Neighbour",
    "Offer",
    "OfferProduct",
    "OfferSettings",
    "OfferSlot",
    "OrderCredit",
    "RecommendationRun",
    "SavedBlock",
    "Sender",
    "SendingControl",
    "Step",
    "StepVariant",
    "Survey",
    "SurveyAnswer",
    "SurveyChoice",
    "Template",
    "TemplateVersion",
    "VariantPick",
    "VariantTest",
]
