"""The back office of offers: the offers, their codes, and what the discount guard holds them to."""

from campaigns.admin.offers import coupons, guard, offers

__all__ = ["coupons", "guard", "offers"]
