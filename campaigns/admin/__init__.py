"""The back office of what we say: campaigns, templates, offers, surveys, deliveries, pictures, senders."""

from campaigns.admin import campaigns, decisions, deliveries, images, offers, senders, surveys, templates

__all__ = ["campaigns", "decisions", "deliveries", "images", "offers", "senders", "surveys", "templates"]
