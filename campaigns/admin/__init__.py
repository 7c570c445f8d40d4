"""The back office of what we say: campaigns, templates, deliveries, decisions, senders."""

from campaigns.admin import campaigns, decisions, deliveries, senders, templates

__all__ = ["campaigns", "decisions", "deliveries", "senders", "templates"]
