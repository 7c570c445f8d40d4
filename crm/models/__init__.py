"""Who people are and what they bought."""

from crm.models.catalogue import Product
from crm.models.companies import Company
from crm.models.consent import ConsentDetail, ConsentEvent, ConsentState, ConsentText, Purpose, Suppression
from crm.models.contacts import Channel, Contact, ContactChange, ContactPoint, Engagement, OutsideId
from crm.models.orders import Order, OrderLine
from crm.models.segments import Segment, SegmentMembership
from crm.models.shop import Heartbeat, ScheduleSlot, ServerKey, ShopSettings

__all__ = [
    "Channel",
    "Company",
    "ConsentDetail",
    "ConsentEvent",
    "ConsentState",
    "ConsentText",
    "Contact",
    "ContactChange",
    "ContactPoint",
    "Engagement",
    "Heartbeat",
    "Order",
    "OrderLine",
    "OutsideId",
    "Product",
    "Purpose",
    "ScheduleSlot",
    "Segment",
    "SegmentMembership",
    "ServerKey",
    "ShopSettings",
    "Suppression",
]
