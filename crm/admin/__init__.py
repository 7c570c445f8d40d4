"""The back office of people, what they bought, and the workings."""

from crm.admin import (
    catalogue,
    companies,
    consent,
    contacts,
    keys,
    leads,
    notices,
    orders,
    own_fields,
    people,
    risk,
    schedule,
    segments,
    shop,
    statuses,
)

__all__ = [
    "catalogue",
    "companies",
    "consent",
    "contacts",
    "keys",
    "leads",
    "notices",
    "orders",
    "own_fields",
    "people",
    "risk",
    "schedule",
    "segments",
    "shop",
    "statuses",
]
