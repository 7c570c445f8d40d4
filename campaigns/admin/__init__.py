"""The back office of what we say: campaigns, templates, offers, surveys, deliveries, pictures, senders."""

from campaigns.admin import (
    brand,
    campaigns,
    content,
    decisions,
    deliveries,
    enrolments,
    frequency,
    images,
    offers,
    recommendations,
    saved_blocks,
    senders,
    surveys,
    templates,
)

__all__ = [
    "brand",
    "campaigns",
    "content",
    "decisions",
    "deliveries",
    "enrolments",
    "frequency",
    "images",
    "offers",
    "recommendations",
    "saved_blocks",
    "senders",
    "surveys",
    "templates",
]
