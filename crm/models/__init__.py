"""Who people are and what they bought."""

from crm.models.catalogue import PriceChange, Product, StockChange
from crm.models.companies import Company
from crm.models.consent import ConsentDetail, ConsentEvent, ConsentState, ConsentText, Purpose, Suppression
from crm.models.contacts import Channel, Contact, ContactChange, ContactPoint, Engagement, OutsideId
from crm.models.desk import Notice, Task
from crm.models.fields import OwnField
from crm.models.leads import Lead, LeadDefinition, LeadVersion, ScoreChange, ScoreLine, Stage, StageMove
from crm.models.orders import Bought, Order, OrderLine, UncountedBuyers
from crm.models.segments import Segment, SegmentMembership, SegmentSize
from crm.models.shop import Heartbeat, ScheduleSlot, ServerKey, ShopSettings
from crm.models.standing import (
    Clock,
    RiskSettings,
    ShopRhythm,
    Standing,
    StandingDay,
    StandingMove,
    StandingUpkeep,
    State,
)
from crm.models.statuses import ContactStatus, Status

__all__ = [
    "Bought",
    "Channel",
    "Clock",
    "Company",
    "ConsentDetail",
    "ConsentEvent",
    "ConsentState",
    "ConsentText",
    "Contact",
    "ContactChange",
    "ContactPoint",
    "ContactStatus",
    "Engagement",
    "Heartbeat",
    "Lead",
    "LeadDefinition",
    "LeadVersion",
    "Notice",
    "Order",
    "OrderLine",
    "OutsideId",
    "OwnField",
    "PriceChange",
    "Product",
    "Purpose",
    "RiskSettings",
    "ScheduleSlot",
    "ScoreChange",
    "ScoreLine",
    "Segment",
    "SegmentMembership",
    "SegmentSize",
    "ServerKey",
    "ShopRhythm",
    "ShopSettings",
    "Stage",
    "StageMove",
    "Standing",
    "StandingDay",
    "StandingMove",
    "StandingUpkeep",
    "State",
    "Status",
    "StockChange",
    "Suppression",
    "Task",
    "UncountedBuyers",
]
