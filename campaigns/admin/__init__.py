"""The back office of what we say: campaigns, templates, offers, surveys, deliveries, pictures, senders."""

from campaigns.admin import (
    brand,
    campaigns,
    decisions,
    deliveries,
    images,
    offers,
    saved_blocks,
    senders,
    surveys,
    templates,
)

__all__ = [
    "brand",
    "campaigns",
    "decisions",
    "deliveries",
    "images",
    "offers",
    "saved_blocks",
    "senders",
    "surveys",
    "templates",
]
