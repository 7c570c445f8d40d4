"""Who people are and what they bought."""

from crm.models.access import ExportLimit, PasswordTries, Sight
from crm.models.catalogue import PriceChange, Product, StockChange
from crm.models.companies import Company
from crm.models.consent import ConsentDetail, ConsentEvent, ConsentState, ConsentText, Purpose, Suppression
from crm.models.contacts import Channel, Contact, ContactChange, ContactPoint, Engagement, OutsideId
from crm.models.desk import MarketingPause, Note, Notice, Task
from crm.models.exports import Export
from crm.models.fields import OwnField
from crm.models.handing import (
    Absence,
    AssignmentMember,
    AssignmentRule,
    DeskSettings,
    HandOver,
    Role,
    Weekday,
)
from crm.models.imports import ColumnMeaning, Import, ImportRow
from crm.models.leads import Lead, LeadDefinition, LeadVersion, ScoreChange, ScoreLine, Stage, StageMove
from crm.models.orders import Bought, Order, OrderLine, UncountedBuyers
from crm.models.persons import DataRequest, Erasure, MergedRows, MergeProposal, Merging
from crm.models.requests import PersonRequest, RequestLine
from crm.models.saved_views import SavedView
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
    "Absence",
    "AssignmentMember",
    "AssignmentRule",
    "Bought",
    "Channel",
    "Clock",
    "ColumnMeaning",
    "Company",
    "ConsentDetail",
    "ConsentEvent",
    "ConsentState",
    "ConsentText",
    "Contact",
    "ContactChange",
    "ContactPoint",
    "ContactStatus",
    "DataRequest",
    "DeskSettings",
    "Engagement",
    "Erasure",
    "Export",
    "ExportLimit",
    "HandOver",
    "Heartbeat",
    "Import",
    "ImportRow",
    "Lead",
    "LeadDefinition",
    "LeadVersion",
    "MarketingPause",
    "MergeProposal",
    "MergedRows",
    "Merging",
    "Note",
    "Notice",
    "Order",
    "OrderLine",
    "OutsideId",
    "OwnField",
    "PasswordTries",
    "PersonRequest",
    "PriceChange",
    "Product",
    "Purpose",
    "RequestLine",
    "RiskSettings",
    "Role",
    "SavedView",
    "ScheduleSlot",
    "ScoreChange",
    "ScoreLine",
    "Segment",
    "SegmentMembership",
    "SegmentSize",
    "ServerKey",
    "ShopRhythm",
    "ShopSettings",
    "Sight",
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
    "Weekday",
]
