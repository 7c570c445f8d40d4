"""The back office of what we say: campaigns, templates, deliveries, decisions, pictures, surveys, senders."""

from campaigns.admin import campaigns, decisions, deliveries, images, senders, surveys, templates

__all__ = ["campaigns", "decisions", "deliveries", "images", "senders", "surveys", "templates"]
