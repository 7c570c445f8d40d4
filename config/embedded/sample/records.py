"""What a year of the sample shop consists of."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from .invented import Name

DAYS = 365


@dataclass(frozen=True, slots=True)
class Consent:
    purpose: str
    action: str
    at: datetime
    form: str
    wording: str
    basis: str = "consent"


@dataclass(frozen=True, slots=True)
class Event:
    """Something done on the shop's pages; `product` is the shop's id of what it was about."""

    at: datetime
    kind: str
    path: str
    product: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    product: str
    quantity: int
    unit_price: Decimal
    list_price: Decimal

    @property
    def total(self) -> Decimal:
        return self.unit_price * self.quantity


@dataclass(frozen=True, slots=True)
class Cart:
    """One cart from its first line; `order` is the number of what it became."""

    token: str
    opened_at: datetime
    changed_at: datetime
    state: str
    closed_at: datetime | None
    items: tuple[Item, ...]
    order: int | None = None


@dataclass(frozen=True, slots=True)
class Order:
    number: int
    placed_at: datetime
    status: str
    channel: str
    items: tuple[Item, ...]
    goods: Decimal
    discount: Decimal
    shipping: Decimal
    coupon: str
    cart_token: str

    @property
    def total(self) -> Decimal:
        return self.goods - self.discount + self.shipping


@dataclass(frozen=True, slots=True)
class Life:
    """One customer's year. Events, carts and orders are in order of time."""

    name: Name
    visitor_id: UUID
    joined_at: datetime
    form: str
    consents: tuple[Consent, ...]
    events: tuple[Event, ...]
    carts: tuple[Cart, ...]
    orders: tuple[Order, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """When one customer buys, before anything else about them is known."""

    name: Name
    seed: str
    purchases: tuple[datetime, ...]


@dataclass(frozen=True, slots=True)
class Year:
    """`[begins_at, ends_at)`: 365 days up to the last midnight (UTC) before `now`."""

    begins_at: datetime
    ends_at: datetime

    @classmethod
    def before(cls, now: datetime) -> "Year":
        ends_at = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        return cls(ends_at - timedelta(days=DAYS), ends_at)

    def holds(self, at: datetime) -> bool:
        return self.begins_at <= at < self.ends_at
