"""Orders as their sources tell of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from crm.models import Order
from crm.people.identity import Known

NEVER = datetime(1970, 1, 1, tzinfo=UTC)
RANK = {status: rank for rank, status in enumerate(Order.Status.values)}


@dataclass(frozen=True)
class LineIn:
    """One line of an order. `product` is the shop's id of it, blank where it has none."""

    name: str
    product: str = ""
    sku: str = ""
    quantity: Decimal = Decimal(1)
    unit_price: Decimal = Decimal(0)
    list_price: Decimal | None = None
    url: str = ""
    image_url: str = ""


@dataclass(frozen=True)
class OrderIn:
    """An order as its source tells of it. `lines=None` says nothing of the lines.

    `contact_id` is given where it is known whose it is; else `known` says who. A hint (what a browser says)
    records an order nobody else has told of, and gives way to whatever the shop's server says, ever.
    """

    external_id: str
    placed_at: datetime
    total: Decimal
    known: Known = field(default_factory=Known)
    contact_id: UUID | None = None
    is_hint: bool = False
    source_at: datetime | None = None
    number: str = ""
    status: str = Order.Status.PLACED
    channel: str = "web"
    currency: str = ""
    subtotal: Decimal = Decimal(0)
    discount: Decimal = Decimal(0)
    shipping: Decimal = Decimal(0)
    tax: Decimal = Decimal(0)
    refunded: Decimal = Decimal(0)
    coupon_code: str = ""
    cart_token: str = ""
    checkout_id: str = ""
    visitor_id: UUID | None = None
    lines: tuple[LineIn, ...] | None = None

    @property
    def version(self) -> tuple[datetime, int]:
        """What makes one word newer than another; of two at the same instant, the later state."""
        return NEVER if self.is_hint else self.source_at or self.placed_at, RANK[self.status]
