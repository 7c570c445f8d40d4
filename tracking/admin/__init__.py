"""The back office of visits and carts."""

from tracking.admin import carts, events, inbound

__all__ = ["carts", "events", "inbound"]
