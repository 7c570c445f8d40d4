"""Record orders and products, wherever they came from: as often as they are told, in whatever order.

What decides is the shop's own time of its last word (`source_at`), never the moment of arrival. An older
word still fills what no newer one knew, such as the cart an order came from.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from crm.kernel import ids
from crm.models import Order, OrderLine, OutsideId
from crm.models.writing import insert_rows, update_rows
from crm.people import engagement, identity, permitted
from crm.people.identity import Known, short
from crm.shop import bought
from crm.shop.fitting import fit
from crm.shop.products import ProductIn, record_products
from crm.shop.settings import this_shop
from crm.shop.told import NEVER, RANK, LineIn, OrderIn

__all__ = ["SHOP", "LineIn", "OrderIn", "ProductIn", "record_orders", "record_products"]

SHOP = "script"
"""The shop's own ids are one name space, whether its script or its server tells of them."""

ORDER = "order"
_UNTOLD = datetime(1960, 1, 1, tzinfo=UTC)
_MONEY = ("total", "subtotal", "discount", "shipping", "tax", "refunded")
_SAID = ("number", "status", "channel", "currency", *_MONEY)
_KEPT = ("coupon_code", "cart_token", "checkout_id", "visitor_id", "address_hash")


def record_orders(
    batch: Sequence[OrderIn], now: datetime, *, source: str = SHOP, is_backfill: bool = False
) -> list[UUID]:
    """Our id of each order, recorded now or before. Costs a fixed number of queries a batch."""
    if not batch:
        return []
    with transaction.atomic():
        return _Intake(batch, now, source[:40], is_backfill).run()


def foretell_order(
    order: Order, word: OrderIn, now: datetime, *, has_lines: bool
) -> tuple[dict[str, tuple[Any, Any]], tuple[LineIn, ...] | None]:
    """What a word would make of an order: by name what it was and what it becomes; and its lines, where
    it has a say in them. `order` takes the word, and is not stored.
    """
    intake, before = _Intake([word], now, order.source, is_backfill=False), _state(order)
    intake._tell(order, [word], has_lines=has_lines)
    after = _state(order)
    changes = {name: (old, after[name]) for name, old in before.items() if old != after[name]}
    return changes, intake.lines.get(order.pk)


class _Intake:
    """One batch on its way in."""

    def __init__(self, batch: Sequence[OrderIn], now: datetime, source: str, is_backfill: bool) -> None:
        self.batch, self.now, self.source, self.is_backfill = batch, now, source, is_backfill
        self.told: dict[str, list[OrderIn]] = {}
        for order in batch:
            self.told.setdefault(short(order.external_id, 200), []).append(order)
        for words in self.told.values():
            words.sort(key=lambda order: order.version, reverse=True)
        self.currency = ""
        self.created: list[Order] = []
        self.changed: list[Order] = []
        self.moved: dict[UUID, UUID] = {}
        self.lines: dict[UUID, tuple[LineIn, ...]] = {}
        self.learned: set[UUID] = set()

    def run(self) -> list[UUID]:
        contacts = self._contacts()
        claimed = self._claim(contacts)
        existing = {order.pk: order for order in Order.objects.filter(pk__in=list(claimed.values()))}
        lined = set(OrderLine.objects.filter(order__in=existing).values_list("order_id", flat=True))
        for external_id, words in self.told.items():
            order = existing.get(claimed[external_id])
            if order is None:
                order = self._new(external_id, claimed[external_id], contacts[external_id])
                self.created.append(order)
            before = _state(order)
            self._tell(order, words, has_lines=order.pk in lined)
            if (
                order.pk in existing
                and order.contact_id != contacts[external_id]
                and before["address_hash"] is None
            ):
                self.moved[order.pk] = order.contact_id
                order.contact_id = contacts[external_id]
            elif order.pk in existing and before != _state(order):
                self.changed.append(order)
        self._write(existing)
        return [claimed[short(order.external_id, 200)] for order in self.batch]

    def _contacts(self) -> dict[str, UUID]:
        """Whose each order is. One that names nobody stays with whom it is, or gets a person of its own."""
        contacts = {
            external_id: word.contact_id
            for external_id, words in self.told.items()
            for word in reversed(words)
            if word.contact_id
        }
        named = {
            external_id: word.known
            for external_id, words in self.told.items()
            for word in reversed(words)
            if identity.is_knowable(word.known)
        }
        nameless = [key for key in self.told if key not in contacts and key not in named]
        rows = OutsideId.objects.filter(source=self.source, kind=ORDER, external_id__in=nameless)
        contacts |= dict(rows.values_list("external_id", "contact_id"))
        asked = {
            key: named.get(key) or Known(external_id=short(f"order:{key}", 200))
            for key in self.told
            if key not in contacts
        }
        found = identity.resolve(list(asked.values()), self.now, source=self.source, later=self.learned)
        return contacts | dict(zip(asked, found, strict=True))

    def _claim(self, contacts: dict[str, UUID]) -> dict[str, UUID]:
        """The row that says an outside order is ours. Writing it locks it: two who tell of one order take
        turns, and the second sees what the first recorded.
        """
        rows = [
            OutsideId(
                source=self.source,
                kind=ORDER,
                external_id=key,
                contact_id=contacts[key],
                object_id=ids.uuid7(max(min(self.told[key][0].placed_at, self.now), NEVER)),
                created_at=self.now,
            )
            for key in sorted(self.told)
        ]
        OutsideId.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["external_id", "source", "kind"],
            update_fields=["kind"],
            batch_size=1000,
        )
        mine = OutsideId.objects.filter(source=self.source, kind=ORDER, external_id__in=list(self.told))
        return {row.external_id: row.object_id or row.pk for row in mine}

    def _new(self, external_id: str, order_id: UUID, contact_id: UUID) -> Order:
        return Order(
            id=order_id,
            contact_id=contact_id,
            source=self.source,
            external_id=external_id,
            is_backfill=self.is_backfill,
            recorded_at=self.now,
            source_at=_UNTOLD,
        )

    def _tell(self, order: Order, words: list[OrderIn], *, has_lines: bool) -> None:
        """Let the newest word speak for the order, and the others for what it leaves out."""
        newest = words[0]
        said_at, rank = newest.version
        said_at = min(said_at, self.now)
        is_newer = (said_at, rank) > (order.source_at, RANK[order.status])
        if is_newer:
            for name in _SAID:
                setattr(order, name, fit(Order, name, getattr(newest, name)))
            order.currency = order.currency or self._shop_currency()
            order.occurred_at = min(newest.placed_at, self.now)
            order.source_at = said_at
            if self.is_backfill:
                order.recorded_at = order.occurred_at
        for word in words:
            for name in _KEPT:
                if not getattr(order, name):
                    setattr(order, name, _kept(name, word))
        lines = newest.lines if is_newer else None
        if lines is None and not has_lines:
            lines = next((word.lines for word in words if word.lines), None)
        if lines is not None:
            self.lines[order.pk] = lines

    def _shop_currency(self) -> str:
        self.currency = self.currency or this_shop().currency
        return self.currency

    def _write(self, existing: dict[UUID, Order]) -> None:
        contacts = {order.pk: order.contact_id for order in [*self.created, *existing.values()]}
        kept = [
            line for line in OrderLine.objects.filter(order__in=self.moved) if line.order_id not in self.lines
        ]
        OrderLine.objects.filter(order__in=[*self.lines, *self.moved]).delete()
        Order.objects.filter(pk__in=list(self.moved)).delete()
        insert_rows([*self.created, *(existing[pk] for pk in self.moved)])
        update_rows(self.changed, *_SAID, *_KEPT, "occurred_at", "source_at")
        for line in kept:
            line.contact_id = contacts[line.order_id]
        occurred = {order.pk: order.occurred_at for order in [*self.created, *existing.values()]}
        insert_rows([*kept, *self._lines(contacts, occurred)])
        self._point_at(contacts)
        told = {order.pk for order in [*self.created, *self.changed]}.union(self.moved, self.lines)
        touched = {contacts[pk] for pk in told}.union(self.moved.values())
        engagement.hold(touched | self.learned)
        permitted.keep(self.learned)
        engagement.recount_orders(touched)
        bought.recount(touched)

    def _point_at(self, contacts: dict[UUID, UUID]) -> None:
        rows = list(OutsideId.objects.filter(source=self.source, kind=ORDER, object_id__in=list(self.moved)))
        for row in rows:
            row.contact_id = contacts[row.object_id or row.pk]
        update_rows(rows, "contact_id")

    def _lines(self, contacts: dict[UUID, UUID], occurred: dict[UUID, datetime]) -> list[OrderLine]:
        hints = [
            ProductIn(
                line.product,
                name=line.name,
                sku=line.sku,
                price=line.unit_price,
                url=line.url,
                image_url=line.image_url,
            )
            for lines in self.lines.values()
            for line in lines
            if line.product
        ]
        products = record_products(hints, self.now, source=self.source)
        return [
            OrderLine(
                contact_id=contacts[order_id],
                order_id=order_id,
                product_id=products.get(line.product),
                occurred_at=occurred[order_id],
                **{
                    name: fit(OrderLine, name, getattr(line, name))
                    for name in ("sku", "name", "quantity", "unit_price", "list_price")
                },
            )
            for order_id, lines in self.lines.items()
            for line in lines
        ]


def _kept(name: str, word: OrderIn) -> object:
    if name == "address_hash":
        return identity.hash_of(word.known.email) if word.known.email else None
    value = getattr(word, name)
    if name == "visitor_id":
        return value
    return fit(Order, name, value) if name == "coupon_code" else short(value, 100)


def _state(order: Order) -> dict[str, object]:
    state = {name: getattr(order, name) for name in (*_SAID, *_KEPT, "occurred_at", "source_at")}
    return state | {"address_hash": bytes(order.address_hash) if order.address_hash else None}
