"""What people do: visits, events, carts, and the raw rows they came in as."""

from tracking.models.carts import Cart, CartLine
from tracking.models.events import Actor, Event, EventKind
from tracking.models.inbound import InboundEvent, Refusal
from tracking.models.interest import DailyCount, UnrolledMonth, Visit
from tracking.models.links import Link
from tracking.models.visitors import Visitor, VisitorCart, VisitorEvent

__all__ = [
    "Actor",
    "Cart",
    "CartLine",
    "DailyCount",
    "Event",
    "EventKind",
    "InboundEvent",
    "Link",
    "Refusal",
    "UnrolledMonth",
    "Visit",
    "Visitor",
    "VisitorCart",
    "VisitorEvent",
]
