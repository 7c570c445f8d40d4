"""The back office of what we say: campaigns, templates, deliveries, decisions, pictures, senders."""

from campaigns.admin import campaigns, decisions, deliveries, images, senders, templates

__all__ = ["campaigns", "decisions", "deliveries", "images", "senders", "templates"]
