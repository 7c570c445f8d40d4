"""The sample year's people and what they did, as rows: known as of when it happened, marked as a backfill."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection

from campaigns.flows.playbooks import birthday
from config.embedded.sample import history
from config.embedded.sample.catalogue import BY_ID, CATEGORIES, CURRENCY, Product, tax_within
from config.embedded.sample.records import Cart as CartRecord
from config.embedded.sample.records import Item, Life
from config.embedded.sample.records import Order as OrderRecord
from config.sample.copying import copy_in
from crm.kernel import ids, tokens
from crm.models import (
    Channel,
    ConsentEvent,
    ConsentState,
    Contact,
    ContactPoint,
    Engagement,
    Order,
    OrderLine,
    OutsideId,
)
from crm.people.consent import Said, record
from crm.shop import bought
from crm.shop.intake import ORDER, SHOP
from tracking.models import Cart, CartLine, DailyCount, Event, Visit, Visitor
from tracking.visits import rollups

_CATEGORIES = {category.key: category.name for category in CATEGORIES}
SOURCE = "sample"
ORDER_PREFIX = "year-"
TABLES = (
    Contact,
    ContactPoint,
    Engagement,
    Visitor,
    Order,
    OrderLine,
    OutsideId,
    Cart,
    CartLine,
    Event,
)
"""In the order in which they are written."""
FIRST_BORN, DAYS_BORN = date(1948, 1, 1), 20_089  # The last of them is 23 in 2026.
COUNTED = (DailyCount, Visit, ConsentEvent, ConsentState)


class Batch:
    """Some people's rows, by table, and what they said of being written to."""

    def __init__(self, products: dict[str, UUID]) -> None:
        self.products = products
        self.url = settings.REKINDLE_SHOP_URL
        self.rows: dict[type, list[dict[str, Any]]] = defaultdict(list)
        self.said: list[Said] = []

    def put(self, table: type, **row: Any) -> None:
        self.rows[table].append(row)

    def write(self, now: datetime) -> dict[str, int]:
        counts = {str(table._meta.verbose_name_plural): copy_in(table, self.rows[table]) for table in TABLES}
        counts["consent events"] = len(record(self.said, now))
        people = [contact["id"] for contact in self.rows[Contact]]
        rollups.recount(people)
        bought.recount(people)
        return counts


class Person:
    """One life on its way into a batch."""

    def __init__(self, life: Life, batch: Batch) -> None:
        self.life, self.batch = life, batch
        self.id = ids.uuid7(life.joined_at)
        self.address_hash, self.key_id = tokens.address_hash(Channel.EMAIL, life.name.email)
        self.visitor_id = life.visitor_id if life.events else None

    def put(self) -> None:
        self._contact()
        self._points()
        self._engagement()
        self._consents()
        self._events()
        orders = {order.number: self._order(order) for order in self.life.orders}
        for cart in self.life.carts:
            self._cart(cart, orders[cart.order] if cart.order else None)

    def _contact(self) -> None:
        name, joined_at = self.life.name, self.life.joined_at
        self.batch.put(
            Contact,
            id=self.id,
            first_name=name.first_name,
            last_name=name.last_name,
            email=name.email,
            phone=name.phone,
            language=name.language,
            country=name.country,
            time_zone=name.time_zone,
            fields=self._told(),
            source=SOURCE,
            created_at=joined_at,
            recorded_at=joined_at,
            updated_at=joined_at,
        )

    def _told(self) -> dict[str, str]:
        """Two of five told us their birthday: by their address, the same every time it is loaded."""
        drawn = int.from_bytes(sha256(self.life.name.email.encode()).digest()[:4])
        if drawn % 5 > 1:
            return {}
        return {birthday.FIELD: (FIRST_BORN + timedelta(days=drawn % DAYS_BORN)).isoformat()}

    def _points(self) -> None:
        points = [(Channel.EMAIL, self.life.name.email, self.address_hash, self.key_id)]
        if phone := self.life.name.phone:
            points.append((Channel.SMS, phone, *tokens.address_hash(Channel.SMS, phone)))
        for channel, address, digest, key_id in points:
            self.batch.put(
                ContactPoint,
                contact_id=self.id,
                channel=channel,
                address=address,
                address_hash=digest,
                hash_key_id=key_id,
                created_at=self.life.joined_at,
            )

    def _engagement(self) -> None:
        events = self.life.events
        kept = [order for order in self.life.orders if order.status != Order.Status.CANCELLED]
        seen = [event.at for event in events] + [
            order.placed_at for order in self.life.orders if order.channel == "web"
        ]
        paid = [order.total for order in kept if order.status != Order.Status.REFUNDED]
        self.batch.put(
            Engagement,
            contact_id=self.id,
            last_seen_at=max(seen, default=None),
            last_cart_at=max((event.at for event in events if event.kind == "cart"), default=None),
            first_order_at=min((order.placed_at for order in kept), default=None),
            last_order_at=max((order.placed_at for order in kept), default=None),
            order_count=len(kept),
            spent=sum(paid, Decimal(0)),
        )

    def _consents(self) -> None:
        for consent in self.life.consents:
            self.batch.said.append(
                Said(
                    address_hash=self.address_hash,
                    channel=Channel.EMAIL,
                    purpose_key=consent.purpose,
                    action=consent.action,
                    occurred_at=consent.at,
                    source_kind=consent.form,
                    address=self.life.name.email,
                    contact_id=self.id,
                    wording=consent.wording,
                    locale="en",
                    legal_basis=consent.basis if consent.wording else "",
                    source_ref=self.batch.url,
                    is_backfill=True,
                )
            )

    def _events(self) -> None:
        events = self.life.events
        if events:
            self.batch.put(
                Visitor,
                id=self.visitor_id,
                contact_id=self.id,
                trust=Visitor.Trust.SIGNED,
                first_seen_at=events[0].at,
                last_seen_at=events[-1].at,
            )
        for event in events:
            product = BY_ID.get(event.product)
            self.batch.put(
                Event,
                id=ids.uuid7(event.at),
                contact_id=self.id,
                visitor_id=self.visitor_id,
                kind=event.kind,
                url=self.batch.url + event.path,
                product_id=self.batch.products.get(event.product),
                props=_told_of(product) if product else {},
                occurred_at=event.at,
                recorded_at=event.at,
                is_backfill=True,
            )

    def _order(self, order: OrderRecord) -> UUID:
        order_id, at = ids.uuid7(order.placed_at), order.placed_at
        external_id = f"{ORDER_PREFIX}{order.number}"
        token = order.cart_token if self.visitor_id else ""
        self.batch.put(
            Order,
            id=order_id,
            contact_id=self.id,
            source=SHOP,
            external_id=external_id,
            number=f"#{order.number}",
            status=order.status,
            channel=order.channel,
            currency=CURRENCY,
            total=order.total,
            subtotal=order.goods,
            discount=order.discount,
            shipping=order.shipping,
            tax=tax_within(order.total),
            refunded=order.total if order.status == Order.Status.REFUNDED else Decimal(0),
            coupon_code=order.coupon,
            cart_token=token,
            checkout_id=token,
            address_hash=self.address_hash,
            visitor_id=self.visitor_id if token else None,
            source_at=at,
            occurred_at=at,
            recorded_at=at,
            is_backfill=True,
        )
        self.batch.put(
            OutsideId,
            source=SHOP,
            kind=ORDER,
            external_id=external_id,
            contact_id=self.id,
            object_id=order_id,
            created_at=at,
        )
        for item in order.items:
            self._order_line(order_id, item, at)
        return order_id

    def _order_line(self, order_id: UUID, item: Item, at: datetime) -> None:
        product = BY_ID[item.product]
        self.batch.put(
            OrderLine,
            contact_id=self.id,
            order_id=order_id,
            product_id=self.batch.products[product.id],
            sku=product.sku,
            name=product.name,
            quantity=item.quantity,
            unit_price=item.unit_price,
            list_price=item.list_price,
            occurred_at=at,
        )

    def _cart(self, cart: CartRecord, order_id: UUID | None) -> None:
        cart_id = ids.uuid7(cart.opened_at)
        self.batch.put(
            Cart,
            id=cart_id,
            contact_id=self.id,
            token=cart.token,
            checkout_id=cart.token,
            visitor_id=self.visitor_id,
            state=cart.state,
            currency=CURRENCY,
            url=f"{self.batch.url}/cart",
            total=sum((item.total for item in cart.items), Decimal(0)),
            item_count=len(cart.items),
            has_priced_line=True,
            opened_at=cart.opened_at,
            changed_at=cart.changed_at,
            recorded_at=cart.changed_at,
            closed_at=cart.closed_at,
            order_id=order_id,
        )
        for position, item in enumerate(cart.items):
            product = BY_ID[item.product]
            self.batch.put(
                CartLine,
                contact_id=self.id,
                cart_id=cart_id,
                product_id=self.batch.products[product.id],
                external_id=product.id,
                position=position,
                name=product.name,
                url=self.batch.url + product.path,
                image_url=self.batch.url + product.picture,
                price=item.unit_price,
                quantity=item.quantity,
            )


def _told_of(product: Product) -> dict[str, str]:
    return {
        "product_id": product.id,
        "name": product.name,
        "price": str(product.price),
        "category": _CATEGORIES[product.category],
        "brand": product.brand,
    }


def write(lives: Iterable[Life], products: dict[str, UUID], now: datetime) -> dict[str, int]:
    """Some people's year. Returns how many rows of each kind."""
    batch = Batch(products)
    for life in lives:
        Person(life, batch).put()
    return batch.write(now)


def load(
    products: dict[str, UUID],
    now: datetime,
    progress: Callable[[int, int], None],
    *,
    people: int = history.PEOPLE,
) -> dict[str, int]:
    """The whole year, a batch at a time. `progress` is told how many of how many people are in."""
    birthday.birthday(now)
    total: dict[str, int] = defaultdict(int)
    done = 0
    for lives in history.batches(now, number=people):
        for name, count in write(lives, products, now).items():
            total[name] += count
        done += len(lives)
        progress(done, people)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE " + ", ".join(table._meta.db_table for table in (*TABLES, *COUNTED)))
    return total
