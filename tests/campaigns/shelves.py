"""A small shop with products in stock, and people who look at and buy them, for what is recommended."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from crm.kernel import ids
from crm.models import Contact, Order, OrderLine, Product
from crm.shop import bought as rollup
from tests.campaigns import mailing
from tracking.models import Event
from tracking.visits import rollups

AT = mailing.AT
DAY = timedelta(days=1)


def product(name: str, category: str = "Speakers", *, age: int = 400, **more: Any) -> Product:
    """In stock, known for `age` days."""
    usual = {
        "source": "script",
        "external_id": name,
        "name": name,
        "category": category,
        "brand": "Oriel",
        "price": Decimal("10.00"),
        "currency": "EUR",
        "url": f"https://shop.test/p/{name}",
        "created_at": AT - age * DAY,
    }
    return Product.objects.create(**(usual | more))


def shelf(names: str, category: str = "Speakers", **more: Any) -> dict[str, Product]:
    return {name: product(name, category, **more) for name in names.split()}


def person(name: str) -> Contact:
    return Contact.objects.create(
        first_name=name, email=f"{name.lower()}@shop.test", created_at=AT - 400 * DAY
    )


def bought(contact: Contact, *things: Product, days_ago: float = 100, status: str = "paid") -> Order:
    at = AT - timedelta(days=days_ago)
    key = str(ids.uuid7(at))
    order = Order.objects.create(
        contact=contact,
        source="api",
        external_id=key,
        currency="EUR",
        total=10,
        status=status,
        occurred_at=at,
        recorded_at=at,
        source_at=at,
    )
    OrderLine.objects.bulk_create(
        OrderLine(contact=contact, order=order, product=thing, name=thing.name, unit_price=10, occurred_at=at)
        for thing in things
    )
    rollup.recount([contact.pk])
    return order


def looked(contact: Contact, *things: Product, days_ago: float = 1, **more: Any) -> None:
    """Looked at them one after the other, a minute apart."""
    first = AT - timedelta(days=days_ago)
    stored: list[Event] = [
        Event(
            contact=contact,
            kind="product",
            product_id=thing.pk,
            props={"category": thing.category, "brand": thing.brand},
            occurred_at=first + timedelta(minutes=place),
            recorded_at=first + timedelta(minutes=place),
            **more,
        )
        for place, thing in enumerate(things)
    ]
    Event.objects.bulk_create(stored)
    rollups.count([(event.pk, event.occurred_at) for event in stored])


def crowd(number: int, *things: Product, days_ago: float = 100, first: int = 0) -> list[Contact]:
    """So many people who each bought these together, on different days."""
    people = [person(f"Buyer{first + one}-{things[0].name}") for one in range(number)]
    for place, who in enumerate(people):
        bought(who, *things, days_ago=days_ago + place)
    return people


def names(things: Iterable[Any]) -> list[str]:
    return [getattr(thing, "product", thing).name for thing in things]


def when(days_ago: float) -> datetime:
    return AT - timedelta(days=days_ago)
