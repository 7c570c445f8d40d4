"""The back office of visits and carts."""

from tracking.admin import carts, inbound

__all__ = ["carts", "inbound"]
